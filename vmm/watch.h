/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the parts of the watcher share. */
#ifndef VMM_WATCH_H
#define VMM_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define WATCH_MAX_VCPUS 16

/* As a page of kvm-clock has it. */
struct line {
	uint64_t gtsc, ns;
	uint32_t version, mul;
	int8_t shift;
	bool stable;
};

struct page {
	const uint8_t *mem;	/* 64 bytes for each vCPU */
};

/* A clock's distance from the line is between low and high. */
struct bracket {
	int64_t low, high;
	uint64_t worst_ns;	/* the least step that explains brackets that do not meet */
	bool used;
};

/* By one vCPU. */
struct seen {
	pthread_t thread;
	struct line line;		/* that it is compared to */
	uint64_t slopes;		/* how often that got another slope */
	uint64_t readings, steps, worst_step_ns, unstable;
	uint64_t back_ns, tsc_back;	/* less than a vCPU had read before */
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
	uint64_t last_ns __attribute__((aligned(64)));
	uint64_t last_gtsc;
	struct seen seen[WATCH_MAX_VCPUS];
};

/* The vDSO's mapping of kvm-clock's pages; there is none when the clock is not stable. */
void page_open(struct page *page);
struct line page_line(const struct page *page, int cpu);
uint64_t line_ns(const struct line *line, uint64_t gtsc);
uint64_t ordered_tsc(void);

void watch_fail(const char *what) __attribute__((noreturn));
void watch_print_start(const struct watch *watch);
void watch_print_step(const struct watch *watch, int cpu, int64_t step_ns, int64_t off_ns,
		      uint64_t gtsc, uint64_t gap_gtsc);
void watch_print_sum(const struct watch *watch, const char *word, double seconds);

#endif
