// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Two saved states of one VM: what differs, and what of it the guest can tell.
 * The clock is compared at one TSC of the guest's, where no time passes; the TSC
 * at one instant, which the host's TSC tells if it is the same host's.
 */
#include "diff.h"
#include "plan.h"
#include "verbs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_CYCLES = 0x200, KEY_POLICY };

static const struct argp_option options[] = {
	{ "budget-cycles", KEY_CYCLES, "CYCLES", 0, "Steps of a TSC of up to CYCLES are good (default 0)", 0 },
	{ "policy", KEY_POLICY, "POLICY", 0,
	  "What the time between A and B is: live-update (the default, where both have the same host's TSC), "
	  "advance (the default else), frozen or clone", 0 },
	{ 0 }
};

static const char *paths[2];
static uint64_t budget_cycles;
static uint32_t policy;		/* 0: as it is found */

static error_t parse(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case KEY_CYCLES:
		budget_cycles = option_number(argument, state);
		return 0;
	case KEY_POLICY:
		policy = policy_of(argument);
		if (!policy)
			argp_error(state, "%s: live-update, advance, frozen or clone", argument);
		return 0;
	case ARGP_KEY_ARG:
		if (paths[1])
			argp_error(state, "%s: two files only", argument);
		paths[paths[0] ? 1 : 0] = argument;
		return 0;
	case ARGP_KEY_END:
		if (!paths[1])
			argp_error(state, "give two files with saved states");
		if (!strcmp(paths[0], "-") && !strcmp(paths[1], "-"))
			argp_error(state, "only one of the two can be stdin");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int64_t worse(int64_t a, int64_t b)
{
	uint64_t of_a = magnitude(a), of_b = magnitude(b);

	/* Of two that are as great, the one that goes back. */
	return of_b > of_a || (of_b == of_a && b < a) ? b : a;
}

static uint64_t later_of(uint64_t a, uint64_t b)
{
	return (int64_t)(b - a) > 0 ? b : a;
}

/* At a TSC before its point a line says nothing: no guest reads it there. */
static int64_t line_step_ns(const struct kvmclock_state *a, const struct kvmclock_state *b,
			    uint64_t gtsc)
{
	gtsc = later_of(gtsc, later_of(a->line_gtsc, b->line_gtsc));
	return (int64_t)(line_at_ns(b, gtsc) - line_at_ns(a, gtsc));
}

static unsigned __int128 slope_of(const struct kvmclock_state *state)
{
	return (unsigned __int128)state->line_mul << (state->line_shift + 31);
}

static void diff_clock(struct document *doc, const struct kvmclock_state *a,
		       const struct kvmclock_state *b)
{
	static const char *const at_a[] = { "at", "a", NULL }, *const at_b[] = { "at", "b", NULL };
	const char *what = "clock B against clock A at the TSC that vCPU 0 had";
	uint32_t both = a->flags & b->flags;
	int64_t step_a, step_b;
	struct json_object *rate;

	if (!(both & KVMCLOCK_STATE_LINE) || !(both & (KVMCLOCK_STATE_HOST_TSC | KVMCLOCK_STATE_TSC)) ||
	    !common_vcpus(a, b)) {
		document_no_figure(doc, "clock_step", "ns", what, "not both states have a line and vCPU 0's TSC");
		document_finding(doc, "clock", VERDICT_UNMEASURED,
				 "The clock's step cannot be told: not both states have a line over the TSC",
				 "save both by libkvmclock, while the VM's clock is a line");
		return;
	}
	step_a = line_step_ns(a, b, gtsc_at(a, 0, a->at.htsc));
	step_b = line_step_ns(a, b, gtsc_at(b, 0, b->at.htsc));
	object_uint(document_figure(doc, "clock_step", step_a, "ns", what, at_a), "limit", settings.budget_ns);
	object_uint(document_figure(doc, "clock_step", step_b, "ns", what, at_b), "limit", settings.budget_ns);
	judge_step(doc, "clock", "the clock", "ns", worse(step_a, step_b), 0, settings.budget_ns);
	rate = document_figure(doc, "slope_step", apart_ppb(slope_of(a), slope_of(b)), "ppb",
			       "the clock's rate against the TSC, B beyond A, rounded away from 0", NULL);
	figure_limit(doc, rate, settings.budget_ppb);
	judge_rate(doc, "slope", "the clock's rate against the TSC",
		   json_object_get_int64(json_object_object_get(rate, "value")));
}

/* What passed for a TSC from A's reading to B's. */
struct passed {
	bool known, by_htsc;
	uint64_t ns, error_ns;
};

static int ask_plan(const struct kvmclock_state *a, const struct kvmclock_state *b, uint32_t by,
		    struct kvmclock_plan *plan)
{
	struct kvmclock_abilities there = abilities_all(b);
	struct kvmclock_request request = request_any(by);

	there.bits |= KVMCLOCK_HAS_READING;
	there.now = b->at;
	if (!(b->flags & KVMCLOCK_STATE_REALTIME))
		there.now.realtime_ns = 0;
	*plan = (struct kvmclock_plan) { .size = sizeof(*plan) };
	return kvmclock_plan(a, &there, &request, plan, NULL);
}

/* B's reading taken for a destination's, the library tells whose TSC it is, and how far. */
static struct passed passed_between(const struct kvmclock_state *a, const struct kvmclock_state *b,
				    uint32_t *by)
{
	uint32_t both = a->flags & b->flags;
	struct passed passed = { 0 };
	struct kvmclock_plan plan;

	if ((!*by || *by == KVMCLOCK_LIVE_UPDATE) && both & KVMCLOCK_STATE_HOST_TSC &&
	    !ask_plan(a, b, KVMCLOCK_LIVE_UPDATE, &plan)) {
		*by = KVMCLOCK_LIVE_UPDATE;
		return (struct passed) { .known = true, .by_htsc = true };
	}
	if (!*by)
		*by = KVMCLOCK_ADVANCE;
	if (*by == KVMCLOCK_FROZEN || *by == KVMCLOCK_CLONE)
		passed.known = true;
	if (*by == KVMCLOCK_ADVANCE && both & KVMCLOCK_STATE_REALTIME &&
	    !ask_plan(a, b, KVMCLOCK_ADVANCE, &plan) && plan.elapsed_error_ns != KVMCLOCK_UNKNOWN)
		passed = (struct passed) { true, false, plan.elapsed_ns, plan.elapsed_error_ns };
	return passed;
}

/* The TSC that A's vCPU would have at B's reading. */
static uint64_t gtsc_then(const struct kvmclock_state *a, const struct kvmclock_state *b, uint32_t vcpu,
			  const struct passed *passed)
{
	if (passed->by_htsc)
		return gtsc_at(a, vcpu, b->at.htsc);
	return gtsc_at(a, vcpu, a->at.htsc) +
	       (uint64_t)((unsigned __int128)passed->ns * a->vcpus[vcpu].tsc_khz / 1000000);
}

static void diff_tsc(struct document *doc, const struct kvmclock_state *a,
		     const struct kvmclock_state *b)
{
	uint32_t by = policy, count = common_vcpus(a, b), worst_vcpu = 0;
	struct passed passed = passed_between(a, b, &by);
	const char *what = "TSC B against TSC A at one instant, the worst vCPU's";
	uint64_t uncertainty = 0;
	int64_t worst = 0;
	struct json_object *figure;

	object_text(document_json(doc), "policy", policy_name(by));
	if (!passed.known || !count || !(a->flags & b->flags & KVMCLOCK_STATE_TSC)) {
		document_no_figure(doc, "tsc_step", "cycles", what, "no instant is known to both states");
		document_finding(doc, "tsc", VERDICT_UNMEASURED,
				 "The TSC's step cannot be told: the states have no host's TSC and no realtime in common",
				 "where no time was to pass from A to B, say --policy frozen");
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		int64_t step = (int64_t)(gtsc_at(b, i, b->at.htsc) - gtsc_then(a, b, i, &passed));
		unsigned __int128 cycles = (unsigned __int128)passed.error_ns * a->vcpus[i].tsc_khz;

		if (worse(worst, step) != worst)
			worst_vcpu = i;
		worst = worse(worst, step);
		if (passed.error_ns && cycles / 1000000 + 2 > uncertainty)
			uncertainty = cycles / 1000000 + 2 > INT64_MAX ? INT64_MAX : (uint64_t)(cycles / 1000000) + 2;
	}
	figure = document_figure(doc, "tsc_step", worst, "cycles", what, NULL);
	object_uint(figure, "limit", budget_cycles);
	figure_uncertainty(figure, uncertainty);
	object_uint(figure, "vcpu", worst_vcpu);
	judge_step(doc, "tsc", "the TSC", "cycles", worst, uncertainty, budget_cycles);
}

/* kHz * 2^62, by ratio where there is one. */
static unsigned __int128 rate_of(const struct kvmclock_state *state, uint32_t vcpu, bool by_ratio)
{
	const struct kvmclock_vcpu *v = &state->vcpus[vcpu];

	if (!by_ratio)
		return (unsigned __int128)v->tsc_khz << 62;
	return (unsigned __int128)v->tsc_ratio * state->host_khz << (62 - state->frac_bits);
}

static void diff_rate(struct document *doc, const struct kvmclock_state *a,
		      const struct kvmclock_state *b)
{
	bool by_ratio = a->flags & b->flags & KVMCLOCK_STATE_HOST_TSC;
	int64_t worst = 0;

	for (uint32_t i = 0; i < common_vcpus(a, b); i++)
		worst = worse(worst, apart_ppb(rate_of(a, i, by_ratio), rate_of(b, i, by_ratio)));
	figure_limit(doc, document_figure(doc, "tsc_rate_step", worst, "ppb",
					  "the TSC's rate, B beyond A, the worst vCPU's, rounded away from 0", NULL),
		     settings.budget_ppb);
	judge_rate(doc, "rate", "the TSC's rate", worst);
}

static int run(struct document *doc)
{
	struct saved a = { 0 }, b = { 0 };
	int ret = saved_read(paths[0], &a, doc);

	if (!ret)
		ret = saved_read(paths[1], &b, doc);
	if (!ret) {
		object_text(document_json(doc), "a", a.path);
		object_text(document_json(doc), "b", b.path);
		if (a.state.vcpu_count != b.state.vcpu_count)
			document_finding(doc, "vcpus", VERDICT_UNMEASURED,
					 "The states have not as many vCPUs: the first ones are compared",
					 "compare two states of one VM");
		diff_fields(doc, &a.state, &b.state);
		diff_clock(doc, &a.state, &b.state);
		diff_tsc(doc, &a.state, &b.state);
		diff_rate(doc, &a.state, &b.state);
	}
	saved_free(&a);
	saved_free(&b);
	return ret;
}

static void print(struct document *doc, FILE *to)
{
	struct json_object *json = document_json(doc);

	if (!json_object_object_get(json, "policy"))
		return;
	fprintf(to, "A: %s\nB: %s\nfrom A to B: %s\n", known_in(json, "a"), known_in(json, "b"),
		known_in(json, "policy"));
	print_findings(doc, to);
	print_figures(doc, to);
	print_differences(json, to);
}

const struct verb verb_diff = {
	.name = "diff",
	.says = "What differs between two saved states of a VM, and what the guest can tell of it",
	.arguments = "A B",
	.explains = "The clock is compared at one TSC of the guest's, the TSC at one instant: by the host's TSC where both "
		"states are of one host, by realtime else.",
	.options = options,
	.uses = USES_BUDGET_NS | USES_BUDGET_PPB,
	.parse = parse,
	.run = run,
	.print = print,
};
