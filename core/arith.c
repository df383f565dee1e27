// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "arith.h"

#ifdef __SIZEOF_INT128__
struct kc_u128 kc_mul(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (struct kc_u128) { .hi = product >> 64, .lo = product };
}
#else
struct kc_u128 kc_mul(u64 a, u64 b)
{
	u64 a0 = (u32)a, a1 = a >> 32, b0 = (u32)b, b1 = b >> 32;
	u64 low = a0 * b0;
	u64 mid = a1 * b0 + (low >> 32);	/* at most 2^64 - 2^32 */
	u64 mid2 = a0 * b1 + (u32)mid;
	struct kc_u128 r;

	r.hi = a1 * b1 + (mid >> 32) + (mid2 >> 32);
	r.lo = mid2 << 32 | (u32)low;
	return r;
}
#endif

u64 kc_mul_shr_floor(u64 a, u64 b, u8 bits)
{
	struct kc_u128 r = kc_mul(a, b);

	if (bits >= 64)
		return r.hi >> (bits - 64);
	return bits ? r.hi << (64 - bits) | r.lo >> bits : r.lo;
}

struct kc_u128 kc_shl(struct kc_u128 x, u8 bits)
{
	if (bits >= 64) {
		x.hi = x.lo << (bits - 64);
		x.lo = 0;
	} else if (bits) {
		x.hi = x.hi << bits | x.lo >> (64 - bits);
		x.lo <<= bits;
	}
	return x;
}

u8 kc_leading_zeros(struct kc_u128 x)
{
	u64 word = x.hi ? x.hi : x.lo;

	return (x.hi ? 0 : 64) + __builtin_clzll(word);
}

u8 kc_trailing_zeros_u32(u32 x)
{
	return __builtin_ctz(x);
}

bool kc_not_below(struct kc_u128 x, struct kc_u128 y)
{
	return x.hi > y.hi || (x.hi == y.hi && x.lo >= y.lo);
}

#if defined(__x86_64__) && defined(__SIZEOF_INT128__)
/* One instruction, which C has no name for without the compiler's library. */
u64 kc_div_floor(struct kc_u128 x, u64 d)
{
	u64 quotient, rest;

	if (x.hi >= d)
		return ~0ULL;
	__asm__("divq %4" : "=a"(quotient), "=d"(rest) : "a"(x.lo), "d"(x.hi), "r"(d) : "cc");
	return quotient;
}
#else
/* Long division, a bit at a time. */
u64 kc_div_floor(struct kc_u128 x, u64 d)
{
	u64 rest = x.hi, quotient = 0;
	int bit;

	if (rest >= d)
		return ~0ULL;
	for (bit = 63; bit >= 0; bit--) {
		bool carry = rest >> 63;

		rest = rest << 1 | (x.lo >> bit & 1);
		quotient <<= 1;
		if (carry || rest >= d) {
			rest -= d;
			quotient |= 1;
		}
	}
	return quotient;
}
#endif

u64 kc_mul_div_floor(u64 a, u64 b, u64 d)
{
	return kc_div_floor(kc_mul(a, b), d);
}
