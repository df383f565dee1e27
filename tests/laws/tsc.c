// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "gen.h"
#include "oracle.h"

void law_tsc_read(struct in *in)
{
	struct kc_host host = gen_host(in);
	struct kc_tsc tsc = { .ratio = gen_ratio(in, &host) }, through;
	u64 htsc = in_u64(in), gtsc = in_u64(in);

	tsc.offset_gtsc = in_u64(in);
	if (in_once_in(in, 4))
		tsc.ratio = in_u64(in);
	if (in_once_in(in, 4))
		host.frac_bits = in_below(in, 64);
	AGREES(kc_tsc_read_floor(&host, tsc, htsc),
	       oracle_tsc_read(&host, tsc, htsc));
	AGREES(kc_tsc_scale_floor(&host, tsc.ratio, htsc),
	       oracle_tsc_read(&host, (struct kc_tsc) { tsc.ratio, 0 }, htsc));
	through = kc_tsc_through(&host, tsc.ratio, htsc, gtsc);
	CHECK(through.ratio == tsc.ratio, "ratio %#llx", through.ratio);
	AGREES(gtsc, oracle_tsc_read(&host, through, htsc));
	CHECK(kc_tsc_is_same(through, tsc) ==
	      (through.offset_gtsc == tsc.offset_gtsc), "is_same");
	CHECK(kc_tsc_is_same(tsc, tsc), "is_same");
	through = tsc;
	through.ratio ^= 1ULL << (gtsc & 63);
	CHECK(!kc_tsc_is_same(through, tsc), "is_same, ratios differ");
}

void law_tsc_ratio(struct in *in)
{
	struct kc_host host = gen_host(in);
	u32 khz = in_once_in(in, 4) ? in_u64(in) : in_range(in, 1, 8000000);

	if (in_once_in(in, 8))
		host.khz = in_range(in, 1, 0xffffffff);
	AGREES(kc_tsc_ratio_floor(&host, khz), oracle_tsc_ratio(&host, khz));
}

/* A second is floor(hz * ratio / 2^F) ticks; the way round 2^64 counts too. */
void law_tsc_1s(struct in *in)
{
	struct kc_host host = gen_host(in);
	u64 ratio = gen_ratio(in, &host), a = in_u64(in), b = in_u64(in);
	u64 second = kc_tsc_scale_floor(&host, ratio, host.khz * 1000ULL);

	if (in_once_in(in, 2))
		b = a + second + in_below(in, 5) - 2;
	else if (in_once_in(in, 2))
		b = a - second + in_below(in, 5) - 2;
	AGREES(kc_tsc_is_within_1s(&host, ratio, a, b),
	       oracle_is_within_1s(&host, ratio, a, b));
}

void law_tsc_caught_up(struct in *in)
{
	u64 ref_gtsc = in_u64(in);
	s64 ref_ns = in_u64(in), now_ns = in_u64(in);
	u32 khz = in_once_in(in, 2) ? in_u64(in) : in_range(in, 1, 8000000);
	u64 apart;

	if (in_once_in(in, 2))
		now_ns = (u64)ref_ns + in_u64(in);
	apart = now_ns > ref_ns ? (u64)now_ns - (u64)ref_ns : 0;
	REQUIRE(khz && !kc_mul(apart, khz).hi);	/* narrower than the domain */
	AGREES(kc_tsc_caught_up_floor(ref_gtsc, ref_ns, now_ns, khz),
	       oracle_caught_up(ref_gtsc, ref_ns, now_ns, khz));
}
