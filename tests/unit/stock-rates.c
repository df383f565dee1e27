// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Core's rate against what the stock KVM put in guests' pages (stock-rates.tsv).
 * Stock scales by floor(2^F * asked / host), takes the guest's frequency from
 * that in whole kHz, rounded down a second time, and truncates mul.  So, for
 * the frequency in kHz that stock used:
 *   - stock's mul is in normal form and core's shift is the same;
 *   - core's mul is stock's or one more, and never further from 10^6 / kHz;
 * and, for the frequency at which the guest's TSC in fact runs,
 *   - core's rate is within 2^-32 of it; the worst errors of both are printed.
 */
#include <gmp.h>
#include <stdio.h>
#include "rate.h"
#include "tsc.h"

struct vector {
	u32 asked_khz, host_khz;
	u64 ratio;
	struct kc_host host;
	struct kc_rate stock;
};

static unsigned int nr, nr_failed;

/* |rate * frequency / 10^9 - 1|, the frequency being hz_num / hz_den. */
static void set_error(mpq_t error, struct kc_rate rate, const mpq_t hz)
{
	mpq_t one;

	mpq_init(one);
	mpq_set_ui(one, 1, 1);
	mpq_set_ui(error, rate.mul, 1);
	if (rate.shift > 0)
		mpq_mul_2exp(error, error, rate.shift);
	else
		mpq_div_2exp(error, error, -rate.shift);
	mpq_div_2exp(error, error, 32);
	mpq_mul(error, error, hz);
	mpz_mul_ui(mpq_denref(error), mpq_denref(error), KC_NS_PER_S);
	mpq_canonicalize(error);
	mpq_sub(error, error, one);
	mpq_abs(error, error);
	mpq_clear(one);
}

static void report(bool passed, const struct vector *v, const char *what)
{
	nr++;
	nr_failed += !passed;
	printf("%sok %u - %u kHz on %u kHz: %s\n", passed ? "" : "not ", nr,
	       v->asked_khz, v->host_khz, what);
}

static void compare_at_used_khz(const struct vector *v)
{
	u32 used_khz = kc_tsc_scale_floor(&v->host, v->ratio, v->host_khz);
	struct kc_rate ours = kc_rate_nearest((struct kc_u128) { 0, 1000000 },
					      (struct kc_u128) { 0, used_khz });
	mpq_t hz, our_error, stock_error;
	bool passed;

	mpq_inits(hz, our_error, stock_error, NULL);
	mpq_set_ui(hz, used_khz * 1000ULL, 1);
	set_error(our_error, ours, hz);
	set_error(stock_error, v->stock, hz);
	passed = v->stock.mul >> 31 && ours.shift == v->stock.shift &&
		 ours.mul - v->stock.mul <= 1 &&
		 mpq_cmp(our_error, stock_error) <= 0;
	if (!passed)
		printf("# core %u %d, stock %u %d\n", ours.mul, ours.shift,
		       v->stock.mul, v->stock.shift);
	report(passed, v, "stock's mul, or the one above that is nearer");
	mpq_clears(hz, our_error, stock_error, NULL);
}

static void raise(double *worst_ppb, const mpq_t error)
{
	double ppb = mpq_get_d(error) * 1e9;

	if (ppb > *worst_ppb)
		*worst_ppb = ppb;
}

static void compare_at_exact(const struct vector *v, double *worst_stock, double *worst_ours)
{
	struct kc_rate ours = kc_rate_of_tsc_nearest(&v->host, v->ratio);
	mpq_t hz, error, bound;

	mpq_inits(hz, error, bound, NULL);
	mpq_set_ui(hz, v->ratio, 1);
	mpz_mul_ui(mpq_numref(hz), mpq_numref(hz), v->host_khz * 1000ULL);
	mpq_div_2exp(hz, hz, v->host.frac_bits);
	mpq_set_ui(bound, 1, 1ULL << 32);
	set_error(error, v->stock, hz);
	raise(worst_stock, error);
	set_error(error, ours, hz);
	raise(worst_ours, error);
	report(mpq_cmp(error, bound) <= 0, v, "core's rate within 2^-32");
	mpq_clears(hz, error, bound, NULL);
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	double worst_stock = 0, worst_ours = 0;
	char line[256];

	if (!file)
		return 2;
	printf("TAP version 13\n");
	while (fgets(line, sizeof(line), file)) {
		struct vector v = { 0 };
		unsigned int said, frac_bits;
		int shift;

		if (line[0] == '#')
			continue;
		if (sscanf(line, "%u %u %u %u %u %d", &v.asked_khz, &said,
			   &v.host_khz, &frac_bits, &v.stock.mul, &shift) != 6)
			return 2;
		v.stock.shift = shift;
		v.host = (struct kc_host) { v.host_khz, frac_bits };
		v.ratio = v.asked_khz == v.host_khz ? 1ULL << frac_bits :
			  kc_tsc_ratio_floor(&v.host, v.asked_khz);
		compare_at_used_khz(&v);
		compare_at_exact(&v, &worst_stock, &worst_ours);
	}
	printf("# worst error over %u vectors: stock %.3f ppb, ours %.3f ppb\n1..%u\n",
	       nr / 2, worst_stock, worst_ours, nr);
	return nr_failed || nr < 60;
}
