// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "gen.h"

struct kc_host gen_host(struct in *in)
{
	static const u32 usual[] = {
		1, 2, 999, 1000, 1000000, 1193182, 1996249, 2000000, 2099999,
		2100000, 2394454, 2500000, 2599998, 2999999, 3000000, 4200000,
		7999999, 8000000,
	};
	u64 how = in_below(in, 8);
	struct kc_host host;

	if (how < 3)
		host.khz = usual[in_below(in, sizeof(usual) / sizeof(*usual))];
	else if (how < 6)
		host.khz = in_range(in, 1000000, 5000000);
	else
		host.khz = in_range(in, 1, 8000000);
	host.frac_bits = in_once_in(in, 2) ? 48 : 32;
	return host;
}

u64 gen_ratio(struct in *in, const struct kc_host *host)
{
	u64 one = 1ULL << host->frac_bits;
	u64 how = in_below(in, 8);

	if (how < 2)
		return one;
	if (how < 4)
		return one + in_below(in, 201) * (one / 1000000) -
		       100 * (one / 1000000);
	return in_range(in, one / 10, 8 * one);
}

struct kc_rate gen_rate(struct in *in)
{
	struct kc_rate rate;

	if (in_once_in(in, 4))
		rate.mul = in_u64(in);
	else
		rate.mul = in_range(in, 1ULL << 31, 0xffffffff);
	if (!rate.mul)
		rate.mul = 1;
	if (in_once_in(in, 4))
		rate.shift = (int)in_below(in, 63) - 31;
	else
		rate.shift = (int)in_below(in, 7) - 3;
	return rate;
}

struct kc_rate gen_rate_near(struct in *in, struct kc_rate rate)
{
	u8 down = in_below(in, 5);
	u64 how = in_below(in, 4);

	if (rate.shift + down > 31)
		down = 0;
	rate.mul >>= down;
	rate.shift += down;
	if (how == 1)
		rate.mul += (int)in_below(in, 33) - 16;
	if (how == 2)
		rate.mul += (int)in_below(in, 0x2001) - 0x1000;
	if (how == 3)
		rate.mul ^= in_u64(in);
	if (!rate.mul)
		rate.mul = 1;
	return rate;
}

struct kc_line gen_line(struct in *in)
{
	struct kc_line line = { .t0_gtsc = in_u64(in) };

	line.n0_ns = in_u64(in);
	line.rate = gen_rate(in);
	return line;
}

u64 gen_ticks(struct in *in, struct kc_rate rate)
{
	u8 lost = rate.shift > 0 ? rate.shift : 0;

	return in_u64(in) >> lost;
}

bool is_same_line(struct kc_line a, struct kc_line b)
{
	return a.t0_gtsc == b.t0_gtsc && a.n0_ns == b.n0_ns &&
	       a.rate.mul == b.rate.mul && a.rate.shift == b.rate.shift;
}
