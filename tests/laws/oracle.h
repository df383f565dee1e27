/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The oracle: the definitions of clock.md over GMP's integers.  Rationals are
 * compared by cross multiplication, so nothing is rounded.  Numbers "mod 2^64"
 * are reduced only at the end.  Nothing here calls core.
 */
#ifndef LAWS_ORACLE_H
#define LAWS_ORACLE_H

#include "line.h"
#include "pvclock.h"
#include "tsc.h"

/* a * b, and its high and low word. */
u64 oracle_mul_high(u64 a, u64 b);
u64 oracle_mul_low(u64 a, u64 b);

/* floor(a * b / 2^bits) mod 2^64. */
u64 oracle_mul_shr(u64 a, u64 b, unsigned int bits);

/* x * 2^bits, its high and low word. */
u64 oracle_shl_high(struct kc_u128 x, unsigned int bits);
u64 oracle_shl_low(struct kc_u128 x, unsigned int bits);

/* -1, 0, 1: x is below, the same as, above y. */
int oracle_compare(struct kc_u128 x, struct kc_u128 y);

/* Bits of x: 0 for 0, else up to 128; and zero bits below its lowest one. */
unsigned int oracle_bits(struct kc_u128 x);
unsigned int oracle_trailing_zeros(u64 x);

/* floor(x / d) and floor(a * b / d), all ones over 64 bits. */
u64 oracle_div(struct kc_u128 x, u64 d);
u64 oracle_mul_div(u64 a, u64 b, u64 d);

/* Is num / den in [2^-32, 2^31)? */
bool oracle_is_in_rate_domain(struct kc_u128 num, struct kc_u128 den);

/*
 * Is the rate normal, at most half a unit (of the nearer side) from num / den,
 * a tie gone up, and the relative error at most 2^-32?
 */
bool oracle_rate_is_nearest(struct kc_rate rate, struct kc_u128 num,
			    struct kc_u128 den);
bool oracle_rate_is_nearest_to_tsc(struct kc_rate rate,
				   const struct kc_host *host, u64 ratio);

/* floor(10^9 * 2^32 / (mul * 2^shift)), all ones over 64 bits. */
u64 oracle_rate_hz(struct kc_rate rate);

/* |a - b| * 10^9 <= 2 * b, and neither is 0? */
bool oracle_is_within_2ppb(struct kc_rate a, struct kc_rate b);

/* Is |1 / a - 1 / b| (rates in ns) more than hz Hz, or that much? */
bool oracle_is_apart_by(struct kc_rate a, struct kc_rate b, u32 hz);

/* The guest's formula. */
u64 oracle_line_read(struct kc_line line, u64 gtsc);

/* May the point move by 2^log2 ticks, by law 2's definition? */
bool oracle_is_step(struct kc_rate rate, unsigned int log2);

/* floor(htsc * ratio / 2^F) + offset mod 2^64. */
u64 oracle_tsc_read(const struct kc_host *host, struct kc_tsc tsc, u64 htsc);

/* floor(2^F * khz / host's khz), all ones over 64 bits. */
u64 oracle_tsc_ratio(const struct kc_host *host, u32 khz);

/* Is the distance of a and b, mod 2^64, below floor(hz * ratio / 2^F)? */
bool oracle_is_within_1s(const struct kc_host *host, u64 ratio, u64 a, u64 b);

/* ref + floor((now - ref) * khz / 10^6) mod 2^64, or ref. */
u64 oracle_caught_up(u64 ref_gtsc, s64 ref_ns, s64 now_ns, u32 khz);

#endif
