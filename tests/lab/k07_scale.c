// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K7: the TSC's ratio is readable, and is what the hardware does. */
#include <errno.h>

#include "scene.h"
#include "tap.h"

static void check_codes(struct vcpu *vcpu)
{
	struct kvm_vcpu_tsc_scale scale;
	int has = host()->scaling ? 0 : -ENXIO;

	tap_ok(vcpu_tsc_attr(vcpu, KVM_HAS_DEVICE_ATTR, KVM_VCPU_TSC_SCALE, &scale) == has,
	       "K7: has");
	tap_ok(vcpu_tsc_attr(vcpu, KVM_GET_DEVICE_ATTR, KVM_VCPU_TSC_SCALE, &scale) == has,
	       "K7: get");
	tap_ok(vcpu_tsc_attr(vcpu, KVM_GET_DEVICE_ATTR, KVM_VCPU_TSC_SCALE, (void *)-4096l) ==
	       (has ? has : -EFAULT), "K7: get to an address not mapped");
	tap_ok(vcpu_tsc_attr(vcpu, KVM_SET_DEVICE_ATTR, KVM_VCPU_TSC_SCALE, &scale) ==
	       (has ? has : -EINVAL), "K7: set is refused");
	tap_ok(vcpu_tsc_attr(vcpu, KVM_HAS_DEVICE_ATTR, KVM_VCPU_TSC_OFFSET, &scale) == 0,
	       "K7: the offset is still there");
	tap_ok(vcpu_tsc_attr(vcpu, KVM_HAS_DEVICE_ATTR, 2, &scale) == -ENXIO,
	       "K7: attribute 2 is not");
}

/* The guest's TSC must lie between what the law says just before and after. */
static void check_value(uint32_t khz)
{
	struct kvm_vcpu_tsc_scale scale = { 0, 0 };
	uint64_t one = 1ull << host()->frac, expected = one;
	struct exact_tsc tsc;
	bool lawful = true;
	struct vm vm;
	int i;

	vm_open_running(&vm, khz, 1);
	vcpu_tsc_attr(&vm.vcpu[0], KVM_GET_DEVICE_ATTR, KVM_VCPU_TSC_SCALE, &scale);
	if (khz)
		expected = (uint64_t)((exact_u128)one * khz / host()->khz);
	tap_ok(scale.tsc_frac_bits == host()->frac, "K7 %s: fraction bits",
	       khz ? "scaled" : "native");
	if (!tap_ok(scale.tsc_ratio == expected, "K7 %s: ratio", khz ? "scaled" : "native"))
		tap_diag("%#llx, expected %#llx", (unsigned long long)scale.tsc_ratio,
			 (unsigned long long)expected);
	tsc = vcpu_tsc(&vm.vcpu[0]);
	for (i = 0; i < 20; i++) {
		uint64_t low = exact_guest_tsc(&tsc, host_tsc());
		uint64_t now = vcpu_guest_tsc(&vm.vcpu[0]);

		lawful = lawful && low <= now && now <= exact_guest_tsc(&tsc, host_tsc());
	}
	tap_ok(lawful, "K7 %s: the guest's TSC is as the ratio says", khz ? "scaled" : "native");
	vm_close(&vm);
}

int main(void)
{
	struct vm vm;

	if (!host()->line) {
		tap_skip("no KVM_CAP_CLOCK_LINE", "K7: the TSC's ratio");
		return tap_end();
	}
	vm_open_running(&vm, 0, 1);
	check_codes(&vm.vcpu[0]);
	vm_close(&vm);
	if (host()->scaling) {
		check_value(0);
		check_value(scene_scaled_khz());
	}
	return tap_end();
}
