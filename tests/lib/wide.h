/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The tests' own arithmetic, shared with nothing of core/: base 2^32, by the
 * school's methods where the compiler has no 128 bits.  The law `wide`
 * holds it against GMP.
 */
#ifndef LIBTEST_WIDE_H
#define LIBTEST_WIDE_H

#include "types.h"

/* floor(a * b / d) mod 2^64.  Domain: d not 0. */
u64 wide_muldiv(u64 a, u64 b, u64 d);

/* floor(a * b / 2^bits) mod 2^64.  Domain: bits 0 to 127. */
u64 wide_mulshr(u64 a, u64 b, unsigned int bits);

/* The same by the school's methods also where the compiler has 128 bits. */
u64 wide_muldiv_long(u64 a, u64 b, u64 d);
u64 wide_mulshr_long(u64 a, u64 b, unsigned int bits);

/* mul * 2^shift / 2^32 ns for one tick, mul in [2^31, 2^32). */
struct slope {
	u32 mul;
	s32 shift;
};

/* The slope of a TSC at ratio / 2^frac_bits of host_khz: the nearest, or rounded down. */
struct slope wide_slope(u32 host_khz, u64 ratio, unsigned int frac_bits, bool nearest);

/* What the guest's formula gives, with no bit of the product lost. */
u64 wide_line(u64 t0, u64 n0, struct slope slope, u64 t);

#endif
