// SPDX-License-Identifier: GPL-2.0-only
/* What vCPUs waited for a CPU. */
#include "kvm_clock.h"

u64 kvm_clock_waited_ns(struct kc_thread *seen)
{
	return kc_thread_waited_ns(seen, (struct kc_thread) {
			current->pid, current->sched_info.run_delay });
}

/* What the guest's record is to show; to be asked before access to it is opened. */
int kvm_clock_steal(struct kvm_vcpu *vcpu, const u64 __user *shown, u64 *steal_ns)
{
	s64 last_raw_ns = vcpu->arch.st.seen_raw_ns;
	struct kvm_clock_reading r;

	if (get_user(*steal_ns, shown))
		return -EFAULT;
	kvm_clock_read_host(&r);
	vcpu->arch.st.seen_raw_ns = r.now.raw_ns;
	*steal_ns = kc_steal_ns(*steal_ns, kvm_clock_waited_ns(&vcpu->arch.st.seen),
				r.now.raw_ns - last_raw_ns);
	return 0;
}
