// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The guest's formula, and laws 2 and 3. */
#include "gen.h"
#include "oracle.h"

void law_line_read(struct in *in)
{
	struct kc_line line = gen_line(in);
	u64 gtsc = in_once_in(in, 2) ? in_u64(in) :
		   line.t0_gtsc + gen_ticks(in, line.rate);

	AGREES(kc_line_read_floor_ns(&line, gtsc), oracle_line_read(line, gtsc));
}

void law_line_rebase(struct in *in)
{
	struct kc_line line = gen_line(in), moved;
	u64 ticks = gen_ticks(in, line.rate);
	u64 later = gen_ticks(in, line.rate);
	u8 step = kc_line_step_log2(line.rate);

	if (later < ticks) {
		u64 x = later;

		later = ticks;
		ticks = x;
	}
	moved = kc_line_rebased(line, line.t0_gtsc + ticks);
	in_hash(in, moved.n0_ns);
	CHECK(moved.rate.mul == line.rate.mul &&
	      moved.rate.shift == line.rate.shift, "the slope changed");
	CHECK(moved.t0_gtsc - line.t0_gtsc <= ticks, "past gtsc");
	CHECK((line.t0_gtsc + ticks - moved.t0_gtsc) >> step == 0,
	      "a whole step short of gtsc");
	CHECK(kc_line_read_floor_ns(&line, line.t0_gtsc + later) ==
	      kc_line_read_floor_ns(&moved, line.t0_gtsc + later),
	      "a reading moved");
	AGREES(kc_line_read_floor_ns(&moved, line.t0_gtsc + ticks),
	       oracle_line_read(line, line.t0_gtsc + ticks));
	AGREES(kc_line_read_floor_ns(&moved, line.t0_gtsc + later),
	       oracle_line_read(line, line.t0_gtsc + later));
}

/* By the definition, and by a reading that half a step would move. */
void law_line_step(struct in *in)
{
	struct kc_rate rate = gen_rate(in);
	struct kc_line line = { .rate = rate }, half = { .rate = rate };
	u8 step = kc_line_step_log2(rate);

	in_hash(in, step);
	CHECK(step <= 63, "2^%u ticks", step);
	ORACLE_CHECK(oracle_is_step(rate, step), "2^%u ticks are not", step);
	if (!step)
		return;
	ORACLE_CHECK(!oracle_is_step(rate, step - 1), "2^%u is not smallest", step);
	half.t0_gtsc = 1ULL << (step - 1);
	half.n0_ns = kc_line_read_floor_ns(&line, half.t0_gtsc);
	CHECK(kc_line_read_floor_ns(&half, 1ULL << step) !=
	      kc_line_read_floor_ns(&line, 1ULL << step),
	      "half of 2^%u moves no reading", step);
}

void law_line_translate(struct in *in)
{
	struct kc_line line = gen_line(in), ahead;
	u64 delta = in_u64(in), gtsc = in_u64(in);

	ahead = kc_line_translated(line, delta);
	AGREES(kc_line_read_floor_ns(&ahead, gtsc + delta),
	       oracle_line_read(line, gtsc));
	AGREES(ahead.t0_gtsc, line.t0_gtsc + delta);
	AGREES(ahead.n0_ns, line.n0_ns);
}
