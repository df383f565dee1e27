// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <gmp.h>
#include "oracle.h"

/* Made once: a case allocates nothing. */
static mpz_t a, b, c, d, e;

__attribute__((constructor)) static void make(void)
{
	mpz_inits(a, b, c, d, e, NULL);
}

static void set_u128(mpz_t to, struct kc_u128 x)
{
	mpz_set_ui(to, x.hi);
	mpz_mul_2exp(to, to, 64);
	mpz_add_ui(to, to, x.lo);
}

static u64 low_word(mpz_t x)
{
	mpz_fdiv_r_2exp(e, x, 64);
	return mpz_get_ui(e);
}

static u64 high_word(mpz_t x)
{
	mpz_fdiv_q_2exp(e, x, 64);
	return low_word(e);
}

static u64 saturated(mpz_t x)
{
	return mpz_sizeinbase(x, 2) > 64 ? ~0ULL : low_word(x);
}

/* x * 2^bits, rounded down. */
static void scale_2exp(mpz_t x, int bits)
{
	if (bits < 0)
		mpz_fdiv_q_2exp(x, x, -bits);
	else
		mpz_mul_2exp(x, x, bits);
}

static void product(u64 x, u64 y)
{
	mpz_set_ui(a, x);
	mpz_mul_ui(a, a, y);
}

u64 oracle_mul_high(u64 x, u64 y)
{
	product(x, y);
	return high_word(a);
}

u64 oracle_mul_low(u64 x, u64 y)
{
	product(x, y);
	return low_word(a);
}

u64 oracle_mul_shr(u64 x, u64 y, unsigned int bits)
{
	product(x, y);
	mpz_fdiv_q_2exp(a, a, bits);
	return low_word(a);
}

u64 oracle_shl_high(struct kc_u128 x, unsigned int bits)
{
	set_u128(a, x);
	mpz_mul_2exp(a, a, bits);
	return high_word(a);
}

u64 oracle_shl_low(struct kc_u128 x, unsigned int bits)
{
	set_u128(a, x);
	mpz_mul_2exp(a, a, bits);
	return low_word(a);
}

int oracle_compare(struct kc_u128 x, struct kc_u128 y)
{
	int order;

	set_u128(a, x);
	set_u128(b, y);
	order = mpz_cmp(a, b);
	return (order > 0) - (order < 0);
}

unsigned int oracle_bits(struct kc_u128 x)
{
	set_u128(a, x);
	return mpz_sgn(a) ? mpz_sizeinbase(a, 2) : 0;
}

unsigned int oracle_trailing_zeros(u64 x)
{
	mpz_set_ui(a, x);
	return mpz_scan1(a, 0);
}

u64 oracle_div(struct kc_u128 x, u64 by)
{
	set_u128(a, x);
	mpz_fdiv_q_ui(a, a, by);
	return saturated(a);
}

u64 oracle_mul_div(u64 x, u64 y, u64 by)
{
	product(x, y);
	mpz_fdiv_q_ui(a, a, by);
	return saturated(a);
}

u64 oracle_line_read(struct kc_line line, u64 gtsc)
{
	mpz_set_ui(a, gtsc);
	mpz_sub_ui(a, a, line.t0_gtsc);
	mpz_fdiv_r_2exp(a, a, 64);
	scale_2exp(a, line.rate.shift);
	mpz_fdiv_r_2exp(a, a, 64);
	mpz_mul_ui(a, a, line.rate.mul);
	mpz_fdiv_q_2exp(a, a, 32);
	mpz_add_ui(a, a, line.n0_ns);
	return low_word(a);
}

bool oracle_is_step(struct kc_rate rate, unsigned int log2)
{
	mpz_set_ui(a, 1);
	mpz_mul_2exp(a, a, log2);
	if (rate.shift < 0 && !mpz_divisible_2exp_p(a, -rate.shift))
		return false;
	scale_2exp(a, rate.shift);
	mpz_mul_ui(a, a, rate.mul);
	return mpz_divisible_2exp_p(a, 32);
}

u64 oracle_tsc_read(const struct kc_host *host, struct kc_tsc tsc, u64 htsc)
{
	product(htsc, tsc.ratio);
	mpz_fdiv_q_2exp(a, a, host->frac_bits);
	mpz_add_ui(a, a, tsc.offset_gtsc);
	return low_word(a);
}

u64 oracle_tsc_ratio(const struct kc_host *host, u32 khz)
{
	mpz_set_ui(a, khz);
	mpz_mul_2exp(a, a, host->frac_bits);
	mpz_fdiv_q_ui(a, a, host->khz);
	return saturated(a);
}

bool oracle_is_within_1s(const struct kc_host *host, u64 ratio, u64 x, u64 y)
{
	product(ratio, host->khz);
	mpz_mul_ui(a, a, 1000);
	mpz_fdiv_q_2exp(a, a, host->frac_bits);
	mpz_set_ui(b, x);
	mpz_sub_ui(b, b, y);
	mpz_abs(b, b);
	mpz_set_ui(c, 1);
	mpz_mul_2exp(c, c, 64);
	mpz_sub(c, c, b);		/* the way round */
	return mpz_cmp(b, a) < 0 || mpz_cmp(c, a) < 0;
}

u64 oracle_caught_up(u64 ref_gtsc, s64 ref_ns, s64 now_ns, u32 khz)
{
	mpz_set_si(a, now_ns);
	mpz_set_si(b, ref_ns);
	mpz_sub(a, a, b);
	if (mpz_sgn(a) < 0)
		return ref_gtsc;
	mpz_mul_ui(a, a, khz);
	mpz_fdiv_q_ui(a, a, 1000000);
	mpz_add_ui(a, a, ref_gtsc);
	return low_word(a);
}
