// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "laws.h"
#include "oracle.h"

static struct kc_u128 any_u128(struct in *in)
{
	struct kc_u128 x = { .hi = in_u64(in) };

	x.lo = in_u64(in);
	return x;
}

void law_mul(struct in *in)
{
	u64 a = in_u64(in), b = in_u64(in);
	u8 bits = in_below(in, 128);
	struct kc_u128 r = kc_mul(a, b);

	AGREES(r.hi, oracle_mul_high(a, b));
	AGREES(r.lo, oracle_mul_low(a, b));
	AGREES(kc_mul_shr_floor(a, b, bits), oracle_mul_shr(a, b, bits));
}

void law_bits(struct in *in)
{
	struct kc_u128 x = any_u128(in), y = any_u128(in), r;
	u8 bits = in_below(in, 128);

	if (in_once_in(in, 4))
		y.hi = x.hi;
	if (in_once_in(in, 16))
		y.lo = x.lo;
	r = kc_shl(x, bits);
	AGREES(r.hi, oracle_shl_high(x, bits));
	AGREES(r.lo, oracle_shl_low(x, bits));
	AGREES(kc_not_below(x, y), oracle_compare(x, y) >= 0);
	if (x.hi || x.lo)
		AGREES(kc_leading_zeros(x), 128 - oracle_bits(x));
	if ((u32)x.lo)
		AGREES(kc_trailing_zeros_u32(x.lo),
		       oracle_trailing_zeros((u32)x.lo));
}

void law_div(struct in *in)
{
	struct kc_u128 x = any_u128(in);
	u64 d = in_u64(in), b = in_u64(in);

	REQUIRE(d);
	if (in_once_in(in, 2))
		x.hi %= d;	/* the quotient has no more than 64 bits */
	else if (in_once_in(in, 4))
		x.hi = d;	/* just more */
	AGREES(kc_div_floor(x, d), oracle_div(x, d));
	AGREES(kc_mul_div_floor(x.lo, b, d), oracle_mul_div(x.lo, b, d));
}
