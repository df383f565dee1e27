// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "measure.h"

#include "probe.h"

static uint64_t magnitude(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

/* What value has above limit, 0 if it has not; both count modulo 2^64. */
static uint64_t beyond(uint64_t value, uint64_t limit)
{
	return (int64_t)(value - limit) > 0 ? value - limit : 0;
}

int64_t measure_apart_ns(struct vcpu *a, struct vcpu *b)
{
	struct pvclock_vcpu_time_info page_a = vcpu_fresh_page(a), page_b = vcpu_fresh_page(b);
	struct exact_tsc tsc_a = vcpu_tsc(a), tsc_b = vcpu_tsc(b);
	uint64_t htsc = host_tsc();

	return (int64_t)(exact_page_at_ns(&page_b, &tsc_b, htsc) -
			 exact_page_at_ns(&page_a, &tsc_a, htsc));
}

uint64_t measure_restore_by_set_clock(uint32_t khz, int tries)
{
	struct vm a, b;
	uint64_t worst_ns = 0;

	vm_open_running(&a, khz, 1);
	vm_open_running(&b, khz, 1);
	while (tries--) {
		struct kvm_clock_data clock;
		uint64_t error_ns;

		host_sleep_ms(10);
		clock = vm_get_clock(&a);
		clock.flags &= KVM_CLOCK_REALTIME;
		if (vm_ioctl(&b, KVM_SET_CLOCK, &clock))
			probe_fail("KVM_SET_CLOCK");
		error_ns = magnitude(measure_apart_ns(&a.vcpu[0], &b.vcpu[0]));
		if (error_ns > worst_ns)
			worst_ns = error_ns;
	}
	vm_close(&b);
	vm_close(&a);
	return worst_ns;
}

int64_t measure_restore_by_line(uint32_t khz)
{
	struct pvclock_vcpu_time_info line;
	struct vm a, b;
	int64_t error_ns = -1;

	if (!host()->line)
		return -1;
	vm_open_running(&a, khz, 1);
	vm_open_running(&b, khz, 1);
	host_sleep_ms(20);
	if (vcpu_ioctl(&a.vcpu[0], KVM_GET_CLOCK_GUEST, &line))
		probe_fail("KVM_GET_CLOCK_GUEST");
	vcpu_set_tsc_offset(&b.vcpu[0], vcpu_tsc_offset(&a.vcpu[0]));
	if (vcpu_ioctl(&b.vcpu[0], KVM_SET_CLOCK_GUEST, &line))
		probe_fail("KVM_SET_CLOCK_GUEST");
	error_ns = (int64_t)magnitude(measure_apart_ns(&a.vcpu[0], &b.vcpu[0]));
	vm_close(&b);
	vm_close(&a);
	return error_ns;
}

uint64_t measure_slope_error_milli_ppb(uint32_t khz)
{
	struct pvclock_vcpu_time_info page;
	struct exact_tsc tsc;
	struct vm vm;

	vm_open_running(&vm, khz, 1);
	page = vcpu_fresh_page(&vm.vcpu[0]);
	tsc = vcpu_tsc(&vm.vcpu[0]);
	vm_close(&vm);
	return magnitude(exact_slope_error_milli_ppb(&page, &tsc, host()->khz));
}

struct measure_get_clock measure_get_clock(uint32_t khz, int readings, unsigned int ms,
					   struct measure_observer *observer)
{
	struct measure_get_clock result = { .flags_all_or_none = true, .flags_all = true };
	struct vm vm;
	int i;

	vm_open_running(&vm, khz, 1);
	for (i = 0; i < readings; i++) {
		struct pvclock_vcpu_time_info page = vcpu_fresh_page(&vm.vcpu[0]);
		struct exact_tsc tsc = vcpu_tsc(&vm.vcpu[0]);
		struct kvm_clock_data clock = vm_get_clock(&vm);
		uint32_t flags = clock.flags & VM_CLOCK_ALL_FLAGS;
		int64_t error_ns = (int64_t)(clock.clock -
					     exact_page_at_ns(&page, &tsc, clock.host_tsc));

		if (!(flags & KVM_CLOCK_HOST_TSC)) {
			error_ns = 0;
			result.without_htsc++;
		}
		if (magnitude(error_ns) > result.worst_ns)
			result.worst_ns = magnitude(error_ns);
		if (observer && flags & KVM_CLOCK_HOST_TSC)
			observer->saw(observer, error_ns, clock.host_tsc);
		if (flags != VM_CLOCK_ALL_FLAGS)
			result.flags_all = false;
		if (flags && flags != VM_CLOCK_ALL_FLAGS)
			result.flags_all_or_none = false;
		host_sleep_ms(ms / (unsigned int)readings);
	}
	vm_close(&vm);
	return result;
}

/* The guest's clock at one host TSC just after the change, old line and new. */
static uint64_t clock_step_ns(struct vcpu *vcpu, const struct pvclock_vcpu_time_info *old_page,
			      const struct exact_tsc *old_tsc, uint64_t htsc, uint32_t slower_khz)
{
	struct pvclock_vcpu_time_info page = vcpu_fresh_page(vcpu);
	struct exact_tsc tsc = vcpu_tsc(vcpu);
	int64_t step = (int64_t)(exact_page_at_ns(&page, &tsc, htsc) -
				 exact_page_at_ns(old_page, old_tsc, htsc));

	return beyond(magnitude(step), 1000000 / slower_khz + 1);
}

struct measure_late_khz measure_late_khz(uint32_t from_khz, uint32_t to_khz,
					 unsigned int run_ms)
{
	uint32_t slower = from_khz < to_khz ? from_khz : to_khz;
	uint32_t faster = from_khz < to_khz ? to_khz : from_khz;
	struct measure_late_khz result = { 0 };
	struct pvclock_vcpu_time_info page;
	uint64_t htsc[3] = { 0 }, gtsc[3], ns[3];
	struct exact_tsc tsc;
	struct vcpu *vcpu;
	struct vm vm;
	int i;

	vm_open_running(&vm, from_khz, 1);
	vcpu = &vm.vcpu[0];
	host_sleep_ms(run_ms);
	page = vcpu_fresh_page(vcpu);
	tsc = vcpu_tsc(vcpu);
	htsc[0] = host_tsc();
	for (i = 0; i < 3; i++) {
		vcpu_run(vcpu, GUEST_READ, vcpu_page_gpa(vcpu), 0);
		gtsc[i] = vcpu->box->out[0];
		ns[i] = vcpu->box->out[1];
		if (i)
			continue;
		result.error = vcpu_set_khz(vcpu, to_khz);
		htsc[1] = host_tsc();
	}
	htsc[2] = host_tsc();

	result.back_cycles = beyond(gtsc[0], gtsc[1]) + beyond(gtsc[1], gtsc[2]);
	result.forward_cycles = beyond(gtsc[1], gtsc[0]);
	result.jump_cycles = beyond(beyond(gtsc[2], gtsc[0]),
				    (htsc[2] - htsc[0]) * faster / host()->khz + 1);
	result.clock_back_ns = beyond(ns[0], ns[1]) + beyond(ns[1], ns[2]);
	result.clock_step_ns = clock_step_ns(vcpu, &page, &tsc, htsc[1], slower);
	vm_close(&vm);
	return result;
}
