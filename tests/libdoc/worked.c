// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Reads lines "NAME VALUE", the example of kvmclock(7), and recomputes what is
 * computed there from what is given, in plain 128 bits.  Prints what is not so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef unsigned __int128 u128;

enum name {
	SAVE_GAP, RESTORE_GAP, STEP,
	KHZ, HTSC, OFFSET, GTSC, LINE_GTSC, LINE_NS, MUL, SHIFT, CLOCK,
	NEW_HTSC, ELAPSED, ELAPSED_TICKS, NEW_GTSC, NEW_OFFSET, NEW_CLOCK, NAMES
};

static const char *const names[NAMES] = {
	"save_gap_ns", "restore_gap_ns", "step_ns",
	"tsc_khz", "host_tsc", "tsc_offset", "guest_tsc", "line_gtsc", "line_ns", "line_mul",
	"line_shift", "clock_ns",
	"new_host_tsc", "elapsed_ns", "elapsed_ticks", "new_guest_tsc", "new_tsc_offset", "new_clock_ns",
};

static uint64_t value[NAMES];
static int bad;

static void expect(enum name name, uint64_t right)
{
	if (value[name] == right)
		return;
	printf("%s is %" PRId64 ", the page says %" PRId64 "\n", names[name], (int64_t)right,
	       (int64_t)value[name]);
	bad = 1;
}

static uint64_t line_at(uint64_t gtsc)
{
	u128 ticks = gtsc - value[LINE_GTSC];
	int shift = (int)(int64_t)value[SHIFT];

	ticks = shift < 0 ? ticks >> -shift : ticks << shift;
	return value[LINE_NS] + (uint64_t)(ticks * value[MUL] >> 32);
}

/* The nearest slope, mul in [2^31, 2^32). */
static void expect_slope(void)
{
	int shift = 0;
	u128 mul = ((u128)1000000 << 33) / value[KHZ];		/* 2^32 / kHz, and a bit to round by */

	for (; mul >> 33; mul = ((u128)1000000 << 33 >> shift) / value[KHZ])
		shift++;
	for (; !(mul >> 32); mul = ((u128)1000000 << 33 << -shift) / value[KHZ])
		shift--;
	expect(MUL, (uint64_t)(mul + 1) >> 1);
	expect(SHIFT, (uint64_t)(int64_t)shift);
}

int main(void)
{
	char name[64];
	uint64_t given;
	int found = 0, i;

	while (scanf("%63s %" SCNi64, name, (int64_t *)&given) == 2) {
		for (i = 0; i < NAMES && strcmp(name, names[i]); i++)
			;
		if (i != found++) {
			printf("%s: not the name expected here: %s\n", name, names[found - 1]);
			return 1;
		}
		value[i] = given;
	}
	if (found != NAMES) {
		printf("%d numbers, not %d\n", found, NAMES);
		return 1;
	}
	expect(STEP, value[SAVE_GAP] - value[RESTORE_GAP]);
	expect(GTSC, value[HTSC] + value[OFFSET]);
	expect_slope();
	expect(CLOCK, line_at(value[GTSC]));
	expect(ELAPSED_TICKS, (uint64_t)((u128)value[ELAPSED] * value[KHZ] / 1000000));
	expect(NEW_GTSC, value[GTSC] + value[ELAPSED_TICKS]);
	expect(NEW_OFFSET, value[NEW_GTSC] - value[NEW_HTSC]);
	expect(NEW_CLOCK, line_at(value[NEW_GTSC]));
	return bad;
}
