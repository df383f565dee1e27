// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Live updates by libkvmclock, one after another. */
#include "selftest.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"
#include "update.h"

#define VCPUS 2
#define MOST_STEP_NS 50		/* the library is to do better, or to refuse */
#define MAX_TRIES 4000
#define MAX_TIME_US 500000

struct updates {
	uint32_t khz;
	bool settled;
	unsigned int done;
	struct update *seen;
};

static void measure_one(void *argument)
{
	const struct kvmclock_request request = {
		.size = sizeof(request), .policy = KVMCLOCK_LIVE_UPDATE, .flags = KVMCLOCK_SAME_HOST,
		.lowest_tier = KVMCLOCK_TIER_1, .max_step_ns = MOST_STEP_NS,
		.max_time_us = MAX_TIME_US, .max_tries = MAX_TRIES,
	};
	struct updates *updates = argument;

	updates->seen[updates->done] = update(updates->khz, VCPUS, updates->settled, &request);
	updates->done++;
}

static void add_move(struct selftest *test, const char *what, const char *guest,
		     const struct update *seen, unsigned int run)
{
	struct json_object *move = document_item(test->doc, "moves");

	object_text(move, "what", what);
	object_text(move, "guest", guest);
	object_uint(move, "run", run);
	object_int(move, "step_ns", seen->step_ns);
	object_int(move, "stated_ns", seen->stated_ns);
	if ((uint64_t)seen->stated_error_ns == KVMCLOCK_UNKNOWN)
		json_object_object_add(move, "stated_error_ns", NULL);
	else
		object_int(move, "stated_error_ns", seen->stated_error_ns);
	object_uint(move, "tsc_step_cycles", seen->tsc_step_cycles);
	object_uint(move, "tier", seen->tier);
	object_uint(move, "tries", seen->tries);
	object_bool(move, "same_page", seen->same_page);
}

static void add_series(struct selftest *test, const char *what, const char *guest,
		       const char *title, const struct updates *updates)
{
	struct json_object *series = selftest_series(test, "step", what, guest, title);

	object_text(series, "x_unit", "run");
	for (unsigned int i = 0; i < updates->done; i++)
		series_point(series, i + 1, (double)updates->seen[i].step_ns);
}

static int by_magnitude(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

struct sums {
	uint64_t median_ns, worst_ns, stated_error_ns, cycles, tier, tries, other_pages;
};

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static struct sums sum_up(const struct updates *updates)
{
	uint64_t *ns = calloc(updates->done, sizeof(*ns));
	struct sums sums = { 0 };

	if (!ns)
		abort();
	for (unsigned int i = 0; i < updates->done; i++) {
		const struct update *seen = &updates->seen[i];

		ns[i] = magnitude(seen->step_ns);
		sums.stated_error_ns = larger(sums.stated_error_ns,
					      magnitude(seen->step_ns - seen->stated_ns));
		sums.cycles = larger(sums.cycles, seen->tsc_step_cycles);
		sums.tier = larger(sums.tier, seen->tier);
		sums.tries = larger(sums.tries, seen->tries);
		sums.other_pages += !seen->same_page;
	}
	qsort(ns, updates->done, sizeof(*ns), by_magnitude);
	sums.median_ns = ns[updates->done / 2];
	sums.worst_ns = ns[updates->done - 1];
	free(ns);
	return sums;
}

/* Titles are as of an unsettled one; without the first word, of a settled one. */
#define UNSETTLED "unsettled "

static const struct {
	const char *name, *unit, *title, *meaning;
	size_t value;
	bool limited;
} beside_step[] = {
	{ "update_tsc_step", "cycles", UNSETTLED "live update: TSC",
	  "Worst step of a guest's TSC over a live update, all vCPUs' together",
	  offsetof(struct sums, cycles), true },
	{ "update_step_median", "ns", UNSETTLED "live update: median",
	  "Median step of a guest's clock over a live update", offsetof(struct sums, median_ns), false },
	{ "update_stated_error", "ns", UNSETTLED "live update: stated against seen",
	  "What the library states of a live update against what the guests saw, at worst",
	  offsetof(struct sums, stated_error_ns), false },
	{ "update_tier", "1", UNSETTLED "live update: tier",
	  "Highest tier that a live update came to: 0 exact, 1 corrected",
	  offsetof(struct sums, tier), false },
	{ "update_tries", "1", UNSETTLED "live update: corrections, at most",
	  "Most corrections that a live update took", offsetof(struct sums, tries), false },
	{ "update_other_pages", "1", UNSETTLED "live update: page not the same, runs",
	  "Live updates after which the guest's page was not the same, bit for bit",
	  offsetof(struct sums, other_pages), false },
};

static void add_figures(struct selftest *test, const struct figure *step, const struct sums *sums, bool settled)
{
	figure_uncertainty(selftest_figure(test, step, sums->worst_ns, NULL), 1);
	for (size_t i = 0; i < sizeof(beside_step) / sizeof(*beside_step); i++) {
		const struct figure figure = {
			.name = beside_step[i].name, .what = step->what, .guest = step->guest,
			.unit = beside_step[i].unit, .meaning = beside_step[i].meaning,
			.title = beside_step[i].title + (settled ? strlen(UNSETTLED) : 0),
			.unlimited = !beside_step[i].limited,
		};

		selftest_figure(test, &figure,
				*(const uint64_t *)((const char *)sums + beside_step[i].value), NULL);
	}
}

static void do_updates(struct selftest *test, const struct guest_kind *guest, bool settled,
		       unsigned int runs)
{
	struct updates updates = { .khz = guest->khz, .settled = settled };
	const struct figure figure = {
		.name = "step", .what = settled ? "live_update" : "live_update_unsettled",
		.unit = "ns", .guest = guest->word,
		.meaning = "Worst step of a guest's clock while this was done to its VM",
		.title = settled ? "live update by libkvmclock" : "unsettled live update by libkvmclock",
	};
	const char *why = NULL;
	struct sums sums;

	if (test->no_offsets) {
		selftest_figure(test, &figure, 0, test->no_offsets);
		return;
	}
	updates.seen = calloc(runs, sizeof(*updates.seen));
	if (!updates.seen)
		abort();
	while (updates.done < runs && !why) {
		progress("selftest: %s: %u of %u", figure.title, updates.done + 1, runs);
		why = selftest_attempt(measure_one, &updates);
	}
	for (unsigned int i = 0; i < updates.done; i++)
		add_move(test, figure.what, guest->word, &updates.seen[i], i + 1);
	add_series(test, figure.what, guest->word, figure.title, &updates);
	if (why) {
		selftest_broken(test, &figure, why);
	} else {
		sums = sum_up(&updates);
		add_figures(test, &figure, &sums, settled);
	}
	free(updates.seen);
}

void selftest_updates(struct selftest *test)
{
	document_list(test->doc, "moves");
	for (int g = 0; g < test->guest_count && test->runs; g++)
		do_updates(test, &test->guests[g], true, test->runs);
	for (int g = 0; g < test->guest_count && test->runs; g++)
		do_updates(test, &test->guests[g], false, (test->runs + 4) / 5);
}
