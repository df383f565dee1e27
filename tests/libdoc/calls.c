// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Runs the library on made-up hosts of all kinds, and prints what each of its
 * functions asked of the system: lines "FUNCTION CALL [REQUEST]", each once.
 * With the argument "system" the clocks are the system's own, of which strace
 * tells; the marks around that are calls of getppid.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "kvm_clock.h"
#include "kvmclock.h"

enum { VCPUS = 2, KVM_FD = 100, VM_FD, VCPU_FD, MAX_SEEN = 200 };

/* A host and its VM; the host's TSC goes on by 500 with each look at it. */
static struct made_up {
	bool line, offset, host_tsc, scaling, page, refuses_slope, no_master_after_set;
	uint32_t host_khz, khz[VCPUS];
	uint64_t htsc, tsc_offset[VCPUS], clock_ns;
	struct pvclock_vcpu_time_info set_line;
} host;

static const char *function = "none";
static char seen[MAX_SEEN][80];
static int seen_count;

static void see(const char *format, ...)
{
	char line[80];
	va_list list;
	int i, begin = snprintf(line, sizeof(line), "%s ", function);

	va_start(list, format);
	vsnprintf(line + begin, sizeof(line) - (size_t)begin, format, list);
	va_end(list);
	for (i = 0; i < seen_count; i++)
		if (!strcmp(seen[i], line))
			return;
	if (seen_count == MAX_SEEN)
		exit(2);
	strcpy(seen[seen_count++], line);
}

static uint64_t ratio(int i)
{
	return (uint64_t)(((unsigned __int128)host.khz[i] << 48) / host.host_khz);
}

static uint64_t gtsc(int i)
{
	return (uint64_t)((unsigned __int128)host.htsc * ratio(i) >> 48) + host.tsc_offset[i];
}

static int check_extension(unsigned long capability)
{
	switch (capability) {
	case KVM_CAP_ADJUST_CLOCK:
		return host.host_tsc ? KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC :
			KVM_CLOCK_TSC_STABLE;
	case KVM_CAP_VCPU_ATTRIBUTES:
		return host.offset;
	case KVM_CAP_VM_TSC_CONTROL:
		return 1;
	case KVM_CAP_TSC_CONTROL:
		return host.scaling;
	case KVM_CAP_CLOCK_LINE:
		return host.line ? 15 : 0;
	default:
		return 0;
	}
}

static int get_clock(struct kvm_clock_data *clock)
{
	*clock = (struct kvm_clock_data) { .clock = host.clock_ns + host.htsc / 2500 * 1000 };
	if (host.host_tsc && !host.no_master_after_set)
		clock->flags = KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC;
	clock->realtime = 1700000000000000000ull + host.htsc / 2500 * 1000;
	clock->host_tsc = host.htsc;
	return 0;
}

static int set_clock(const struct kvm_clock_data *clock)
{
	host.clock_ns = clock->clock - host.htsc / 2500 * 1000;
	return 0;
}

static int get_msrs(int i, struct kvm_msrs *msrs)
{
	struct kvm_msr_entry *msr = msrs->entries;

	msr->data = msr->index == 0x10 ? gtsc(i) : msr->index == 0x4b564d01 ? 1 : 77;
	return 1;
}

static int get_attr(int i, const struct kvm_device_attr *attr)
{
	void *to = (void *)(uintptr_t)attr->addr;

	if (attr->attr == KVM_VCPU_TSC_SCALE)
		*(struct kvm_vcpu_tsc_scale *)to = (struct kvm_vcpu_tsc_scale) { ratio(i), 48 };
	else
		*(uint64_t *)to = host.tsc_offset[i];
	return 0;
}

static int set_line(const struct pvclock_vcpu_time_info *line)
{
	host.set_line = *line;
	if (!host.refuses_slope)
		return 0;
	host.refuses_slope = false;
	return -ERANGE;
}

