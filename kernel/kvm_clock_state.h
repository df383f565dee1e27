/* SPDX-License-Identifier: GPL-2.0-only */
/* What a VM's clock and stolen time add to struct kvm_arch and to its vCPUs. */
#ifndef KVM_CLOCK_STATE_H
#define KVM_CLOCK_STATE_H

#include <linux/mutex.h>
#include "kvmclock/master.h"
#include "kvmclock/steal.h"

/* Under clock.lock; read without it. */
struct kvm_clock_counts {
	u64 updates;		/* after which pages were due */
	u64 page_writes;
	u64 sets;		/* KVM_SET_CLOCK, or a line set */
	u64 steps;		/* readings that moved though nobody set the clock */
	u64 steps_total_ns;	/* of magnitudes */
	u64 step_worst_ns;	/* a magnitude */
};

struct kvm_clock {
	struct mutex lock;		/* one update at a time; see kvm_clock.h */
	bool pages_due;			/* under lock: no page shows the line yet */
	bool page_missed;		/* under lock: one could not be written */
	bool tsc_restarted;		/* of the host; what follows is to be done */
	struct kvm_clock_counts counts;
	struct kc_master master;	/* under tsc_write_lock and pvclock_sc */
};

#endif
