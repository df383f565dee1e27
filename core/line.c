// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "line.h"

static u64 ns_after_point_floor(struct kc_rate rate, u64 ticks)
{
	u64 shifted = rate.shift < 0 ? ticks >> -rate.shift
				     : ticks << rate.shift;

	return kc_mul_shr_floor(shifted, rate.mul, 32);
}

u64 kc_line_read_floor_ns(const struct kc_line *line, u64 gtsc)
{
	return line->n0_ns + ns_after_point_floor(line->rate,
						  gtsc - line->t0_gtsc);
}

struct kc_line kc_line_translated(struct kc_line line, u64 delta_gtsc)
{
	line.t0_gtsc += delta_gtsc;
	return line;
}

u8 kc_line_step_log2(struct kc_rate rate)
{
	int whole = 32 - kc_trailing_zeros_u32(rate.mul);	/* 2^whole * mul / 2^32 is one */

	if (rate.shift < 0)
		return whole - rate.shift;
	return whole > rate.shift ? whole - rate.shift : 0;
}

struct kc_line kc_line_rebased(struct kc_line line, u64 gtsc)
{
	u8 step = kc_line_step_log2(line.rate);
	u64 ticks = (gtsc - line.t0_gtsc) >> step << step;

	line.n0_ns += ns_after_point_floor(line.rate, ticks);
	line.t0_gtsc += ticks;
	return line;
}
