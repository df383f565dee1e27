// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * "start": vcpus, stable (1 or 0), and the line: gtsc, ns, mul, shift
 * "step": vcpu, step_ns, off_ns (from the line, after it), gtsc, gap_us (since the reading before)
 * "sum", "end", over all vCPUs since the start:
 *   seconds, readings, steps (of 3 ns or more), least_steps (of a vCPU), worst_step_ns
 *   off_min_ns, off_max_ns, off_ns: the clock from the line, and now (vCPU 0)
 *   back_ns, tsc_back: a vCPU read less than another had read before
 *   pages_ns: a vCPU's own page from vCPU 0's
 *   mono_ns, raw_ns, real_ns: steps of the kernel's clocks at least so great; width_ns: to
 *     what raw is known now: a step may have that more, and the width of the reading after it
 *   slopes: how often a page had another slope than before, at most of a vCPU
 *   gap_us: the longest time between two readings; unstable: readings without the stable bit
 */
#include "watch_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_STEPS 40	/* printed, of each vCPU */

void watch_fail(const char *what)
{
	printf("watch: fail %s\n", what);
	exit(1);
}

/* One write a line, or vCPUs would share lines. */
static void put(const char *text, int size)
{
	if (size > 0 && write(STDOUT_FILENO, text, (size_t)size) != size)
		exit(1);
}

static uint64_t gap_us(const struct line *line, uint64_t gap_gtsc)
{
	return (line_ns(line, line->gtsc + gap_gtsc) - line->ns) / 1000;
}

void watch_print_start(const struct watch *watch)
{
	const struct line *line = &watch->reference;
	char text[256];

	put(text, snprintf(text, sizeof(text), "watch: start vcpus %d stable %d gtsc %" PRIu64
			   " ns %" PRIu64 " mul %u shift %d\n", watch->count, line->stable, line->gtsc,
			   line->ns, line->mul, line->shift));
}

void watch_print_step(const struct seen *seen, int64_t step_ns, int64_t off_ns, uint64_t gap_gtsc)
{
	char text[256];

	if (seen->steps <= MAX_STEPS)
		put(text, snprintf(text, sizeof(text), "watch: step vcpu %d step_ns %" PRId64
				   " off_ns %" PRId64 " gtsc %" PRIu64 " gap_us %" PRIu64 "\n", seen->cpu,
				   step_ns, off_ns, seen->gtsc, gap_us(&seen->watch->reference, gap_gtsc)));
}

static uint64_t least_steps(const struct watch *watch)
{
	uint64_t least = UINT64_MAX;
	int i;

	for (i = 0; i < watch->count; i++)
		if (watch->seen[i].steps < least)
			least = watch->seen[i].steps;
	return least;
}

void watch_print_sum(const struct watch *watch, const char *word, double seconds)
{
	struct seen sum = watch_sum(watch);
	char text[768];

	put(text, snprintf(text, sizeof(text), "watch: %s seconds %.2f readings %" PRIu64 " steps %" PRIu64
			   " least_steps %" PRIu64 " worst_step_ns %" PRIu64 " off_min_ns %" PRId64
			   " off_max_ns %" PRId64 " off_ns %" PRId64 " back_ns %" PRIu64
			   " tsc_back %" PRIu64 " pages_ns %" PRIu64 " mono_ns %" PRIu64
			   " raw_ns %" PRIu64 " real_ns %" PRIu64 " width_ns %" PRId64 " gap_us %" PRIu64
			   " slopes %" PRIu64 " unstable %" PRIu64 "\n", word, seconds, sum.readings, sum.steps,
			   least_steps(watch), sum.worst_step_ns, sum.off_min_ns, sum.off_max_ns, sum.off_ns,
			   sum.back_ns, sum.tsc_back, sum.pages_ns, sum.mono.worst_ns, sum.raw.worst_ns,
			   sum.real.worst_ns, sum.raw.high, gap_us(&watch->reference, sum.gap_gtsc),
			   sum.slopes, sum.unstable));
}