#define VCPU_OR_VM(to, otherwise) *(fd < VCPU_FD ? &(otherwise) : &(to)[fd - VCPU_FD])
#define REQUESTS(X) \
	X(KVM_CHECK_EXTENSION, check_extension((unsigned long)argument)) \
	X(KVM_GET_SUPPORTED_CPUID, (((struct kvm_cpuid2 *)argument)->nent = 0)) \
	X(KVM_GET_CLOCK, get_clock(argument)) \
	X(KVM_SET_CLOCK, set_clock(argument)) \
	X(KVM_GET_TSC_KHZ, (int)VCPU_OR_VM(host.khz, host.host_khz)) \
	X(KVM_SET_TSC_KHZ, (VCPU_OR_VM(host.khz, host.khz[0]) = (uint32_t)(uintptr_t)argument, 0)) \
	X(KVM_GET_DEVICE_ATTR, get_attr(fd - VCPU_FD, argument)) \
	X(KVM_SET_DEVICE_ATTR, (host.tsc_offset[fd - VCPU_FD] = *(uint64_t *)(uintptr_t) \
		((struct kvm_device_attr *)argument)->addr, 0)) \
	X(KVM_GET_MSRS, get_msrs(fd - VCPU_FD, argument)) \
	X(KVM_SET_MSRS, 1) \
	X(KVM_GET_CLOCK_GUEST, (*(struct pvclock_vcpu_time_info *)argument = host.set_line, 0)) \
	X(KVM_SET_CLOCK_GUEST, set_line(argument)) \
	X(KVM_KVMCLOCK_CTRL, 0)

static int made_up_ioctl(void *context, int fd, unsigned long request, void *argument)
{
	(void)context;
	host.htsc += 500;
	switch (request) {
#define X(name, result) case name: see("%s 0x%08lx", #name, request); return result;
	REQUESTS(X)
#undef X
	default:
		see("unknown 0x%08lx", request);
		return -ENOTTY;
	}
}

static int made_up_time(void *context, int clock, struct timespec *now)
{
	uint64_t ns = 1700000000000000000ull + host.htsc / 2500 * 1000;

	(void)context;
	(void)clock;
	see("clock_gettime");
	now->tv_sec = (time_t)(ns / 1000000000);
	now->tv_nsec = (long)(ns % 1000000000);
	return 0;
}

static int made_up_adjtimex(void *context, struct timex *timex)
{
	(void)context;
	if (timex->modes)
		see("adjtimex that sets");
	see("adjtimex");
	timex->tai = 37;
	timex->maxerror = 500;
	return 0;
}

static uint64_t made_up_rdtsc(void *context)
{
	(void)context;
	return host.htsc += 500;
}

static int made_up_memory(void *context, uint64_t gpa, void *to, size_t bytes)
{
	(void)context;
	(void)gpa;
	memcpy(to, &host.set_line, bytes);
	return 0;
}

static struct kvmclock_ops ops = {
	sizeof(ops), 0, NULL, made_up_ioctl, made_up_time, made_up_adjtimex, made_up_rdtsc, NULL
};

static int reached[21];

/* Calls it by its name, and notes which tier a restore reached. */
#define CALL(name, ...) (function = #name, name(__VA_ARGS__, NULL))

static int restore(const struct kvmclock_vm *vm, const struct kvmclock_state *state, uint32_t policy)
{
	struct kvmclock_abilities here = { .size = sizeof(here) };
	struct kvmclock_request request = { .size = sizeof(request), .policy = policy,
		.lowest_tier = 3, .max_step_ns = UINT64_MAX, .max_step_cycles = UINT64_MAX,
		.max_rate_ppb = UINT64_MAX };
	struct kvmclock_plan plan = { .size = sizeof(plan) };
	struct kvmclock_restore restore = { .size = sizeof(restore) };
	struct kvmclock_result result = { .size = sizeof(result) };
	struct kvmclock_verdict verdict = { .size = sizeof(verdict) };
	int ret = CALL(kvmclock_probe, vm, &here);

	ret = ret ? ret : CALL(kvmclock_plan, state, &here, &request, &plan);
	ret = ret ? ret : CALL(kvmclock_restore_vm, &restore, vm, state, &here, &request);
	for (uint32_t i = 0; !ret && i < VCPUS; i++)
		ret = CALL(kvmclock_restore_vcpu, &restore, vm, i);
	ret = ret ? ret : CALL(kvmclock_restore_finish, &restore, vm, &result);
	ret = ret ? ret : CALL(kvmclock_verify, &restore, vm, 0, &verdict);
	ret = ret ? ret : CALL(kvmclock_verify, &restore, vm, 1, &verdict);
	if (!ret)
		reached[result.tier]++;
	return ret;
}

