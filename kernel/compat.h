/* SPDX-License-Identifier: GPL-2.0-only */
/* Every difference between the kernels that are supported. */
#ifndef KVM_CLOCK_COMPAT_H
#define KVM_CLOCK_COMPAT_H

#include <linux/clocksource_ids.h>
#include <linux/timekeeping.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0) || \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#error "kvmclock supports Linux 6.12"
#endif

#if !IS_ENABLED(CONFIG_KVM_XEN) || !IS_ENABLED(CONFIG_KVM_HYPERV)
#error "kvmclock is written for kernels with KVM_XEN and KVM_HYPERV, as Debian's are"
#endif

/* Did this snapshot read the TSC itself? */
static inline bool kvm_clock_snapshot_is_tsc(const struct system_time_snapshot *s)
{
	return s->cs_id == CSID_X86_TSC;
}

#endif
