/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Time that a vCPU could have run and did not, because its thread waited for a
 * CPU: as KVM's steal record tells it, and as Xen's runstate does.
 */
#ifndef KC_STEAL_H
#define KC_STEAL_H

#include "types.h"

/* What is known of the thread that runs a vCPU. */
struct kc_thread {
	u64 id;			/* 0: of none */
	u64 run_delay_ns;	/* it waited for a CPU, in all its life */
};

/*
 * How long the thread waited since it was last seen, in ns; *seen becomes now.
 * 0 when there is nothing to compare with: nothing was seen, or another thread,
 * or one of this id that had waited longer.  Domain: all.
 */
u64 kc_thread_waited_ns(struct kc_thread *seen, struct kc_thread now);

/*
 * What the steal record is to show: what it shows, which may be anything, and
 * the waiting on top, but no more of it than the raw time that passed (0 if
 * that is negative).  Never less than it shows: at most 2^64 - 1.  Domain: all.
 */
u64 kc_steal_ns(u64 shown_ns, u64 waited_ns, s64 passed_ns);

/* Xen's numbers. */
enum kc_runstate_state {
	KC_RUNNING, KC_RUNNABLE, KC_BLOCKED, KC_OFFLINE, KC_NR_RUNSTATES
};

struct kc_runstate {
	u32 state;
	u64 entry_ns;			/* clock; 0: none entered yet */
	u64 time_ns[KC_NR_RUNSTATES];	/* in each state; entry_ns is their sum */
};

/*
 * Event: the vCPU enters state at clock_ns, its thread having waited so long
 * since the last event.  Waiting while it was running counts as runnable, as
 * far as it was running.  The sum of the times stays the entry time, mod 2^64,
 * and none of them nor the entry time goes back: while the clock is behind the
 * entry time, after it was set back, only the state changes.
 * Domain: both states below KC_NR_RUNSTATES.
 */
void kc_runstate_entered(struct kc_runstate *r, u32 state, u64 clock_ns,
			 u64 waited_ns);

#endif