static int move(struct made_up from, struct made_up to, uint32_t policy)
{
	static const int32_t fds[VCPUS] = { VCPU_FD, VCPU_FD + 1 };
	struct kvmclock_vm vm = { sizeof(vm), KVM_FD, VM_FD, VCPUS, fds, &ops };
	struct kvmclock_abilities there = { .size = sizeof(there) };
	struct kvmclock_vcpu vcpus[VCPUS];
	struct kvmclock_state state = { .size = sizeof(state), .vcpus = vcpus, .vcpu_room = VCPUS };
	uint8_t bytes[512];
	size_t used;
	int ret;

	host = from;
	ops.read_guest = from.page ? made_up_memory : NULL;
	ret = CALL(kvmclock_probe, &vm, &there);
	ret = ret ? ret : CALL(kvmclock_save, &vm, &there, &state);
	ret = ret ? ret : CALL(kvmclock_encode, &state, bytes, sizeof(bytes), &used);
	ret = ret ? ret : CALL(kvmclock_decode, bytes, used, &state);
	to.htsc = host.htsc + 1000000;
	host = to;
	ops.read_guest = to.page ? made_up_memory : NULL;
	return ret ? ret : restore(&vm, &state, policy);
}

/* No KVM is needed to see which system call is made. */
static void probe_for_real(void)
{
	struct kvmclock_vm vm = { .size = sizeof(vm), .kvm_fd = STDIN_FILENO, .vm_fd = STDIN_FILENO };
	struct kvmclock_abilities here = { .size = sizeof(here) };

	if (CALL(kvmclock_probe, &vm, &here) != KVMCLOCK_E_SYSTEM)
		exit(2);
}

static struct made_up host_of_kind(unsigned int kind)
{
	static const uint32_t host_khz = 2500000;
	struct made_up made = {
		.line = kind & 1, .offset = !(kind & 2), .host_tsc = !(kind & 4), .scaling = kind & 8,
		.page = kind & 16, .host_khz = host_khz, .htsc = 1000000000,
		.khz = { host_khz, host_khz },
		.set_line = { .tsc_timestamp = 5, .system_time = 6, .tsc_to_system_mul = 0xcccccccd,
			      .tsc_shift = -1 },
	};

	if (made.scaling)
		made.khz[0] = made.khz[1] = host_khz / 2;
	return made;
}

int main(int argc, char **argv)
{
	int moves = 0, done = 0;

	bool system = argc > 1 && !strcmp(argv[1], "system");

	getppid();
	if (system) {
		ops.clock_gettime = NULL;
		ops.adjtimex = NULL;
		probe_for_real();
	}
	for (unsigned int kind = 0; kind < 128; kind++) {
		struct made_up from = host_of_kind(kind), to = from;

		to.refuses_slope = kind & 32;
		to.no_master_after_set = kind & 64;
		to.khz[1] = to.host_khz;
		for (uint32_t policy = KVMCLOCK_LIVE_UPDATE; policy <= KVMCLOCK_CLONE; policy++, moves++)
			done += !move(from, to, policy);
	}
	getppid();
	for (int i = 0; i < seen_count; i++)
		puts(seen[i]);
	printf("# %d of %d moves done; tiers reached %d %d %d %d times\n", done, moves, reached[0],
	       reached[1], reached[2], reached[3]);
	return !reached[0] || !reached[1] || !reached[2] || !reached[3];
}
