// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "move.h"

#define SLOPE_TOLERANCE_HZ 1000

u64 kc_rate_hz_floor(struct kc_rate rate)
{
	struct kc_u128 second = { .hi = 0, .lo = KC_NS_PER_S };

	return kc_div_floor(kc_shl(second, 32 - rate.shift), rate.mul);
}

static struct kc_rate normal(struct kc_rate rate)
{
	u8 up = __builtin_clz(rate.mul);

	rate.mul <<= up;
	rate.shift -= up;
	return rate;
}

bool kc_rate_is_within_2ppb(struct kc_rate a, struct kc_rate b)
{
	u64 x, y, apart;

	if (!a.mul || !b.mul)
		return false;
	a = normal(a);
	b = normal(b);
	if (a.shift - b.shift > 1 || b.shift - a.shift > 1)
		return false;
	x = (u64)a.mul << (a.shift > b.shift);
	y = (u64)b.mul << (b.shift > a.shift);
	apart = x > y ? x - y : y - x;
	return apart < 2ULL << 33 && apart * KC_NS_PER_S <= 2 * y;
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

bool kc_master_line_set(struct kc_master *m, struct kc_reading now,
			struct kc_tsc tsc, struct kc_line line)
{
	struct kc_rate exact = kc_rate_of_tsc_nearest(&m->host, tsc.ratio);

	u64 gtsc = kc_tsc_read_floor(&m->host, tsc, now.htsc);
	u64 clock_ns = kc_line_read_floor_ns(&line, gtsc);

	if (!(line.rate.mul >> 31) || !kc_rate_is_within_2ppb(line.rate, exact))
		line = (struct kc_line) { gtsc, clock_ns, exact };
	if (clock_ns != kc_master_read_floor_ns(m, now))
		m->shown_ns = 0;
	m->base_offset_ns = clock_ns - (u64)now.raw_ns;
	m->line = kc_line_translated(line, m->generation.offset_gtsc -
					   tsc.offset_gtsc);
	return true;
}
