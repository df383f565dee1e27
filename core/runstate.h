/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Xen's runstate: how long a vCPU was in each of four states. */
#ifndef KC_RUNSTATE_H
#define KC_RUNSTATE_H

#include "types.h"

/* Xen's numbers. */
enum kc_runstate {
	KC_RUNNING, KC_RUNNABLE, KC_BLOCKED, KC_OFFLINE, KC_NR_RUNSTATES
};

/*
 * Event: at clock_ns the vCPU leaves state, in which it was since entry_ns (0:
 * in none yet, it was offline); its thread waited so long since the last event.
 * Adds to the times and returns the entry time of what comes next.  Waiting
 * while it was running counts as runnable, as far as it was running.  The sum of
 * the times grows by what the entry time does, mod 2^64, and nothing goes back:
 * while the clock is behind the entry time, after it was set back, all stays.
 * Domain: state below KC_NR_RUNSTATES.
 */
u64 kc_runstate_left_ns(u64 time_ns[KC_NR_RUNSTATES], u32 state, u64 entry_ns,
			u64 clock_ns, u64 waited_ns);

#endif
