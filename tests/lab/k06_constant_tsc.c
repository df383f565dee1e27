// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * K6: on a host without constant TSC hardware does not scale TSCs, for guests
 * and for guests of guests.  The host is to be booted without it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tap.h"
#include "vm.h"

#define MSR_VMX_PROCBASED_CTLS2	0x48b
#define TSC_SCALING_ALLOWED	(1ull << (32 + 25))

static bool host_has(const char *flag)
{
	static char line[8192];
	FILE *file = fopen("/proc/cpuinfo", "r");
	bool found = false;

	if (!file)
		tap_bail("/proc/cpuinfo");
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, "flags", 5) && strstr(line, flag);
	fclose(file);
	return found;
}

/* What KVM offers nested guests. */
static uint64_t feature_msr(uint32_t index)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} one = { .head.nmsrs = 1, .entry.index = index };

	if (ioctl(host()->kvm, KVM_GET_MSRS, &one) != 1)
		tap_bail("KVM_GET_MSRS %#x of the system", index);
	return one.entry.data;
}

int main(void)
{
	uint32_t slower_khz = host()->khz / 6 * 5;
	static struct vm vm;

	tap_ok(!host_has("constant_tsc"), "K6: the host has no constant TSC");
	tap_ok(ioctl(host()->kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL) == 0,
	       "K6: KVM scales no TSC");
	tap_ok(!(feature_msr(MSR_VMX_PROCBASED_CTLS2) & TSC_SCALING_ALLOWED),
	       "K6: nor for nested guests");
	vm_open_running(&vm, 0, 2);
	tap_ok(vcpu_set_khz(&vm.vcpu[0], slower_khz) < 0, "K6: a slower TSC is refused");
	tap_ok(vcpu_guest_tsc(&vm.vcpu[0]) > 0 && vcpu_guest_tsc(&vm.vcpu[1]) > 0,
	       "K6: vCPUs run");
	vm_close(&vm);
	return tap_end();
}
