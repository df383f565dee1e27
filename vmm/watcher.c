// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Runs in a guest: looks for steps of its clock against its TSC, on all vCPUs.
 * usage: watcher [SECONDS]
 *
 * It reads kvm-clock's own pages, which the vDSO maps, so that clock and TSC
 * are one reading, exact to 1 ns: the line is evaluated at the very TSC that is
 * compared.  The kernel's clocks are read between two TSCs, and may lie anywhere
 * between.  All is compared to one straight line, the first that was seen, which
 * bends where a page has another slope.
 *
 * Prints lines "watch: WORD KEY VALUE...": "start" once, "step" for each step
 * of 3 ns or more, "sum" each second, "end".  See watch_print.c for the keys.
 */
#include "watch.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct watch watch;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		watch_fail("sched_setaffinity");
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0 ? b - a : a - b;
}

static void raise_to(uint64_t *worst, uint64_t value)
{
	if (value > *worst)
		*worst = value;
}

/* Another vCPU's, that came before this one's: neither may be more. */
static void compare_with_others(struct seen *seen, uint64_t before_ns, uint64_t before_gtsc,
				uint64_t ns, uint64_t gtsc)
{
	if (before_ns > ns)
		raise_to(&seen->back_ns, before_ns - ns);
	if (before_gtsc > gtsc)
		raise_to(&seen->tsc_back, before_gtsc - gtsc);
	__atomic_store_n(&watch.last_gtsc, gtsc, __ATOMIC_RELEASE);
	__atomic_store_n(&watch.last_ns, ns, __ATOMIC_RELEASE);
}

static void find_step(struct seen *seen, int cpu, int64_t off_ns, uint64_t gtsc)
{
	int64_t step_ns = off_ns - seen->off_ns;

	if (!seen->readings)
		step_ns = 0;
	else
		raise_to(&seen->gap_gtsc, gtsc - seen->gtsc);
	raise_to(&seen->worst_step_ns, distance((uint64_t)off_ns, (uint64_t)(off_ns - step_ns)));
	if (step_ns > 2 || step_ns < -2) {
		seen->steps++;
		watch_print_step(&watch, cpu, step_ns, off_ns, gtsc, gtsc - seen->gtsc);
	}
	if (off_ns < seen->off_min_ns)
		seen->off_min_ns = off_ns;
	if (off_ns > seen->off_max_ns)
		seen->off_max_ns = off_ns;
	seen->off_ns = off_ns;
	seen->gtsc = gtsc;
	seen->readings++;
}

/* Another slope is no step: the line goes on with it, from where the page begins. */
static void follow_slope(struct seen *seen, struct line page)
{
	if (page.mul == seen->line.mul && page.shift == seen->line.shift)
		return;
	page.ns = line_ns(&seen->line, page.gtsc);
	seen->line = page;
	seen->slopes++;
}

static void read_pages(struct seen *seen, int cpu)
{
	uint64_t before_ns = __atomic_load_n(&watch.last_ns, __ATOMIC_ACQUIRE);
	uint64_t before_gtsc = __atomic_load_n(&watch.last_gtsc, __ATOMIC_ACQUIRE);
	struct line own, first;
	uint64_t gtsc, ns;

	/* A reading counts only if no page changed within it. */
	do {
		own = page_line(&watch.page, cpu);
		first = page_line(&watch.page, 0);
		gtsc = ordered_tsc();
	} while (page_line(&watch.page, cpu).version != own.version ||
		 page_line(&watch.page, 0).version != first.version);
	ns = line_ns(&own, gtsc);
	seen->unstable += !own.stable;
	raise_to(&seen->pages_ns, distance(ns, line_ns(&first, gtsc)));
	compare_with_others(seen, before_ns, before_gtsc, ns, gtsc);
	follow_slope(seen, own);
	find_step(seen, cpu, (int64_t)(ns - line_ns(&seen->line, gtsc)), gtsc);
}

/* The offset from the line to this clock lies in each reading's bracket: in all of them. */
static void read_clock(const struct line *line, struct bracket *bracket, clockid_t id)
{
	struct timespec now;
	uint64_t before, after;
	int64_t ns, low, high;

	before = ordered_tsc();
	clock_gettime(id, &now);
	after = ordered_tsc();
	ns = now.tv_sec * 1000000000ll + now.tv_nsec;
	low = ns - (int64_t)line_ns(line, after);
	high = ns - (int64_t)line_ns(line, before);
	if (!bracket->used || low > bracket->high || high < bracket->low) {
		if (bracket->used)
			raise_to(&bracket->worst_ns, (uint64_t)(low > bracket->high ?
				 low - bracket->high : bracket->low - high));
		*bracket = (struct bracket){ low, high, bracket->worst_ns, true };
		return;
	}
	if (low > bracket->low)
		bracket->low = low;
	if (high < bracket->high)
		bracket->high = high;
}

static void *watch_vcpu(void *arg)
{
	struct seen *seen = arg;
	int cpu = (int)(seen - watch.seen), i;

	pin(cpu);
	while (!__atomic_load_n(&watch.over, __ATOMIC_RELAXED)) {
		for (i = 0; i < 8; i++)
			read_pages(seen, cpu);
		read_clock(&seen->line, &seen->mono, CLOCK_MONOTONIC);
		read_clock(&seen->line, &seen->raw, CLOCK_MONOTONIC_RAW);
		read_clock(&seen->line, &seen->real, CLOCK_REALTIME);
		usleep(2000);
	}
	return NULL;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double start = seconds(), length = argc > 1 ? atof(argv[1]) : 1e9;
	int i;

	watch.count = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (watch.count > WATCH_MAX_VCPUS)
		watch_fail("more vCPUs than can be watched");
	page_open(&watch.page);
	watch.reference = page_line(&watch.page, 0);
	watch_print_start(&watch);
	for (i = 0; i < watch.count; i++) {
		watch.seen[i].line = watch.reference;
		if (pthread_create(&watch.seen[i].thread, NULL, watch_vcpu, &watch.seen[i]))
			watch_fail("pthread_create");
	}
	while (seconds() - start < length) {
		usleep(1000000);
		watch_print_sum(&watch, "sum", seconds() - start);
	}
	__atomic_store_n(&watch.over, true, __ATOMIC_RELAXED);
	for (i = 0; i < watch.count; i++)
		pthread_join(watch.seen[i].thread, NULL);
	watch_print_sum(&watch, "end", seconds() - start);
	return 0;
}
