// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * On a host with KVM: kvmclock predict is asked what a restore of a saved VM would do,
 * then it is done, and what came is held against what was said; and kvmclock diff
 * against what was measured.  Each policy in turn; as TAP.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lab/tap.h"
#include "monitor.h"
#include "probe.h"

enum { VCPUS = 2, BUDGET_NS = 200 };

static uint8_t bytes[4096];
static struct kvmclock_error e = { .size = sizeof(e) };

static void save(struct monitor *monitor, const char *path)
{
	size_t used = 0;
	FILE *file = fopen(path, "w");

	monitor_must(kvmclock_save(&monitor->handle, &monitor->abilities, &monitor->state, &e), &e);
	monitor_must(kvmclock_encode(&monitor->state, bytes, sizeof(bytes), &used, &e), &e);
	if (!file || fwrite(bytes, 1, used, file) != used || fclose(file))
		tap_bail("%s", path);
}

/* A new VM with the state that was saved. */
static void open_saved(struct monitor *monitor)
{
	FILE *file = fopen("state", "r");
	size_t length = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

	monitor_open(monitor);
	monitor_must(kvmclock_decode(bytes, length, &monitor->state, &e), &e);
	fclose(file);
}

/* The command's document; *code is its exit. */
static struct json_object *ask(int *code, const char *command, ...)
{
	char text[512];
	va_list more;
	int status;

	va_start(more, command);
	vsnprintf(text, sizeof(text), command, more);
	va_end(more);
	fflush(stdout);
	status = system(text);
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return json_object_from_file("said.json");
}

static uint64_t number(struct json_object *of, const char *key)
{
	struct json_object *value = json_object_object_get(of, key);

	return value ? json_object_get_uint64(value) : KVMCLOCK_UNKNOWN;
}

static int64_t figure(struct json_object *doc, const char *name)
{
	struct json_object *list = json_object_object_get(doc, "figures");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);

		if (!strcmp(json_object_get_string(json_object_object_get(one, "name")), name))
			return json_object_get_int64(json_object_object_get(one, "value"));
	}
	return INT64_MAX;
}

/* What was said, before it is done. */
struct said {
	int exit;
	bool possible;
	uint64_t tier, step_ns, step_cycles, elapsed_ns;
};

static struct said predict(const char *policy)
{
	struct said said = { 0 };
	struct json_object *doc = ask(&said.exit, "kvmclock predict --json --policy %s --budget-ns %d "
				      "--budget-ppb 10 --lowest-tier 1 state >said.json", policy, BUDGET_NS);
	struct json_object *plan = json_object_array_get_idx(json_object_object_get(doc, "plans"), 0);

	said.possible = json_object_get_boolean(json_object_object_get(plan, "possible"));
	said.tier = number(plan, "tier");
	said.step_ns = number(plan, "step_ns");
	said.step_cycles = number(plan, "step_cycles");
	said.elapsed_ns = number(plan, "elapsed_ns");
	printf("# %s: exit %d, tier %" PRIu64 ", at most %" PRIu64 " ns, %" PRIu64 " cycles, elapsed %" PRIu64 " ns\n",
	       policy, said.exit, said.tier, said.step_ns, said.step_cycles, said.elapsed_ns);
	json_object_put(doc);
	return said;
}

static void check_diff(const char *policy, const struct said *said)
{
	int code;
	struct json_object *doc = ask(&code, "kvmclock diff --json --policy %s --budget-ns %" PRIu64
				      " --budget-ppb 10 state after >said.json", policy, said->step_ns);
	int64_t step = figure(doc, "clock_step"), cycles = figure(doc, "tsc_step");

	printf("# %s: diff: exit %d, clock %" PRId64 " ns, TSC %" PRId64 " cycles\n", policy, code, step, cycles);
	tap_ok(step >= -(int64_t)said->step_ns && step <= (int64_t)said->step_ns,
	   "%s: diff finds the clock's step within what was predicted", policy);
	/* Elsewhere time passes between the chosen instant and the second save. */
	if (!strcmp(policy, "live-update"))
		tap_ok(!code && !cycles, "%s: diff finds the TSC as it was to be, and all good", policy);
	json_object_put(doc);
}

