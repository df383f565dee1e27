/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The line over a guest's TSC that a guest reads its time from. */
#ifndef KC_LINE_H
#define KC_LINE_H

#include "rate.h"

struct kc_line {
	u64 t0_gtsc;	/* the point: guest ticks, mod 2^64 */
	u64 n0_ns;	/* the point: ns, mod 2^64 */
	struct kc_rate rate;
};

/*
 * n0 + floor(S(gtsc - t0) * mul / 2^32) ns, mod 2^64, S a shift left by shift,
 * or right by -shift with bits lost: bit for bit what the guest computes.
 * Domain: shift -31 to 31.  Exact while S(gtsc - t0) has no more than 64 bits.
 */
u64 kc_line_read_floor_ns(const struct kc_line *line, u64 gtsc);

/* The same line for a TSC that is ahead by delta ticks (law 3).  Domain: all. */
struct kc_line kc_line_translated(struct kc_line line, u64 delta_gtsc);

/*
 * log2 of q, the smallest step in ticks by which the point may move without a
 * reading changing (law 2).  0 to 63.  Domain: mul not 0, shift -31 to 31.
 */
u8 kc_line_step_log2(struct kc_rate rate);

/*
 * The line with its point moved as near to gtsc as whole steps allow, but not
 * past it; every reading at or after gtsc stays (law 2).
 * Domain: as kc_line_read_floor_ns, mul not 0.
 */
struct kc_line kc_line_rebased(struct kc_line line, u64 gtsc);

#endif
