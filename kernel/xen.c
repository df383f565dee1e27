// SPDX-License-Identifier: GPL-2.0-only
/* Xen's runstates. */
#include "kvm_clock.h"
#include "kvmclock/runstate.h"
#include "xen.h"

#ifdef CONFIG_KVM_XEN
void kvm_xen_update_runstate(struct kvm_vcpu *v, int state)
{
	struct kvm_vcpu_xen *xen = &v->arch.xen;

	xen->runstate_entry_time =
		kc_runstate_left_ns(xen->runstate_times, xen->current_runstate,
				    xen->runstate_entry_time, get_kvmclock_ns(v->kvm),
				    kvm_clock_waited_ns(&xen->seen));
	xen->current_runstate = state;
	if (xen->runstate_cache.active)
		kvm_xen_update_runstate_guest(v, state == RUNSTATE_runnable);
}
#endif
