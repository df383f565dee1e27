// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "pvclock.h"

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
