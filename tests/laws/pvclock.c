// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <string.h>
#include "gen.h"
#include "move.h"
#include "oracle.h"

/* One bit of the page flipped: does the guest see a difference? */
static void one_bit_differs(struct in *in, struct kc_pvclock page)
{
	static const bool counts[32] = {
		[8 ... 29] = true,	/* not the version, nor the pads */
	};
	struct kc_pvclock other = page;
	u64 bit = in_below(in, 256);

	((u8 *)&other)[bit / 8] ^= 1 << bit % 8;
	CHECK(kc_pvclock_is_same(&page, &other) == !counts[bit / 8],
	      "bit %llu", bit);
}

void law_pvclock_page(struct in *in)
{
	struct kc_line line = gen_line(in);
	u8 flags = in_u64(in);
	struct kc_pvclock page = kc_pvclock_of_line(&line, flags);
	u64 word[4];

	memcpy(word, &page, sizeof(word));
	in_hash(in, word[1] ^ word[2] ^ word[3]);
	CHECK(sizeof(page) == 32, "%zu bytes", sizeof(page));
	CHECK(is_same_line(kc_pvclock_line(&page), line), "line lost");
	CHECK(!word[0], "version or pad0");
	CHECK(word[1] == line.t0_gtsc && word[2] == line.n0_ns &&
	      word[3] == (line.rate.mul | (u64)(u8)line.rate.shift << 32 |
			  (u64)flags << 40), "the guest's layout");
	one_bit_differs(in, page);
}

static struct kc_pvclock gen_page(struct in *in, struct kc_rate exact)
{
	struct kc_line line = gen_line(in);
	struct kc_pvclock page;
	u64 bit;

	if (!in_once_in(in, 4))
		line.rate = gen_rate_near(in, exact);
	page = kc_pvclock_of_line(&line, in_u64(in));
	if (in_once_in(in, 8)) {
		bit = in_below(in, 256);
		((u8 *)&page)[bit / 8] ^= 1 << bit % 8;
	}
	if (in_once_in(in, 32))
		page.tsc_shift = in_u64(in);
	if (in_once_in(in, 32))
		page.tsc_to_system_mul = 0;
	return page;
}

/*
 * Frequencies are compared in whole Hz, rounded down: exactly 1000 Hz apart or
 * less passes, 1001 or more does not, and between them either may be.
 */
void law_pvclock_check(struct in *in)
{
	struct kc_host host = gen_host(in);
	struct kc_rate exact = kc_rate_of_tsc_nearest(&host, gen_ratio(in, &host));
	struct kc_pvclock page = gen_page(in, exact);
	u64 gtsc = in_once_in(in, 2) ? in_u64(in) :
		   page.tsc_timestamp + in_u64(in);
	enum kc_verdict verdict = kc_pvclock_check(&page, gtsc, exact);
	bool is_below = gtsc - page.tsc_timestamp >= 1ULL << 63;
	struct kc_rate slope = { page.tsc_to_system_mul, page.tsc_shift };

	in_hash(in, verdict);
	if (page.pad0 || page.pad[0] || page.pad[1] || !slope.mul || is_below ||
	    slope.shift < -31 || slope.shift > 31) {
		CHECK(verdict == KC_INVALID, "verdict %d", verdict);
		return;
	}
	CHECK(verdict == KC_OK || verdict == KC_OUT_OF_RANGE, "verdict %d", verdict);
	ORACLE_CHECK(verdict != KC_OUT_OF_RANGE ||
		     oracle_is_apart_by(slope, exact, 1000), "refused");
	ORACLE_CHECK(verdict != KC_OK || !oracle_is_apart_by(slope, exact, 1001),
		     "let through");
}
