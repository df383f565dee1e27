/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A rate is the slope of a line as a guest's page holds it: mul * 2^shift /
 * 2^32 units out for one unit in.  Its normal form has mul in [2^31, 2^32).
 */
#ifndef KC_RATE_H
#define KC_RATE_H

#include "arith.h"

#define KC_NS_PER_S 1000000000ULL

struct kc_rate {
	u32 mul;
	s8 shift;
};

/* What a host's CPUs count with.  Both are facts of the host. */
struct kc_host {
	u32 khz;	/* of the host TSC, 1 or more */
	u8 frac_bits;	/* F: 48 on VMX, 32 on SVM */
};

/*
 * The rate nearest to num / den, in normal form, rounded once; a tie goes up.
 * Relative error at most 2^-32.
 * Domain: num and den not 0; num / den in [2^-32, 2^31).
 */
struct kc_rate kc_rate_nearest(struct kc_u128 num, struct kc_u128 den);

/*
 * Guest ticks to ns at a TSC scaled by ratio / 2^F: 10^9 * 2^F / (hz * ratio),
 * rounded once (law 4).  ratio not 0; the guest's frequency below 2^32 kHz
 * and not below 1 Hz.
 */
struct kc_rate kc_rate_of_tsc_nearest(const struct kc_host *host, u64 ratio);

/* ns to ticks of a counter of khz, rounded once.  Domain: khz not 0. */
struct kc_rate kc_rate_ns_to_ticks_nearest(u32 khz);

#endif
