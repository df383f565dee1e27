// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "pvclock.h"

#define SLOPE_TOLERANCE_HZ 1000

struct kc_pvclock kc_pvclock_of_line(const struct kc_line *line, u8 flags)
{
	return (struct kc_pvclock) {
		.tsc_timestamp = line->t0_gtsc,
		.system_time = line->n0_ns,
		.tsc_to_system_mul = line->rate.mul,
		.tsc_shift = line->rate.shift,
		.flags = flags,
	};
}

struct kc_line kc_pvclock_line(const struct kc_pvclock *page)
{
	return (struct kc_line) {
		.t0_gtsc = page->tsc_timestamp,
		.n0_ns = page->system_time,
		.rate = { page->tsc_to_system_mul, page->tsc_shift },
	};
}

bool kc_pvclock_is_same(const struct kc_pvclock *a, const struct kc_pvclock *b)
{
	return a->tsc_timestamp == b->tsc_timestamp &&
	       a->system_time == b->system_time &&
	       a->tsc_to_system_mul == b->tsc_to_system_mul &&
	       a->tsc_shift == b->tsc_shift && a->flags == b->flags;
}

enum kc_verdict kc_pvclock_check(const struct kc_pvclock *page, u64 gtsc,
				 struct kc_rate exact)
{
	u64 is_hz, should_hz;

	if (page->pad0 || page->pad[0] || page->pad[1] ||
	    !page->tsc_to_system_mul ||
	    page->tsc_shift < -31 || page->tsc_shift > 31 ||
	    (s64)(gtsc - page->tsc_timestamp) < 0)
		return KC_INVALID;
	is_hz = kc_rate_hz_floor(kc_pvclock_line(page).rate);
	should_hz = kc_rate_hz_floor(exact);
	if ((is_hz > should_hz ? is_hz - should_hz : should_hz - is_hz) >
	    SLOPE_TOLERANCE_HZ)
		return KC_OUT_OF_RANGE;
	return KC_OK;
}
