// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K32: a capability tells that all this is there. */
#include <sys/ioctl.h>

#include "scene.h"
#include "tap.h"

int main(void)
{
	int all = KVM_CLOCK_LINE_IOCTLS | KVM_CLOCK_LINE_SCALE | KVM_CLOCK_LINE_FROM_START |
		  KVM_CLOCK_LINE_EXACT;
	int system = ioctl(host()->kvm, KVM_CHECK_EXTENSION, KVM_CAP_CLOCK_LINE);
	struct pvclock_vcpu_time_info line;
	struct vm vm;
	int own;

	vm_open(&vm, 0);
	own = ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_CLOCK_LINE);
	tap_ok(system > 0, "K32: on the system");
	tap_ok(own == system, "K32: on the VM, the same");
	tap_figure("K32", "mask", system, "bits");
	if (system > 0) {
		tap_ok((system & all) == all, "K32: has what it must");
	} else {
		tap_ok(vcpu_ioctl(vm_add_vcpu(&vm), KVM_GET_CLOCK_GUEST, &line) < 0,
		       "K32: without it the ioctl is not there");
	}
	tap_ok(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ADJUST_CLOCK) ==
	       (int)VM_CLOCK_ALL_FLAGS, "K32: KVM_CAP_ADJUST_CLOCK as it was");
	vm_close(&vm);
	return tap_end();
}
