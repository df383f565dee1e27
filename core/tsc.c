// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tsc.h"

u64 kc_tsc_scale_floor(const struct kc_host *host, u64 ratio, u64 htsc)
{
	return ratio == 1ULL << host->frac_bits ?
		htsc : kc_mul_shr_floor(htsc, ratio, host->frac_bits);
}

u64 kc_tsc_read_floor(const struct kc_host *host, struct kc_tsc tsc, u64 htsc)
{
	return kc_tsc_scale_floor(host, tsc.ratio, htsc) + tsc.offset_gtsc;
}

struct kc_tsc kc_tsc_through(const struct kc_host *host, u64 ratio, u64 htsc, u64 gtsc)
{
	return (struct kc_tsc) {
		.ratio = ratio,
		.offset_gtsc = gtsc - kc_tsc_scale_floor(host, ratio, htsc),
	};
}

u64 kc_tsc_ratio_floor(const struct kc_host *host, u32 khz)
{
	return kc_mul_div_floor(1ULL << host->frac_bits, khz, host->khz);
}

bool kc_tsc_is_same(struct kc_tsc a, struct kc_tsc b)
{
	return a.ratio == b.ratio && a.offset_gtsc == b.offset_gtsc;
}

bool kc_tsc_is_within_1s(const struct kc_host *host, u64 ratio, u64 a_gtsc, u64 b_gtsc)
{
	u64 second = kc_tsc_scale_floor(host, ratio, host->khz * 1000ULL);
	u64 apart = a_gtsc - b_gtsc;

	return apart < second || -apart < second;
}

u64 kc_tsc_caught_up_floor(u64 ref_gtsc, s64 ref_ns, s64 now_ns, u32 khz)
{
	if (now_ns <= ref_ns)
		return ref_gtsc;
	return ref_gtsc + kc_mul_div_floor((u64)now_ns - (u64)ref_ns, khz, 1000000);
}
