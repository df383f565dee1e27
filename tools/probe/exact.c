// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "exact.h"

#include <string.h>

uint64_t exact_guest_tsc(const struct exact_tsc *tsc, uint64_t htsc)
{
	return (uint64_t)((exact_u128)htsc * tsc->ratio >> tsc->frac) + tsc->offset;
}

uint64_t exact_page_at_ns(const struct pvclock_vcpu_time_info *page,
			  const struct exact_tsc *tsc, uint64_t htsc)
{
	return exact_page_ns(page, exact_guest_tsc(tsc, htsc));
}

/* ceil(part * 10^12 / whole), by long division: no product passes 128 bits. */
static uint64_t trillionths(exact_u128 part, exact_u128 whole)
{
	uint64_t quotient = (uint64_t)(part / whole);
	int digit;

	part %= whole;
	for (digit = 0; digit < 12; digit++) {
		part *= 10;
		quotient = quotient * 10 + (uint64_t)(part / whole);
		part %= whole;
	}
	return quotient + (part != 0);
}

int64_t exact_slope_error_milli_ppb(const struct pvclock_vcpu_time_info *page,
				    const struct exact_tsc *tsc, uint32_t host_khz)
{
	/*
	 * page: mul * 2^shift / 2^32 ns a tick; hardware: 10^6 * 2^frac /
	 * (host_khz * ratio).  Their quotient is num * 2^up / 10^6.
	 */
	exact_u128 num = (exact_u128)page->tsc_to_system_mul * host_khz;
	exact_u128 den = 1000000;
	uint64_t ratio = tsc->ratio;
	int up = page->tsc_shift - 32 - (int)tsc->frac;

	while (!(ratio & 1)) {
		ratio >>= 1;
		up++;
	}
	num *= ratio;
	if (up >= 0)
		num <<= up;
	else
		den <<= -up;
	return num >= den ? (int64_t)trillionths(num - den, den) :
			    -(int64_t)trillionths(den - num, den);
}

bool exact_same_line(const struct pvclock_vcpu_time_info *a,
		     const struct pvclock_vcpu_time_info *b)
{
	struct pvclock_vcpu_time_info x = *a, y = *b;

	x.version = y.version = 0;
	x.flags = y.flags = 0;
	return !memcmp(&x, &y, sizeof(x));
}
