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

/* Did this snapshot read the TSC itself? */
static inline bool kvm_clock_snapshot_is_tsc(const struct system_time_snapshot *s)
{
	return s->cs_id == CSID_X86_TSC;
}

#endif
