// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K31: a VM's clock as a file: it is true, and reading it changes nothing. */
#include <stdio.h>
#include <string.h>

#include "provoke.h"
#include "state.h"
#include "tap.h"

#define VCPUS 3
#define READS 100

static const char *kind;

/* The line and the generation are what vCPU 0, which is in it, has. */
static void check_line(struct vm *vm)
{
	struct exact_tsc tsc = vcpu_tsc(&vm->vcpu[0]);
	struct pvclock_vcpu_time_info line;

	if (vcpu_ioctl(&vm->vcpu[0], KVM_GET_CLOCK_GUEST, &line))
		tap_bail("KVM_GET_CLOCK_GUEST");
	tap_ok(state_number(vm, "line_gtsc") == line.tsc_timestamp &&
	       state_number(vm, "line_ns") == line.system_time &&
	       state_number(vm, "line_mul") == line.tsc_to_system_mul &&
	       (int8_t)state_number(vm, "line_shift") == line.tsc_shift,
	       "K31 %s: the line is KVM_GET_CLOCK_GUEST's", kind);
	tap_ok(state_number(vm, "generation_ratio") == tsc.ratio &&
	       state_number(vm, "generation_offset_gtsc") == tsc.offset &&
	       state_number(vm, "tsc_frac_bits") == tsc.frac,
	       "K31 %s: the generation is the vCPU's TSC", kind);
	tap_ok(state_number(vm, "host_tsc_khz") == host()->khz, "K31 %s: the host's TSC", kind);
}

/* Each line is a read of the file: the clock of one lies between two host TSCs. */
static void check_clock(struct vm *vm)
{
	struct pvclock_vcpu_time_info page = vcpu_page(&vm->vcpu[0]);
	struct exact_tsc tsc = vcpu_tsc(&vm->vcpu[0]);
	uint64_t host_tsc_then, clock_ns, low_ns, high_ns;

	low_ns = exact_page_at_ns(&page, &tsc, state_number(vm, "clock_host_tsc"));
	clock_ns = state_number(vm, "clock_ns");
	host_tsc_then = state_number(vm, "clock_host_tsc");
	high_ns = exact_page_at_ns(&page, &tsc, host_tsc_then);
	tap_ok(low_ns <= clock_ns && clock_ns <= high_ns, "K31 %s: the clock is the page's", kind);
}

static uint64_t all_page_writes(const struct vm *vm)
{
	uint64_t writes = 0;
	int i;

	for (i = 0; i < vm->count; i++)
		writes += vcpu_page(&vm->vcpu[i]).version / 2;
	return writes;
}

static void check_mode(struct vm *vm)
{
	tap_ok(state_is(vm, "mode", "master") && state_is(vm, "reasons", "none") &&
	       state_is(vm, "stable", "1"), "K31 %s: master mode, stable", kind);
	tap_ok(state_number(vm, "vcpus") == VCPUS && state_number(vm, "vcpus_matched") == VCPUS &&
	       state_number(vm, "vcpus_same_rate") == VCPUS, "K31 %s: vCPUs are counted", kind);
	vcpu_set_page(&vm->vcpu[0], MSR_CLOCK_OLD);
	tap_ok(state_is(vm, "mode", "host") && state_is(vm, "reasons", "old_msr") &&
	       state_is(vm, "stable", "0"), "K31 %s: host mode, with its reason", kind);
	vcpu_set_page(&vm->vcpu[0], MSR_CLOCK_NEW);
	vcpu_fresh_page(&vm->vcpu[0]);
	tap_ok(state_number(vm, "page_writes") == all_page_writes(vm),
	       "K31 %s: page writes are counted", kind);
}

static void check_sets(struct vm *vm)
{
	uint64_t sets = state_number(vm, "sets"), updates = state_number(vm, "updates");
	struct kvm_clock_data data = vm_get_clock(vm);

	data.flags = 0;
	data.clock += 1000000000;
	if (vm_ioctl(vm, KVM_SET_CLOCK, &data))
		tap_bail("KVM_SET_CLOCK");
	tap_ok(state_number(vm, "sets") == sets + 1 && state_number(vm, "updates") == updates + 1,
	       "K31 %s: a set is counted", kind);
}

static void check_undisturbed(struct vm *vm)
{
	struct pvclock_vcpu_time_info before = vcpu_fresh_page(&vm->vcpu[0]), after;
	uint64_t updates = state_number(vm, "updates"), writes = state_number(vm, "page_writes");
	int i;

	for (i = 0; i < READS; i++)
		state_number(vm, "steps");
	after = vcpu_fresh_page(&vm->vcpu[0]);
	tap_ok(!memcmp(&before, &after, sizeof(before)) &&
	       state_number(vm, "updates") == updates && state_number(vm, "page_writes") == writes,
	       "K31 %s: 100 reads of the file change nothing", kind);
}

static void figure(const char *name, uint64_t value, const char *unit)
{
	char text[64];

	snprintf(text, sizeof(text), "%s_%s", kind, name);
	tap_figure("K31", text, (long long)value, unit);
}

static void check(uint32_t khz)
{
	uint64_t each_ns[PROVOKE_COUNT];
	static struct scene scene;
	struct vm *vm = &scene.vm;
	uint64_t worst_ns;

	scene_open(&scene, khz, VCPUS);
	check_line(vm);
	check_clock(vm);
	check_mode(vm);
	check_sets(vm);
	check_undisturbed(vm);
	scene_close(&scene);
	scene_open(&scene, khz, VCPUS);
	provoke_all(&scene, 1, 20, each_ns);
	tap_ok(state_number(vm, "updates") > 0, "K31 %s: updates are counted", kind);
	worst_ns = state_number(vm, "step_worst_ns");
	tap_ok(!state_number(vm, "steps"), "K31 %s: no step is counted", kind);
	/* One for the floor in the guest's formula. */
	tap_ok(scene.pair_ns <= worst_ns + 1, "K31 %s: the guest saw no more than is counted",
	       kind);
	figure("updates", state_number(vm, "updates"), "updates");
	figure("steps", state_number(vm, "steps"), "steps");
	figure("step_worst", worst_ns, "ns");
	figure("guest_worst", scene.pair_ns, "ns");
	scene_close(&scene);
}

int main(void)
{
	static struct vm vm;
	bool exists;

	vm_open(&vm, 0);
	exists = state_exists(&vm);
	vm_close(&vm);
	if (!exists) {
		tap_skip("no such file", "K31");
		return tap_end();
	}
	kind = "native";
	check(0);
	kind = "scaled";
	if (host()->scaling)
		check(scene_scaled_khz());
	return tap_end();
}
