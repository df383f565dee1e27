// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "watch.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#define MAX(a, b) ((a) > (b) ? (a) : (b))

bool watch_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
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

struct last {
	uint64_t ns, gtsc;
	int cpu;
};

static struct last last_of(const struct watch *watch)
{
	return (struct last) {
		.ns = __atomic_load_n(&watch->last.ns, __ATOMIC_ACQUIRE),
		.gtsc = __atomic_load_n(&watch->last.gtsc, __ATOMIC_ACQUIRE),
		.cpu = __atomic_load_n(&watch->last.cpu, __ATOMIC_ACQUIRE),
	};
}

/* TSC and clock were stored one after another: are they of one reading? */
static bool is_whole(const struct watch *watch, struct last last)
{
	struct line line = page_line(&watch->page, last.cpu);

	return distance(line_ns(&line, last.gtsc), last.ns) <= 1;
}

/* What any vCPU read before this one did may not be more. */
static void compare_with_others(struct seen *seen, struct last before, uint64_t ns, uint64_t gtsc)
{
	struct watch *watch = seen->watch;

	if (before.ns > ns)
		raise_to(&seen->back_ns, before.ns - ns);
	if (before.gtsc > gtsc)
		raise_to(&seen->tsc_back, before.gtsc - gtsc);
	else if (before.gtsc && before.cpu != seen->cpu && before.gtsc != seen->gtsc &&
		 gtsc - before.gtsc < seen->near_gtsc && is_whole(watch, before))
		seen->near_gtsc = gtsc - before.gtsc;
	__atomic_store_n(&watch->last.cpu, seen->cpu, __ATOMIC_RELEASE);
	__atomic_store_n(&watch->last.gtsc, gtsc, __ATOMIC_RELEASE);
	__atomic_store_n(&watch->last.ns, ns, __ATOMIC_RELEASE);
}

static void find_step(struct seen *seen, int64_t off_ns, uint64_t gtsc)
{
	int64_t step_ns = off_ns - seen->off_ns;

	if (!seen->readings)
		step_ns = 0;
	else
		raise_to(&seen->gap_gtsc, gtsc - seen->gtsc);
	raise_to(&seen->worst_step_ns, distance((uint64_t)off_ns, (uint64_t)(off_ns - step_ns)));
	if (step_ns > 2 || step_ns < -2) {
		uint64_t gap_gtsc = gtsc - seen->gtsc;

		seen->steps++;
		seen->gtsc = gtsc;
		if (seen->watch->step)
			seen->watch->step(seen, step_ns, off_ns, gap_gtsc);
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

static void read_pages(struct seen *seen)
{
	const struct page *page = &seen->watch->page;
	struct last before = last_of(seen->watch);
	struct line own, first;
	uint64_t gtsc, ns;

	/* A reading counts only if no page changed within it. */
	do {
		own = page_line(page, seen->cpu);
		first = page_line(page, 0);
		gtsc = ordered_tsc();
	} while (page_line(page, seen->cpu).version != own.version ||
		 page_line(page, 0).version != first.version);
	ns = line_ns(&own, gtsc);
	seen->unstable += !own.stable;
	raise_to(&seen->pages_ns, distance(ns, line_ns(&first, gtsc)));
	compare_with_others(seen, before, ns, gtsc);
	follow_slope(seen, own);
	find_step(seen, (int64_t)(ns - line_ns(&seen->line, gtsc)), gtsc);
}

/* From somewhere in the bracket to somewhere in the new one. */
static void note_step(struct bracket *bracket, int64_t low, int64_t high)
{
	uint64_t step_ns = (uint64_t)(low > bracket->high ? low - bracket->high : bracket->low - high);

	if (step_ns <= bracket->worst_ns)
		return;
	bracket->worst_ns = step_ns;
	bracket->worst_width_ns = (uint64_t)(bracket->high - bracket->low + high - low);
}

/* The offset from the line to this clock lies in each reading's bracket: in all of them. */
void watch_read_clock(const struct line *line, struct bracket *bracket, clockid_t id)
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
	if (!bracket->used || (uint64_t)(high - low) < bracket->narrow_ns)
		bracket->narrow_ns = (uint64_t)(high - low);
	if (!bracket->used || low > bracket->high || high < bracket->low) {
		if (bracket->used)
			note_step(bracket, low, high);
		bracket->low = low;
		bracket->high = high;
		bracket->used = true;
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
	int i;

	watch_pin(seen->cpu);
	while (!__atomic_load_n(&seen->watch->over, __ATOMIC_RELAXED)) {
		for (i = 0; i < 8; i++)
			read_pages(seen);
		watch_read_clock(&seen->line, &seen->mono, CLOCK_MONOTONIC);
		watch_read_clock(&seen->line, &seen->raw, CLOCK_MONOTONIC_RAW);
		watch_read_clock(&seen->line, &seen->real, CLOCK_REALTIME);
		usleep(2000);
	}
	return NULL;
}

static void add_bracket(struct bracket *sum, const struct bracket *bracket)
{
	if (bracket->worst_ns > sum->worst_ns) {
		sum->worst_ns = bracket->worst_ns;
		sum->worst_width_ns = bracket->worst_width_ns;
	}
	sum->narrow_ns = MAX(sum->narrow_ns, bracket->narrow_ns);
	sum->high = MAX(sum->high, bracket->high - bracket->low);
}

struct seen watch_sum(const struct watch *watch)
{
	struct seen sum = { .off_ns = watch->seen[0].off_ns };
	int i;

	for (i = 0; i < watch->count; i++) {
		const struct seen *seen = &watch->seen[i];

		sum.readings += seen->readings;
		sum.steps += seen->steps;
		sum.unstable += seen->unstable;
		sum.slopes = MAX(sum.slopes, seen->slopes);
		sum.worst_step_ns = MAX(sum.worst_step_ns, seen->worst_step_ns);
		sum.back_ns = MAX(sum.back_ns, seen->back_ns);
		sum.tsc_back = MAX(sum.tsc_back, seen->tsc_back);
		sum.near_gtsc = MAX(sum.near_gtsc, seen->near_gtsc);
		sum.pages_ns = MAX(sum.pages_ns, seen->pages_ns);
		sum.gap_gtsc = MAX(sum.gap_gtsc, seen->gap_gtsc);
		sum.off_max_ns = MAX(sum.off_max_ns, seen->off_max_ns);
		sum.off_min_ns = -MAX(-sum.off_min_ns, -seen->off_min_ns);
		add_bracket(&sum.mono, &seen->mono);
		add_bracket(&sum.raw, &seen->raw);
		add_bracket(&sum.real, &seen->real);
	}
	return sum;
}

const char *watch_begin(struct watch *watch)
{
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set))
		return "sched_getaffinity";
	watch->reference = page_line(&watch->page, 0);
	for (cpu = 0; cpu < PAGE_VCPUS; cpu++) {
		struct seen *seen = &watch->seen[watch->count];

		if (!CPU_ISSET(cpu, &set))
			continue;
		*seen = (struct seen) { .watch = watch, .cpu = cpu, .line = watch->reference,
					.near_gtsc = UINT64_MAX };
		if (pthread_create(&seen->thread, NULL, watch_vcpu, seen))
			return "pthread_create";
		watch->count++;
	}
	return NULL;
}

void watch_end(struct watch *watch)
{
	__atomic_store_n(&watch->over, true, __ATOMIC_RELAXED);
	for (int i = 0; i < watch->count; i++)
		pthread_join(watch->seen[i].thread, NULL);
}
