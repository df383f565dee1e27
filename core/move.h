/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A line that comes from elsewhere: whether it may be set, and setting it. */
#ifndef KC_MOVE_H
#define KC_MOVE_H

#include "master.h"
#include "pvclock.h"

/*
 * The frequency whose period is this rate in ns, rounded down, in Hz; all ones
 * if it needs more than 64 bits.  Domain: mul not 0, shift -31 to 31.
 */
u64 kc_rate_hz_floor(struct kc_rate rate);

/*
 * Do a and b differ by at most 2 ppb of b?  Any mul, also not in normal form;
 * no if either mul is 0.  Domain: shifts -31 to 31.
 */
bool kc_rate_is_within_2ppb(struct kc_rate a, struct kc_rate b);

enum kc_verdict { KC_OK, KC_INVALID, KC_OUT_OF_RANGE };

/*
 * May a line be set from page on a vCPU whose TSC reads gtsc and runs at exact?
 * KC_INVALID: a pad not 0, mul 0, shift outside [-31, 31], or gtsc below the
 * point by less than 2^63 ticks.  KC_OUT_OF_RANGE: the slope's frequency is
 * more than 1000 Hz from exact's.  Version and flags do not count.
 */
enum kc_verdict kc_pvclock_check(const struct kc_pvclock *page, u64 gtsc,
				 struct kc_rate exact);

/*
 * Event: the line was set, through a vCPU with this TSC.  It keeps its slope if
 * that is in normal form, so that no shift loses bits that the TSC's own would
 * not, and within 2 ppb of the TSC's; else it goes on from now with the TSC's.
 * Domain: master mode, a page that kc_pvclock_check passes.
 */
bool kc_master_line_set(struct kc_master *m, struct kc_reading now,
			struct kc_tsc tsc, struct kc_line line);

#endif
