/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * In a guest: looks for steps of its clock against its TSC, on all vCPUs.
 *
 * kvm-clock's own pages are read, so that clock and TSC are one reading, exact to
 * 1 ns: the line is evaluated at the very TSC that is compared.  The kernel's clocks
 * are read between two TSCs, and may lie anywhere between.  All is compared to one
 * straight line, the first that was seen, which bends where a page has another slope.
 */
#ifndef PROBE_WATCH_H
#define PROBE_WATCH_H

#include <pthread.h>
#include <time.h>

#include "page.h"

/* A clock's distance from the line is between low and high. */
struct bracket {
	int64_t low, high;
	uint64_t worst_ns;	/* the least step that explains brackets that do not meet */
	uint64_t worst_width_ns;	/* that one may be so much greater */
	uint64_t narrow_ns;	/* of the narrowest reading: a step of twice that is seen */
	bool used;
};

/* By one vCPU. */
struct seen {
	pthread_t thread;
	struct watch *watch;
	int cpu;
	struct line line;		/* that it is compared to */
	uint64_t slopes;		/* how often that got another slope */
	uint64_t readings, steps, worst_step_ns, unstable;
	uint64_t back_ns, tsc_back;	/* less than a vCPU had read before */
	/* Its least time after another vCPU's reading: being behind by less is not seen. */
	uint64_t near_gtsc;
	uint64_t pages_ns;		/* its own page against vCPU 0's, at one TSC */
	uint64_t gtsc, gap_gtsc;	/* the last reading; the longest time without one */
	int64_t off_ns, off_min_ns, off_max_ns;	/* from the straight line */
	struct bracket mono, raw, real;
} __attribute__((aligned(64)));

struct watch {
	int count;
	bool over;
	struct page page;
	struct line reference;
	/* Is shown each step of 3 ns or more; NULL: nobody is. */
	void (*step)(const struct seen *seen, int64_t step_ns, int64_t off_ns, uint64_t gap_gtsc);
	struct {
		uint64_t ns, gtsc;
		int cpu;
	} last __attribute__((aligned(64)));
	struct seen seen[PAGE_VCPUS];
};

/* The page is open, and step set: a thread on each CPU that this process may have.  NULL, or what failed. */
const char *watch_begin(struct watch *watch);
void watch_end(struct watch *watch);

/* Of all vCPUs: sums of counts, the worst of the rest; off_ns is the first one's. */
struct seen watch_sum(const struct watch *watch);

/* The thread runs on this CPU from here on; false: it may not. */
bool watch_pin(int cpu);

/* Where a clock is against the line, from one reading; low and high are narrowed. */
void watch_read_clock(const struct line *line, struct bracket *bracket, clockid_t id);

#endif
