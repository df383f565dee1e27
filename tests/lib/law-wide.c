// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The tests' arithmetic against GMP, and their simulated slopes. */
#include "check.h"
#if HAVE_ORACLE
#include <gmp.h>
#endif

#if HAVE_ORACLE
static void set(mpz_t z, u64 x)
{
	mpz_import(z, 1, 1, sizeof(x), 0, 0, &x);
}

static u64 low(const mpz_t z)
{
	mpz_t r;
	u64 x = 0;

	mpz_init(r);
	mpz_fdiv_r_2exp(r, z, 64);
	mpz_export(&x, NULL, 1, sizeof(x), 0, 0, r);
	mpz_clear(r);
	return x;
}

/* The nearest mul at this shift, a tie up: floor(2 num / den + 1) / 2. */
static u64 mul_nearest(u32 khz, u64 ratio, unsigned int frac_bits, int shift)
{
	mpz_t num, den;
	u64 mul;

	mpz_inits(num, den, NULL);
	set(num, 1000000000);
	mpz_mul_2exp(num, num, frac_bits + 64);
	set(den, ratio);
	mpz_mul_ui(den, den, khz);
	mpz_mul_ui(den, den, 1000);
	mpz_mul_2exp(den, den, (mp_bitcnt_t)(32 + shift));
	mpz_mul_2exp(num, num, 1);
	mpz_add(num, num, den);
	mpz_mul_2exp(den, den, 1);
	mpz_fdiv_q(num, num, den);
	mul = low(num);
	mpz_clears(num, den, NULL);
	return mul;
}

static u64 product_over(u64 a, u64 b, u64 d, unsigned int bits)
{
	mpz_t x, y;
	u64 r;

	mpz_inits(x, y, NULL);
	set(x, a);
	set(y, b);
	mpz_mul(x, x, y);
	set(y, d);
	mpz_mul_2exp(y, y, bits);
	mpz_fdiv_q(x, x, y);
	r = low(x);
	mpz_clears(x, y, NULL);
	return r;
}
#endif

#if !HAVE_ORACLE
static u64 product_over(u64 a, u64 b, u64 d, unsigned int bits)
{
	return a ^ b ^ d ^ bits;	/* not asked for */
}

static u64 mul_nearest(u32 khz, u64 ratio, unsigned int frac_bits, int shift)
{
	return khz ^ ratio ^ frac_bits ^ (u64)shift;
}
#endif

void law_wide(struct in *in)
{
	u64 a = in_u64(in), b = in_u64(in), d = in_u64(in) | 1, ratio = in_range(in, 1ull << 30, 1ull << 34);
	unsigned int bits = (unsigned int)in_below(in, 128), frac_bits = in_once_in(in, 2) ? 32 : 48;
	u32 khz = (u32)in_range(in, 1000, 10000000);
	struct slope slope = wide_slope(khz, ratio << (frac_bits - 32), frac_bits, true);

	AGREES(wide_muldiv(a, b, d), product_over(a, b, d, 0));
	AGREES(wide_mulshr(a, b, bits), product_over(a, b, 1, bits));
	AGREES(wide_muldiv_long(a, b, d), product_over(a, b, d, 0));
	AGREES(wide_mulshr_long(a, b, bits), product_over(a, b, 1, bits));
	CHECK(slope.mul >> 31, "mul %#x", slope.mul);
	ORACLE_CHECK(mul_nearest(khz, ratio << (frac_bits - 32), frac_bits, slope.shift) == slope.mul,
		     "mul %#x, shift %d", slope.mul, slope.shift);
}
