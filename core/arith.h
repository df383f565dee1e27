/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * 128-bit arithmetic without the compiler's run-time library, the same on
 * 32-bit and 64-bit machines.  All functions are total over the domain that
 * is stated and exact but for the rounding in their name.
 */
#ifndef KC_ARITH_H
#define KC_ARITH_H

#include "types.h"

struct kc_u128 {
	u64 hi, lo;
};

/* a * b.  Domain: all. */
struct kc_u128 kc_mul(u64 a, u64 b);

/* The low 64 bits of floor(a * b / 2^bits).  Domain: bits 0 to 127. */
u64 kc_mul_shr_floor(u64 a, u64 b, u8 bits);

/* x << bits, high bits lost.  Domain: bits 0 to 127. */
struct kc_u128 kc_shl(struct kc_u128 x, u8 bits);

/* Zero bits above the highest set bit: 0 to 127.  Domain: x not 0. */
u8 kc_leading_zeros(struct kc_u128 x);

/* Zero bits below the lowest set bit: 0 to 31.  Domain: x not 0. */
u8 kc_trailing_zeros_u32(u32 x);

/* x >= y.  Domain: all. */
bool kc_not_below(struct kc_u128 x, struct kc_u128 y);

/* floor(x / d), all ones if that needs more than 64 bits.  Domain: d not 0. */
u64 kc_div_floor(struct kc_u128 x, u64 d);

/* floor(a * b / d), all ones if that needs more than 64 bits.  Domain: d not 0. */
u64 kc_mul_div_floor(u64 a, u64 b, u64 d);

#endif