/* What people read. */
static void show(const char *arguments)
{
	char text[256];

	printf("# $ kvmclock %s\n", arguments);
	fflush(stdout);
	snprintf(text, sizeof(text), "kvmclock %s | sed 's/^/# /'", arguments);
	if (system(text) < 0)
		tap_bail("%s", text);
}

static void move(uint32_t by, const char *policy)
{
	static struct monitor old, new;
	struct kvmclock_request request = { .size = sizeof(request), .policy = by, .max_step_ns = BUDGET_NS,
		.flags = KVMCLOCK_NO_BACKWARDS, .max_rate_ppb = 10, .lowest_tier = KVMCLOCK_TIER_1,
		/* Bounds that a busy machine does not reach. */
		.max_tries = 4000, .max_time_us = 500000 };
	const struct kvmclock_verdict *seen = &new.before_run;
	uint64_t elapsed_ns;
	struct said said;

	monitor_open(&old);
	monitor_start(&old, 0, VCPUS);
	save(&old, "state");
	usleep(20000);
	said = predict(policy);
	tap_ok(said.possible && !said.exit, "%s: predicted to be good", policy);
	open_saved(&new);
	monitor_restore(&new, &request, true);
	elapsed_ns = new.restore.plan.elapsed_ns;
	tap_diag("%s: done: tier %u, %" PRIu64 " ns, %" PRIu64 " cycles, elapsed %" PRIu64 " ns", policy,
		 new.result.tier, seen->worst_ns, seen->worst_cycles, elapsed_ns);
	tap_ok(new.result.tier == said.tier, "%s: the tier that was predicted", policy);
	tap_ok(seen->worst_ns <= said.step_ns, "%s: the clock within the step that was predicted", policy);
	tap_ok(seen->worst_cycles <= said.step_cycles, "%s: the TSC within the step that was predicted", policy);
	tap_ok(elapsed_ns >= said.elapsed_ns &&
	       elapsed_ns - said.elapsed_ns < (by >= KVMCLOCK_FROZEN ? 1 : 20000000000ull),
	       "%s: the time away that was predicted, and what passed since", policy);
	save(&new, "after");
	check_diff(policy, &said);
	if (by == KVMCLOCK_LIVE_UPDATE) {
		show("decode state");
		show("predict --policy live-update --budget-ns 200 state");
		show("diff state after");
	}
	monitor_close(&old);
	monitor_close(&new);
}

/* What was refused is refused. */
static void refuse(void)
{
	static struct monitor new;
	int code, said, ret;
	struct json_object *doc = ask(&code, "kvmclock predict --json --policy live-update --budget-ns 0 "
				      "--lowest-tier 0 state >said.json");
	struct json_object *plan = json_object_array_get_idx(json_object_object_get(doc, "plans"), 0);
	struct kvmclock_request request = { .size = sizeof(request), .policy = KVMCLOCK_LIVE_UPDATE,
					    .flags = KVMCLOCK_NO_BACKWARDS };

	open_saved(&new);
	ret = kvmclock_restore_vm(&new.restore, &new.handle, &new.state, &new.abilities, &request, &e);
	said = json_object_get_int(json_object_object_get(plan, "code"));
	tap_diag("no step, tier 0: predicted %d, restored %d", said, ret);
	tap_ok(said == ret, "with no budget, the restore's code");
	tap_ok(code == (ret ? 1 : 0), "... and its exit");
	json_object_put(doc);
	monitor_close(&new);
}

int main(void)
{
	move(KVMCLOCK_LIVE_UPDATE, "live-update");
	move(KVMCLOCK_ADVANCE, "advance");
	move(KVMCLOCK_FROZEN, "frozen");
	move(KVMCLOCK_CLONE, "clone");
	refuse();
	return tap_end();
}
