// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What a move of a saved state to a host would do. */
#include "plan.h"
#include "verbs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_POLICY = 0x200, KEY_HOST, KEY_ABILITIES, KEY_TIER, KEY_CYCLES, KEY_BACKWARDS, KEY_SAME };

static const struct argp_option options[] = {
	{ "policy", KEY_POLICY, "POLICY", 0,
	  "live-update, advance (the default), frozen or clone: what the time away is", 0 },
	{ "host", KEY_HOST, "FILE", 0, "The host's abilities, as --abilities --json printed them there", 0 },
	{ "abilities", KEY_ABILITIES, NULL, 0, "Print this host's abilities only; no state is read", 0 },
	{ "lowest-tier", KEY_TIER, "TIER", 0, "The lowest tier that is good, 0 to 3 (default 3, the lowest)", 0 },
	{ "budget-cycles", KEY_CYCLES, "CYCLES", 0, "Steps of a TSC of up to CYCLES are good (default 0)", 0 },
	{ "allow-backwards", KEY_BACKWARDS, NULL, 0, "A clock that may go back is not unsafe", 0 },
	{ "same-host", KEY_SAME, NULL, 0, "live-update: it is the same host, no wall clock is looked at", 0 },
	{ 0 }
};

static struct {
	const char *path, *host;
	bool abilities;
	struct kvmclock_request request;
} asked = {
	.request = { .size = sizeof(struct kvmclock_request), .policy = KVMCLOCK_ADVANCE,
		     .flags = KVMCLOCK_NO_BACKWARDS, .lowest_tier = KVMCLOCK_TIER_3 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case KEY_POLICY:
		asked.request.policy = policy_of(argument);
		if (!asked.request.policy)
			argp_error(state, "%s: live-update, advance, frozen or clone", argument);
		return 0;
	case KEY_HOST:
		asked.host = argument;
		return 0;
	case KEY_ABILITIES:
		asked.abilities = true;
		return 0;
	case KEY_TIER:
		asked.request.lowest_tier = (uint32_t)option_number_to(argument, KVMCLOCK_TIER_3, state);
		return 0;
	case KEY_CYCLES:
		asked.request.max_step_cycles = option_number(argument, state);
		return 0;
	case KEY_BACKWARDS:
		asked.request.flags &= ~KVMCLOCK_NO_BACKWARDS;
		return 0;
	case KEY_SAME:
		asked.request.flags |= KVMCLOCK_SAME_HOST;
		return 0;
	case ARGP_KEY_ARG:
		if (asked.path)
			argp_error(state, "%s: one state only", argument);
		asked.path = argument;
		return 0;
	case ARGP_KEY_END:
		if (!asked.path == !asked.abilities)
			argp_error(state, "give a file with a saved state, or --abilities");
		if (asked.path && asked.host && !strcmp(asked.path, "-") && !strcmp(asked.host, "-"))
			argp_error(state, "only one of state and host can be stdin");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static enum verdict verdict_of(int code)
{
	switch (code) {
	case 0:
		return VERDICT_GOOD;
	case KVMCLOCK_E_BUDGET_STEP:
	case KVMCLOCK_E_BUDGET_TSC:
	case KVMCLOCK_E_BUDGET_RATE:
	case KVMCLOCK_E_BUDGET_TIER:
		return VERDICT_BEYOND_BUDGET;
	case KVMCLOCK_E_BACKWARDS:
		return VERDICT_UNSAFE;
	default:
		return VERDICT_UNMEASURED;
	}
}

/* A page's slope has 32 bits: so much of it is rounding. */
#define ROUNDING_PPB 2

/* The library's budget is for the TSC's rate; the clock's beside it counts as much. */
static void judge_slope(struct document *doc, int64_t slope_ppb)
{
	uint64_t limit = settings.budget_ppb > ROUNDING_PPB ? settings.budget_ppb : ROUNDING_PPB;
	struct json_object *figure =
		document_figure(doc, "predicted_slope_error", slope_ppb, "ppb",
				"the clock's rate against that TSC's, rounded away from 0", NULL);
	char says[160];

	figure_limit(doc, figure, limit);
	if (magnitude(slope_ppb) <= limit)
		return;
	snprintf(says, sizeof(says), "The clock would go %" PRId64 " ppb beside the TSC: this host's KVM draws another slope",
		 slope_ppb);
	document_finding(doc, "slope", VERDICT_BEYOND_BUDGET, says,
			 "choose a host of the guest's frequency, or one whose KVM draws the exact slope");
}

static void add_figures(struct document *doc, const struct kvmclock_plan *plan, bool has_reading)
{
	struct json_object *figure;

	document_figure(doc, "predicted_tier", plan->tier, "1", "the tier that would be reached, 0 is exact", NULL);
	figure = figure_u64(doc, "predicted_step", plan->step_ns, "ns", "worst step of the clock",
			    "at this tier nothing bounds it");
	object_uint(figure, "limit", asked.request.max_step_ns);
	figure = figure_u64(doc, "predicted_tsc_step", plan->step_cycles, "cycles", "worst step of a TSC",
			    "at this tier nothing bounds it");
	object_uint(figure, "limit", asked.request.max_step_cycles);
	figure = document_figure(doc, "predicted_rate_error", plan->rate_error_ppb, "ppb",
				 "the TSC's rate against the state's, rounded away from 0", NULL);
	object_uint(figure, "limit", asked.request.max_rate_ppb);
	judge_slope(doc, plan->slope_error_ppb);
	if (!has_reading)
		return;
	figure = figure_u64(doc, "predicted_elapsed", plan->elapsed_ns, "ns",
			    "time away that would be counted, were it now", "");
	if (plan->elapsed_error_ns != KVMCLOCK_UNKNOWN)
		figure_uncertainty(figure, plan->elapsed_error_ns);
}

/* A host's file may be older than the state: what it read then is no time to come back at. */
static void drop_old_reading(struct document *doc, const struct kvmclock_state *state,
			     struct kvmclock_abilities *here)
{
	if (!(here->bits & KVMCLOCK_HAS_READING) || !(state->flags & KVMCLOCK_STATE_REALTIME) ||
	    here->now.realtime_ns >= state->at.realtime_ns)
		return;
	here->bits &= ~KVMCLOCK_HAS_READING;
	document_finding(doc, "no_reading", VERDICT_GOOD,
			 "The host's abilities are older than the state: "
			 "whether it is the state's own host, and the time away, are not predicted",
			 "print the abilities anew on that host, after the save");
}

static void predict(struct document *doc, const struct kvmclock_state *state,
		    const struct kvmclock_abilities *here)
{
	struct kvmclock_plan plan, other;
	struct kvmclock_error error, ignored;
	char says[512];
	int code = document_plan(doc, state, here, &asked.request, &plan, &error);

	snprintf(says, sizeof(says), code ? "%s is refused: %s" : "%s would be within the budget",
		 policy_name(asked.request.policy), kvmclock_strerror(code));
	document_finding(doc, "move", verdict_of(code), says, code ? error.advice : NULL);
	/* A refusal by its arguments has no plan to show. */
	if (plan.size && (code == plan.verdict))
		add_figures(doc, &plan, here->bits & KVMCLOCK_HAS_READING);
	for (uint32_t policy = 1; policy <= POLICIES; policy++) {
		struct kvmclock_request request = asked.request;

		request.policy = policy;
		if (policy != asked.request.policy)
			document_plan(doc, state, here, &request, &other, &ignored);
	}
}

static int run(struct document *doc)
{
	struct kvmclock_abilities here;
	struct saved saved = { 0 };
	int ret = asked.host ? abilities_read(asked.host, &here) : abilities_probe(&here, doc);

	asked.request.max_step_ns = settings.budget_ns;
	asked.request.max_rate_ppb = settings.budget_ppb;
	if (!ret && asked.path)
		ret = saved_read(asked.path, &saved, doc);
	if (!ret && asked.host && asked.path)
		drop_old_reading(doc, &saved.state, &here);
	if (!ret)
		json_object_object_add(document_json(doc), "abilities", abilities_json(&here));
	if (!ret && asked.path)
		predict(doc, &saved.state, &here);
	if (!ret && asked.path)
		object_text(document_json(doc), "file", saved.path);
	saved_free(&saved);
	return ret;
}

static void print(struct document *doc, FILE *to)
{
	struct json_object *abilities = json_object_object_get(document_json(doc), "abilities");
	struct json_object *plans = document_list(doc, "plans");

	if (!abilities)
		return;
	print_abilities(abilities, to);
	if (!json_object_array_length(plans)) {
		print_findings(doc, to);
		return;
	}
	fprintf(to, "state:  %s\n", json_object_get_string(json_object_object_get(document_json(doc), "file")));
	print_findings(doc, to);
	print_figures(doc, to);
	print_reasons("why", json_object_array_get_idx(plans, 0), to);
	fputs("by another policy:\n", to);
	for (size_t i = 1; i < json_object_array_length(plans); i++)
		print_plan(json_object_array_get_idx(plans, i), to);
}

const struct verb verb_predict = {
	.name = "predict",
	.says = "What a move of a saved state to a host would do",
	.arguments = "STATE|-\n--abilities",
	.explains = "Asks this host's KVM, by a small VM that never runs, or reads another host's abilities from a file, "
		"and plans the restore as libkvmclock would. Nothing is changed.",
	.options = options,
	.uses = USES_BUDGET_NS | USES_BUDGET_PPB | USES_ROOT,
	.parse = parse,
	.run = run,
	.print = print,
};
