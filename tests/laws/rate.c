// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Law 4. */
#include "gen.h"
#include "move.h"
#include "oracle.h"

static void hash_rate(struct in *in, struct kc_rate rate)
{
	in_hash(in, (u64)rate.mul << 8 | (u8)rate.shift);
}

static int log2_floor(struct kc_u128 x)
{
	return 127 - (x.hi ? __builtin_clzll(x.hi) : 64 + __builtin_clzll(x.lo));
}

static struct kc_u128 half(struct kc_u128 x)
{
	x.lo = x.lo >> 1 | x.hi << 63;
	x.hi >>= 1;
	return x;
}

/*
 * The greatest num of which num / den is not above an odd number of 2^-33: most
 * are below a tie by less than the high words of both can tell.
 */
static struct kc_u128 next_to_a_tie(struct in *in, struct kc_u128 den)
{
	u64 odd = 1ULL << 32 | in_u64(in) >> 32 | 1;
	struct kc_u128 num = kc_shl(kc_mul(odd, den.hi), 31);
	struct kc_u128 low = kc_mul(odd, den.lo);
	u64 more = low.hi << 31 | low.lo >> 33;

	num.lo += more;
	num.hi += num.lo < more;
	return num;
}

/* num / den in (2^-32, 2^31), by their widths. */
void law_rate_nearest(struct in *in)
{
	struct kc_u128 num = { 0 }, den = { 0 };
	struct kc_rate rate;

	num.lo = in_u64(in);
	den.lo = in_u64(in);
	if (in_once_in(in, 2))
		num.hi = in_u64(in);
	if (in_once_in(in, 2))
		den.hi = in_u64(in);
	if (in_once_in(in, 4)) {
		den.hi |= 1ULL << 63;
		num = next_to_a_tie(in, den);
	}
	REQUIRE((num.hi || num.lo) && (den.hi || den.lo));
	while (log2_floor(num) - log2_floor(den) > 30)
		num = half(num);
	while (log2_floor(num) - log2_floor(den) < -31)
		den = half(den);
	ORACLE_CHECK(oracle_is_in_rate_domain(num, den), "not the domain");
	rate = kc_rate_nearest(num, den);
	hash_rate(in, rate);
	ORACLE_CHECK(oracle_rate_is_nearest(rate, num, den),
		     "mul %#x shift %d of %#llx:%llx / %#llx:%llx", rate.mul,
		     rate.shift, num.hi, num.lo, den.hi, den.lo);
}

void law_rate_of_tsc(struct in *in)
{
	struct kc_host host = gen_host(in);
	u64 ratio = gen_ratio(in, &host);
	struct kc_rate rate;

	if (in_once_in(in, 8)) {	/* down to 1 Hz, up to 2^32 kHz */
		ratio = in_u64(in) >> (60 - host.frac_bits);
		REQUIRE(ratio > (1ULL << host.frac_bits) / host.khz / 1000 &&
			ratio / host.khz < 1ULL << host.frac_bits &&
			kc_mul_shr_floor(host.khz, ratio, host.frac_bits) >> 32 == 0);
	}
	rate = kc_rate_of_tsc_nearest(&host, ratio);
	hash_rate(in, rate);
	CHECK(rate.shift >= -31 && rate.shift <= 31, "shift %d", rate.shift);
	ORACLE_CHECK(oracle_rate_is_nearest_to_tsc(rate, &host, ratio),
		     "mul %#x shift %d at %u kHz, ratio %#llx, F %u", rate.mul,
		     rate.shift, host.khz, ratio, host.frac_bits);
}

void law_rate_ns_to_ticks(struct in *in)
{
	u32 khz = in_range(in, 1, 0xffffffff);
	struct kc_rate rate = kc_rate_ns_to_ticks_nearest(khz);

	hash_rate(in, rate);
	ORACLE_CHECK(oracle_rate_is_nearest(rate, (struct kc_u128) { 0, khz },
					    (struct kc_u128) { 0, 1000000 }),
		     "mul %#x shift %d at %u kHz", rate.mul, rate.shift, khz);
}

void law_rate_hz(struct in *in)
{
	struct kc_rate rate = gen_rate(in);

	AGREES(kc_rate_hz_floor(rate), oracle_rate_hz(rate));
}

/* To the very edge: mul of the second is that of 2 ppb, give or take one. */
static struct kc_rate at_2ppb(struct in *in, struct kc_rate b)
{
	struct kc_rate a = b;
	u32 two_ppb = b.mul / 500000000;

	if (in_once_in(in, 2))
		a.mul += two_ppb + in_below(in, 3) - 1;
	else
		a.mul -= two_ppb + in_below(in, 3) - 1;
	return a;
}

void law_rate_2ppb(struct in *in)
{
	struct kc_rate b = gen_rate(in), a;
	u64 how = in_below(in, 8);

	if (in_once_in(in, 8)) {
		b.mul = in_below(in, 18) * 250000000;
		b.mul += in_below(in, 3) - 1;
	}
	if (how < 3)
		a = at_2ppb(in, b);
	else if (how < 6)
		a = gen_rate_near(in, b);
	else
		a = gen_rate(in);
	if (in_once_in(in, 64))
		a.mul = 0;
	AGREES(kc_rate_is_within_2ppb(a, b), oracle_is_within_2ppb(a, b));
	AGREES(kc_rate_is_within_2ppb(b, a), oracle_is_within_2ppb(b, a));
}
