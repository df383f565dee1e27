// SPDX-License-Identifier: GPL-2.0-only
/* Stolen time, as KVM's own guests are told of it and as Xen's are. */
#include <linux/sched/stat.h>
#include "kvm_clock.h"
#include "xen.h"

static struct kc_thread this_thread(void)
{
	return (struct kc_thread) { current->pid, current->sched_info.run_delay };
}

/* The record is to be counted from here on: what came before is not this guest's. */
void kvm_clock_steal_begins(struct kvm_vcpu *vcpu)
{
	vcpu->arch.st.seen.id = 0;
}

/* What the record in guest memory is to show; for it to be called before access is opened. */
int kvm_clock_steal(struct kvm_vcpu *vcpu, const u64 __user *shown, u64 *steal_ns)
{
	struct kvm_clock_reading r;
	u64 waited_ns;

	if (get_user(*steal_ns, shown))
		return -EFAULT;
	kvm_clock_read_host(&r);
	waited_ns = kc_thread_waited_ns(&vcpu->arch.st.seen, this_thread());
	*steal_ns = kc_steal_ns(*steal_ns, waited_ns,
				r.now.raw_ns - vcpu->arch.st.seen_raw_ns);
	vcpu->arch.st.seen_raw_ns = r.now.raw_ns;
	return 0;
}

#ifdef CONFIG_KVM_XEN
void kvm_clock_runstate_set(struct kvm_vcpu *vcpu)
{
	vcpu->arch.xen.seen = this_thread();
}

void kvm_xen_update_runstate(struct kvm_vcpu *v, int state)
{
	struct kvm_vcpu_xen *xen = &v->arch.xen;
	struct kc_runstate r = { xen->current_runstate, xen->runstate_entry_time };

	static_assert(sizeof(r.time_ns) == sizeof(xen->runstate_times));
	memcpy(r.time_ns, xen->runstate_times, sizeof(r.time_ns));
	kc_runstate_entered(&r, state, get_kvmclock_ns(v->kvm),
			    kc_thread_waited_ns(&xen->seen, this_thread()));
	memcpy(xen->runstate_times, r.time_ns, sizeof(r.time_ns));
	xen->runstate_entry_time = r.entry_ns;
	xen->current_runstate = r.state;
	if (xen->runstate_cache.active)
		kvm_xen_update_runstate_guest(v, state == RUNSTATE_runnable);
}
#endif
