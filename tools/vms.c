// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "vms.h"
#include "files.h"
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "/sys/kernel/debug/kvm"
#define VMS_MAX 65536
#define VCPUS_MAX 65536

const char *vm_mode_word(enum vm_mode mode)
{
	static const char *const of[] = { "unknown", "master", "host" };

	return of[mode];
}

/* One more of an array that grows by doubling. */
static void *one_more(void *array, size_t *count, size_t size)
{
	if (!(*count & (*count - 1)))
		array = realloc(array, (*count ? *count * 2 : 1) * size);
	if (!array)
		abort();
	memset((char *)array + (*count)++ * size, 0, size);
	return array;
}

/* ---- vCPUs ------------------------------------------------------------------ */

static bool number_of_vcpu(struct vm_facts *vm, unsigned int id, const char *file, uint64_t *value)
{
	int ret = read_number(value, FOLDER "/%lld-%lld/vcpu%u/%s", (long long)vm->pid,
			      (long long)vm->fd, id, file);

	/* Gone before it was opened, or before it was read. */
	if (ret && ret != -ENOENT && ret != -EIO)
		vm->unreadable = true;
	return !ret;
}

static int64_t khz_of(const struct vcpu_facts *vcpu, int64_t host_khz)
{
	unsigned __int128 ticks = (unsigned __int128)vcpu->ratio * (uint64_t)host_khz;

	if (!vcpu->has_ratio)
		return host_khz;
	ticks = ((ticks >> (vcpu->frac_bits - 1)) + 1) >> 1;
	return ticks > UINT32_MAX ? 0 : (int64_t)ticks;
}

/* Without an offset it is on its way in or out. */
static void read_vcpu(struct vm_facts *vm, unsigned int id, int64_t host_khz)
{
	struct vcpu_facts *vcpu;
	uint64_t offset_gtsc;

	if (!number_of_vcpu(vm, id, "tsc-offset", &offset_gtsc))
		return;
	vm->vcpus = one_more(vm->vcpus, &vm->vcpu_count, sizeof(*vcpu));
	vcpu = &vm->vcpus[vm->vcpu_count - 1];
	vcpu->id = id;
	vcpu->offset_gtsc = offset_gtsc;
	vcpu->has_ratio = number_of_vcpu(vm, id, "tsc-scaling-ratio", &vcpu->ratio) &&
			  number_of_vcpu(vm, id, "tsc-scaling-ratio-frac-bits", &vcpu->frac_bits);
	if (vcpu->has_ratio && (!vcpu->frac_bits || vcpu->frac_bits > 63)) {
		vm->unreadable = true;
		vcpu->has_ratio = false;
	}
	vcpu->khz = host_khz > 0 ? khz_of(vcpu, host_khz) : 0;
}

