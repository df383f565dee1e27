// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <gmp.h>
#include "oracle.h"

/* A rate is mul * 2^shift / 2^32; num and den are what it should be. */
static mpz_t num, den, is, unit, error, left, right;

__attribute__((constructor)) static void make(void)
{
	mpz_inits(num, den, is, unit, error, left, right, NULL);
}

static void set_u128(mpz_t to, struct kc_u128 x)
{
	mpz_set_ui(to, x.hi);
	mpz_mul_2exp(to, to, 64);
	mpz_add_ui(to, to, x.lo);
}

bool oracle_is_in_rate_domain(struct kc_u128 over, struct kc_u128 under)
{
	set_u128(num, over);
	set_u128(den, under);
	if (!mpz_sgn(num) || !mpz_sgn(den))
		return false;
	mpz_mul_2exp(left, num, 32);
	mpz_mul_2exp(right, den, 31);
	return mpz_cmp(left, den) >= 0 && mpz_cmp(num, right) < 0;
}

/*
 * All times den * 2^32, and 2^-shift if that is positive: the rate is mul
 * units, one unit is den * 2^shift, the truth num * 2^32.
 */
static bool is_nearest(struct kc_rate rate)
{
	if (!(rate.mul >> 31))
		return false;
	mpz_mul_2exp(unit, den, rate.shift > 0 ? rate.shift : 0);
	mpz_mul_2exp(right, num, 32 + (rate.shift < 0 ? -rate.shift : 0));
	mpz_mul_ui(is, unit, rate.mul);
	mpz_sub(error, is, right);

	mpz_mul_2exp(left, error, 32);		/* relative: 2^-32 of the truth */
	if (mpz_cmpabs(left, right) > 0)
		return false;
	if (mpz_sgn(error) < 0) {		/* below: a tie would be up */
		mpz_mul_2exp(left, error, 1);
		return mpz_cmpabs(left, unit) < 0;
	}
	/* below 2^31 units are half as large */
	mpz_mul_2exp(left, error, rate.mul == 1U << 31 ? 2 : 1);
	return mpz_cmp(left, unit) <= 0;
}

bool oracle_rate_is_nearest(struct kc_rate rate, struct kc_u128 over,
			    struct kc_u128 under)
{
	set_u128(num, over);
	set_u128(den, under);
	return is_nearest(rate);
}

bool oracle_rate_is_nearest_to_tsc(struct kc_rate rate,
				   const struct kc_host *host, u64 ratio)
{
	mpz_set_ui(num, 1000000000);
	mpz_mul_2exp(num, num, host->frac_bits);
	mpz_set_ui(den, host->khz);
	mpz_mul_ui(den, den, 1000);
	mpz_mul_ui(den, den, ratio);
	return is_nearest(rate);
}

/* mul * 2^(shift + 64): whole for every shift down to -64. */
static void set_rate(mpz_t to, struct kc_rate rate)
{
	mpz_set_ui(to, rate.mul);
	mpz_mul_2exp(to, to, rate.shift + 64);
}

u64 oracle_rate_hz(struct kc_rate rate)
{
	mpz_set_ui(num, 1000000000);
	mpz_mul_2exp(num, num, 32 + 64);
	set_rate(den, rate);
	mpz_fdiv_q(num, num, den);
	return mpz_sizeinbase(num, 2) > 64 ? ~0ULL : mpz_get_ui(num);
}

bool oracle_is_within_2ppb(struct kc_rate a, struct kc_rate b)
{
	if (!a.mul || !b.mul)
		return false;
	set_rate(left, a);
	set_rate(right, b);
	mpz_sub(error, left, right);
	mpz_abs(error, error);
	mpz_mul_ui(error, error, 1000000000);
	mpz_mul_2exp(right, right, 1);
	return mpz_cmp(error, right) <= 0;
}

bool oracle_is_apart_by(struct kc_rate a, struct kc_rate b, u32 hz)
{
	set_rate(left, a);
	set_rate(right, b);
	mpz_sub(error, left, right);
	mpz_abs(error, error);
	mpz_mul_ui(error, error, 1000000000);
	mpz_mul_2exp(error, error, 32 + 64);
	mpz_mul(left, left, right);
	mpz_mul_ui(left, left, hz);
	return mpz_cmp(error, left) >= 0;
}
