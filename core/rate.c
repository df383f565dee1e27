// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "rate.h"

/*
 * With both top bits at 127 the quotient is in (1/2, 2): 32 or 33 bits after the
 * point are 33 in all, the last for the rounding.  What the high words alone give
 * is right or one too many, which their remainder and the low words tell.
 */
__attribute__((flatten)) struct kc_rate kc_rate_nearest(struct kc_u128 num, struct kc_u128 den)
{
	u8 up_num = kc_leading_zeros(num), up_den = kc_leading_zeros(den), up;
	struct kc_rate rate = { .shift = up_den - up_num };
	struct kc_u128 high, rest;
	u64 mul;

	num = kc_shl(num, up_num);
	den = kc_shl(den, up_den);
	up = kc_not_below(num, den) ? 32 : 33;
	high = (struct kc_u128) { num.hi >> (64 - up), num.hi << up | num.lo >> (64 - up) };
	mul = kc_div_floor(high, den.hi);
	rest = (struct kc_u128) { high.lo - mul * den.hi, num.lo << up };
	mul -= !kc_not_below(rest, kc_mul(mul, den.lo));
	mul = (mul + 1) >> 1;
	rate.shift += 33 - up + (mul >> 32);
	rate.mul = mul >> (mul >> 32);
	return rate;
}

struct kc_rate kc_rate_of_tsc_nearest(const struct kc_host *host, u64 ratio)
{
	struct kc_u128 period = { .hi = 0, .lo = KC_NS_PER_S };

	return kc_rate_nearest(kc_shl(period, host->frac_bits), kc_mul(host->khz * 1000ULL, ratio));
}

struct kc_rate kc_rate_ns_to_ticks_nearest(u32 khz)
{
	struct kc_u128 ticks = { .hi = 0, .lo = khz };
	struct kc_u128 ns = { .hi = 0, .lo = 1000000 };

	return kc_rate_nearest(ticks, ns);
}
