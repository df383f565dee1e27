// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K22: the clock is a line from VM creation on, before any vCPU runs. */
#include <stdio.h>

#include "scene.h"
#include "tap.h"

static bool has_all_flags(const struct kvm_clock_data *clock)
{
	return (clock->flags & VM_CLOCK_ALL_FLAGS) == VM_CLOCK_ALL_FLAGS;
}

static void check_line(const char *kind, struct vcpu *vcpu)
{
	struct pvclock_vcpu_time_info line = { 0 }, page;
	struct exact_tsc tsc = vcpu_tsc(vcpu);
	struct kvm_clock_data clock;
	char figure[48];

	tap_ok(!vcpu_ioctl(vcpu, KVM_GET_CLOCK_GUEST, &line), "K22 %s: line before a run", kind);
	clock = vm_get_clock(vcpu->vm);
	tap_ok(clock.clock == exact_page_at_ns(&line, &tsc, clock.host_tsc),
	       "K22 %s: line is KVM_GET_CLOCK", kind);
	snprintf(figure, sizeof(figure), "%s_line_against_get_clock", kind);
	tap_figure("K22", figure,
		   (long long)(clock.clock - exact_page_at_ns(&line, &tsc, clock.host_tsc)), "ns");
	vcpu_set_page(vcpu, MSR_CLOCK_NEW);
	page = vcpu_fresh_page(vcpu);
	tap_ok(exact_same_line(&line, &page), "K22 %s: line is the first page", kind);
}

static void check(const char *kind, uint32_t khz)
{
	struct kvm_clock_data first, second;
	struct vm vm;

	vm_open(&vm, khz);
	first = vm_get_clock(&vm);
	tap_ok(has_all_flags(&first), "K22 %s: KVM_GET_CLOCK of a new VM has all flags", kind);
	vm_add_vcpu(&vm);
	second = vm_get_clock(&vm);
	tap_ok(has_all_flags(&second), "K22 %s: and with a vCPU that never ran", kind);
	tap_ok(second.clock >= first.clock, "K22 %s: and did not go back", kind);
	if (host()->line)
		check_line(kind, &vm.vcpu[0]);
	else
		tap_skip("no line ioctls", "K22 %s: line before a run", kind);
	vm_close(&vm);
}

int main(void)
{
	check("native", 0);
	if (host()->scaling)
		check("scaled", scene_scaled_khz());
	return tap_end();
}