static int by_id(const void *a, const void *b)
{
	const struct vcpu_facts *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void read_vcpus(struct vm_facts *vm, DIR *folder, int64_t host_khz)
{
	struct dirent *entry;
	uint64_t id;

	while (vm->vcpu_count < VCPUS_MAX && (entry = readdir(folder)))
		if (!strncmp(entry->d_name, "vcpu", 4) && parse_number(entry->d_name + 4, &id) &&
		    id < UINT32_MAX)
			read_vcpu(vm, (unsigned int)id, host_khz);
	if (vm->vcpu_count)
		qsort(vm->vcpus, vm->vcpu_count, sizeof(*vm->vcpus), by_id);
}

static bool is_same_rate(const struct vcpu_facts *a, const struct vcpu_facts *b)
{
	return a->has_ratio == b->has_ratio && a->ratio == b->ratio && a->frac_bits == b->frac_bits;
}

static void find_spread(struct vm_facts *vm)
{
	int64_t least = 0, most = 0;

	vm->spread_ns = -1;
	if (!vm->vcpu_count)
		return;
	vm->khz = vm->vcpus[0].khz;
	for (size_t i = 0; i < vm->vcpu_count; i++) {
		const struct vcpu_facts *vcpu = &vm->vcpus[i];
		int64_t apart = (int64_t)(vcpu->offset_gtsc - vm->vcpus[0].offset_gtsc);

		vm->unequal_rates |= !is_same_rate(vcpu, &vm->vcpus[0]);
		least = apart < least ? apart : least;
		most = apart > most ? apart : most;
	}
	vm->spread_gtsc = (uint64_t)most - (uint64_t)least;
	if (vm->khz > 0 && !vm->unequal_rates) {
		unsigned __int128 ns = ((unsigned __int128)vm->spread_gtsc * 1000000 +
					(uint64_t)vm->khz - 1) / (uint64_t)vm->khz;

		vm->spread_ns = ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
	}
}

/* ---- the state file --------------------------------------------------------- */

static int64_t number_in(struct vm_facts *vm, const char *text, const char *key)
{
	char value[32];
	uint64_t number;

	if (find_value(text, key, ' ', value, sizeof(value)) && parse_number(value, &number) &&
	    number <= INT64_MAX)
		return (int64_t)number;
	vm->unreadable = true;
	return 0;
}

static uint64_t word_in(struct vm_facts *vm, const char *text, const char *key)
{
	char value[32];
	uint64_t number = 0;

	if (!find_value(text, key, ' ', value, sizeof(value)) || !parse_number(value, &number))
		vm->unreadable = true;
	return number;
}

static void read_mode(struct vm_facts *vm, const char *text)
{
	char mode[16] = "";

	find_value(text, "mode", ' ', mode, sizeof(mode));
	find_value(text, "reasons", ' ', vm->reasons, sizeof(vm->reasons));
	vm->mode = !strcmp(mode, "master") ? VM_MODE_MASTER :
		   !strcmp(mode, "host") ? VM_MODE_HOST : VM_MODE_UNKNOWN;
	if (!strcmp(vm->reasons, "none"))
		*vm->reasons = 0;
	if (vm->mode == VM_MODE_UNKNOWN ||
	    strspn(vm->reasons, "abcdefghijklmnopqrstuvwxyz_ ") != strlen(vm->reasons)) {
		vm->unreadable = true;
		*vm->reasons = 0;
	}
}

/* The host's TSC frequency, or 0 where there is no such file: the stock KVM. */
static int64_t read_state(struct vm_facts *vm)
{
	struct vm_state *state = &vm->state;
	char text[4096];

	if (read_text(text, sizeof(text), FOLDER "/%lld-%lld/clock", (long long)vm->pid,
		      (long long)vm->fd) < 0)
		return 0;
	state->is_there = true;
	read_mode(vm, text);
	state->stable = number_in(vm, text, "stable") == 1;
	state->matched_only = number_in(vm, text, "offset_master_clock") == 0;
	state->clock_ns = (int64_t)word_in(vm, text, "clock_ns");
	state->line_age_ns = (int64_t)((uint64_t)state->clock_ns - word_in(vm, text, "line_ns"));
	state->updates = number_in(vm, text, "updates");
	state->page_writes = number_in(vm, text, "page_writes");
	state->sets = number_in(vm, text, "sets");
	state->steps = number_in(vm, text, "steps");
	state->steps_total_ns = number_in(vm, text, "steps_total_ns");
	state->step_worst_ns = number_in(vm, text, "step_worst_ns");
	return number_in(vm, text, "host_tsc_khz");
}

/* The stock KVM tells no mode; without the TSC as clocksource there is only one. */
static void guess_mode(struct vm_facts *vm)
{
	if (!*host_facts()->clocksource || host_counts_by_tsc(host_facts()))
		return;
	vm->mode = VM_MODE_HOST;
	strcpy(vm->reasons, "no_tsc_clocksource");
}

/* ---- VMs -------------------------------------------------------------------- */

static bool parse_folder(const char *name, int64_t *pid, int64_t *fd)
{
	char first[24], second[24];
	uint64_t numbers[2];
	int end = -1;

	if (sscanf(name, "%20[0-9]-%20[0-9]%n", first, second, &end) != 2 || end < 0 || name[end] ||
	    !parse_number(first, &numbers[0]) || !parse_number(second, &numbers[1]) ||
	    numbers[0] > INT32_MAX || numbers[1] > INT32_MAX)
		return false;
	*pid = (int64_t)numbers[0];
	*fd = (int64_t)numbers[1];
	return true;
}

/* False: it is on its way in or out; ours makes its file last and takes it away first. */
static bool read_vm(struct vm_facts *vm)
{
	int64_t host_khz;
	DIR *folder = open_folder(FOLDER "/%lld-%lld", (long long)vm->pid, (long long)vm->fd);

	if (!folder)
		return false;
	read_line(vm->name, sizeof(vm->name), "/proc/%lld/comm", (long long)vm->pid);
	host_khz = read_state(vm);
	read_vcpus(vm, folder, host_khz ? host_khz : host_facts()->tsc_khz);
	closedir(folder);
	find_spread(vm);
	if (vm->state.is_there)
		return true;
	guess_mode(vm);
	return host_facts()->kvm != KVM_IS_OURS;
}

static int by_pid(const void *a, const void *b)
{
	const struct vm_facts *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

int vms_read(struct vms *vms, int64_t pid)
{
	struct vm_facts *vm;
	struct dirent *entry;
	int64_t is_pid, fd;
	DIR *folder;

	host_facts();		/* its VM is gone before others are looked for */
	memset(vms, 0, sizeof(*vms));
	folder = open_folder(FOLDER);
	if (!folder)
		return -errno;
	while (vms->count < VMS_MAX && (entry = readdir(folder))) {
		if (!parse_folder(entry->d_name, &is_pid, &fd) || (pid && pid != is_pid))
			continue;
		vms->vm = one_more(vms->vm, &vms->count, sizeof(*vm));
		vm = &vms->vm[vms->count - 1];
		vm->pid = is_pid;
		vm->fd = fd;
		if (!read_vm(vm)) {
			free(vm->vcpus);
			vms->count--;
		}
	}
	closedir(folder);
	if (vms->count)
		qsort(vms->vm, vms->count, sizeof(*vms->vm), by_pid);
	return 0;
}

void vms_free(struct vms *vms)
{
	for (size_t i = 0; i < vms->count; i++)
		free(vms->vm[i].vcpus);
	free(vms->vm);
}
