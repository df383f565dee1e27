/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A guest's TSC as a function of the host's. */
#ifndef KC_TSC_H
#define KC_TSC_H

#include "rate.h"

/* floor(htsc * ratio / 2^F) + offset_gtsc, mod 2^64. */
struct kc_tsc {
	u64 ratio;
	u64 offset_gtsc;
};

/* floor(htsc * ratio / 2^F) mod 2^64.  Domain: F up to 63. */
u64 kc_tsc_scale_floor(const struct kc_host *host, u64 ratio, u64 htsc);

/* What the guest's rdtsc gives at htsc. */
u64 kc_tsc_read_floor(const struct kc_host *host, struct kc_tsc tsc, u64 htsc);

/* The TSC of this ratio that reads gtsc at htsc, exactly. */
struct kc_tsc kc_tsc_through(const struct kc_host *host, u64 ratio, u64 htsc,
			     u64 gtsc);

/* floor(2^F * khz / host's khz), all ones if that needs more than 64 bits. */
u64 kc_tsc_ratio_floor(const struct kc_host *host, u32 khz);

/* Do two TSCs read the same at all times? */
bool kc_tsc_is_same(struct kc_tsc a, struct kc_tsc b);

/* Are a and b, two readings of one TSC, less than a second apart? */
bool kc_tsc_is_within_1s(const struct kc_host *host, u64 ratio, u64 a_gtsc,
			 u64 b_gtsc);

/*
 * Where a TSC of khz should be at now_ns, given that it was at ref_gtsc at
 * ref_ns.  A now_ns before ref_ns gives ref_gtsc: never backwards.
 * Domain: khz not 0; exact while the elapsed ticks have no more than 64 bits.
 */
u64 kc_tsc_caught_up_floor(u64 ref_gtsc, s64 ref_ns, s64 now_ns, u32 khz);

#endif
