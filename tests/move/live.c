// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A live update by libkvmclock on one host, many times over: what the library
 * says, against what the guests of the old VM and the new one read at one TSC.
 */
#include <stdio.h>
#include <stdlib.h>

#include "scene.h"
#include "tap.h"
#include "update.h"

#define VCPUS 2
#define BUDGET_NS 50
/* Bounds that a busy machine does not reach. */
#define MAX_TRIES 4000
#define MAX_TIME_US 500000
#define COST_NS 2000000
#define FINISH_NS 5000000
#define COST_RUNS 7
#define COST_RUNS_MOST 200

static uint64_t magnitude(int64_t x)
{
	return x < 0 ? -(uint64_t)x : (uint64_t)x;
}

static int by_magnitude(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void figure(const char *kind, const char *name, long long value, const char *unit)
{
	char text[64];

	snprintf(text, sizeof(text), "%s_%s", kind, name);
	tap_figure("live", text, value, unit);
}

static const struct kvmclock_request request = {
	.size = sizeof(request), .policy = KVMCLOCK_LIVE_UPDATE, .lowest_tier = KVMCLOCK_TIER_1,
	.max_step_ns = BUDGET_NS, .max_time_us = MAX_TIME_US, .max_tries = MAX_TRIES,
};

static void many(const char *kind, uint32_t khz, int runs, bool settled)
{
	uint64_t *ns = calloc((size_t)runs, sizeof(*ns)), apart_worst = 0, cycles = 0;
	uint32_t tries = 0, tier = 0;
	int pages = 0, i;

	if (!ns)
		tap_bail("calloc");
	for (i = 0; i < runs; i++) {
		struct update seen = update(khz, VCPUS, settled, &request);
		uint64_t apart = magnitude(seen.step_ns - seen.stated_ns);

		ns[i] = magnitude(seen.step_ns);
		apart_worst = apart > apart_worst ? apart : apart_worst;
		cycles += seen.tsc_step_cycles;
		tries = seen.tries > tries ? seen.tries : tries;
		tier = seen.tier;
		pages += seen.same_page;
	}
	qsort(ns, (size_t)runs, sizeof(*ns), by_magnitude);
	tap_ok(cycles == 0, "live %s: TSCs go on to the cycle", kind);
	tap_ok(ns[runs - 1] <= BUDGET_NS, "live %s: the clock goes on within %d ns", kind, BUDGET_NS);
	/* Unsettled, the stock KVM draws the clock anew after it was set. */
	if (settled || host()->line)
		tap_ok(apart_worst <= 1, "live %s: the stated residual is what the guest sees, to 1 ns",
		       kind);
	if (host()->line) {
		tap_ok(tier == KVMCLOCK_TIER_0, "live %s: tier 0", kind);
		tap_ok(ns[runs - 1] == 0, "live %s: 0 ns", kind);
		tap_ok(pages == runs, "live %s: the page is the same, bit for bit", kind);
	} else if (!host()->svm && settled) {
		if (!khz)
			tap_ok(ns[runs / 2] == 0, "live %s: median 0 ns", kind);
		tap_ok(ns[runs - 1] <= 3, "live %s: at worst 3 ns", kind);
	}
	figure(kind, "runs", runs, "runs");
	figure(kind, "tier", tier, "tier");
	figure(kind, "step_median", (long long)ns[runs / 2], "ns");
	figure(kind, "step_worst", (long long)ns[runs - 1], "ns");
	figure(kind, "stated_against_seen", (long long)apart_worst, "ns");
	figure(kind, "tsc_step", (long long)cycles, "cycles");
	figure(kind, "tries_worst", tries, "tries");
	free(ns);
}

struct cost {
	uint64_t save_ns, restore_ns;	/* beyond the ioctls' own time */
	uint64_t finish_ns, finish_calls_ns;
	uint32_t tries;
};

static uint64_t beyond_calls_ns(const struct monitor *monitor, uint64_t start_htsc)
{
	return (host_tsc() - start_htsc) * 1000000 / host()->khz - monitor->calls_ns;
}

static struct cost cost_once(struct monitor *from)
{
	const struct kvmclock_request request = {
		.size = sizeof(request), .policy = KVMCLOCK_LIVE_UPDATE, .flags = KVMCLOCK_SAME_HOST,
		.lowest_tier = KVMCLOCK_TIER_1, .max_step_ns = BUDGET_NS,
		.max_tries = MAX_TRIES, .max_time_us = MAX_TIME_US,
	};
	static struct monitor to;
	struct kvmclock_error error = { .size = sizeof(error) };
	struct cost cost;
	uint64_t start;
	uint32_t i;

	monitor_begin_count(from);
	start = host_tsc();
	monitor_must(kvmclock_save(&from->handle, &from->abilities, &from->state, &error), &error);
	cost.save_ns = beyond_calls_ns(from, start);
	monitor_open(&to);
	monitor_must(kvmclock_restore_vm(&to.restore, &to.handle, &from->state, &to.abilities, &request,
					 &error), &error);
	while (to.vm.count < VM_MAX_VCPUS)
		to.vcpu_fds[to.handle.vcpu_count++] = vm_add_vcpu(&to.vm)->fd;
	monitor_begin_count(&to);
	start = host_tsc();
	for (i = 0; i < VM_MAX_VCPUS; i++)
		monitor_must(kvmclock_restore_vcpu(&to.restore, &to.handle, i, &error), &error);
	cost.restore_ns = beyond_calls_ns(&to, start);
	monitor_begin_count(&to);
	start = host_tsc();
	monitor_must(kvmclock_restore_finish(&to.restore, &to.handle, &to.result, &error), &error);
	cost.finish_calls_ns = to.calls_ns;
	cost.finish_ns = beyond_calls_ns(&to, start) + to.calls_ns;
	cost.tries = to.result.tries;
	monitor_close(&to);
	return cost;
}

static uint64_t beyond_ioctls_ns(const struct cost *cost)
{
	return cost->save_ns + cost->restore_ns + cost->finish_ns - cost->finish_calls_ns;
}

/* The limits are the SVM host's: the other one emulates a processor of 100 MHz. */
static bool is_within_limits(const struct cost *cost)
{
	return !host()->svm || (beyond_ioctls_ns(cost) < COST_NS && cost->finish_ns < FINISH_NS);
}

/*
 * What 64 vCPUs cost: the least of each part, for the emulator's machine has
 * other work, too; that much of it may be in all of the first runs.
 */
static void cost(void)
{
	static struct monitor from;
	struct cost least = { .save_ns = UINT64_MAX, .restore_ns = UINT64_MAX, .finish_ns = UINT64_MAX };
	int i;

	monitor_open(&from);
	monitor_start(&from, 0, VM_MAX_VCPUS);
	for (i = 0; i < COST_RUNS || (!is_within_limits(&least) && i < COST_RUNS_MOST); i++) {
		struct cost cost = cost_once(&from);

		least.save_ns = cost.save_ns < least.save_ns ? cost.save_ns : least.save_ns;
		least.restore_ns = cost.restore_ns < least.restore_ns ? cost.restore_ns : least.restore_ns;
		if (cost.finish_ns < least.finish_ns) {
			least.finish_ns = cost.finish_ns;
			least.finish_calls_ns = cost.finish_calls_ns;
			least.tries = cost.tries;
		}
	}
	tap_figure("live", "64_vcpus_save_beyond_ioctls", (long long)least.save_ns / 1000, "us");
	tap_figure("live", "64_vcpus_restore_beyond_ioctls", (long long)least.restore_ns / 1000, "us");
	tap_figure("live", "64_vcpus_finish", (long long)least.finish_ns / 1000, "us");
	tap_figure("live", "64_vcpus_finish_ioctls", (long long)least.finish_calls_ns / 1000, "us");
	tap_figure("live", "64_vcpus_finish_tries", least.tries, "tries");
	tap_figure("live", "64_vcpus_cost_runs", i, "runs");
	if (host()->svm) {
		tap_ok(beyond_ioctls_ns(&least) < COST_NS,
		       "live cost: 64 vCPUs take under 2 ms beyond the ioctls");
		tap_ok(least.finish_ns < FINISH_NS, "live cost: the corrections take under 5 ms");
	}
	monitor_close(&from);
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 100;

	many("native", 0, runs, true);
	many("native_unsettled", 0, runs / 5, false);
	if (host()->scaling) {
		many("scaled", scene_scaled_khz(), runs, true);
		many("scaled_unsettled", scene_scaled_khz(), runs / 5, false);
	}
	cost();
	return tap_end();
}
