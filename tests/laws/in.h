/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Where a law takes its case from: a seeded stream of numbers (random engine)
 * or bytes (libFuzzer).  A law draws the same way from both, and never lets a
 * draw depend on the oracle, so that builds with and without one see the same
 * cases.
 */
#ifndef LAWS_IN_H
#define LAWS_IN_H

#include <stddef.h>
#include "types.h"

#define NR_DRAWN 48

struct in {
	const char *law;
	u64 seed, nr;			/* random engine: to replay */
	u64 state;			/* random engine: of the generator */
	const u8 *bytes;		/* fuzzer; NULL: random engine */
	size_t left;
	u64 hash;			/* of all that core answered */
	bool rejected;			/* by a REQUIRE */
	unsigned int nr_drawn;
	u64 drawn[NR_DRAWN];		/* the first ones, for the report */
};

void in_from_seed(struct in *in, const char *law, u64 seed, u64 nr);
void in_from_bytes(struct in *in, const char *law, const u8 *bytes, size_t size);

/* Has the fuzzer's input run out?  Never, of the random engine's. */
bool in_is_over(const struct in *in);

/* Any number, edges and powers of two and their neighbours more often. */
u64 in_u64(struct in *in);

/* 0 to n - 1, all as often.  Domain: n not 0. */
u64 in_below(struct in *in, u64 n);

/* low to high, both ends included; ends and orders of magnitude more often. */
u64 in_range(struct in *in, u64 low, u64 high);

/* True once in n. */
bool in_once_in(struct in *in, unsigned int n);

void in_hash(struct in *in, u64 value);

#endif
