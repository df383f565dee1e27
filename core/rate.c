// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "rate.h"

static struct kc_u128 minus(struct kc_u128 x, struct kc_u128 y)
{
	x.hi -= y.hi + (x.lo < y.lo);
	x.lo -= y.lo;
	return x;
}

/*
 * With both top bits at 127 the quotient is in (1/2, 2): its first bit is known
 * from one comparison, the next 31 and the rounding come by long division.
 */
struct kc_rate kc_rate_nearest(struct kc_u128 num, struct kc_u128 den)
{
	u8 up_num = kc_leading_zeros(num), up_den = kc_leading_zeros(den);
	struct kc_rate rate = { .shift = up_den - up_num };
	u64 mul = 0;
	int bit;

	num = kc_shl(num, up_num);
	den = kc_shl(den, up_den);
	if (kc_not_below(num, den)) {
		num = minus(num, den);
		mul = 1;
		rate.shift++;
	}
	for (bit = mul ? 31 : 32; bit > -1; bit--) {
		bool carry = num.hi >> 63;

		num = kc_shl(num, 1);
		mul <<= 1;
		if (carry || kc_not_below(num, den)) {
			num = minus(num, den);
			mul |= 1;
		}
	}
	mul = (mul + 1) >> 1;
	if (mul >> 32) {
		mul >>= 1;
		rate.shift++;
	}
	rate.mul = mul;
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
