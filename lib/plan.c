// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What a restore would do: pure. */
#include "internal.h"

static int64_t tai_ns(const struct kvmclock_reading *at, bool offsets_known)
{
	uint64_t offset_ns = offsets_known ? (uint64_t)at->tai_offset_s * KC_NS_PER_S : 0;

	return (int64_t)((uint64_t)at->realtime_ns + offset_ns);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* By how much two readings of realtime may be wrong together. */
static uint64_t stated_error_ns(const struct kvmclock_reading *a, const struct kvmclock_reading *b)
{
	return sum(sum(a->realtime_error_ns, b->realtime_error_ns), sum(a->width_ns, b->width_ns));
}

/*
 * Is now's TSC that of the state's host, never restarted?  Only if it passed the
 * time that TAI did, to what both realtimes state: where that is a second or
 * more they tell nothing.  Another host's TSC that is as near is no worse.
 */
static bool is_same_host(const struct kvmclock_state *state, const struct kvmclock_reading *now,
			 uint64_t tai_apart_ns)
{
	uint64_t allowed = stated_error_ns(&state->at, now);
	uint64_t ns = kc_mul_div_floor(now->htsc - state->at.htsc, 1000000, state->host_khz);

	return (state->flags & KVMCLOCK_STATE_HOST_TSC) && now->htsc >= state->at.htsc &&
	       allowed < KC_NS_PER_S && distance(ns, tai_apart_ns) <= allowed;
}

static int64_t tai_apart_ns(const struct kvmclock_state *state, const struct kvmclock_reading *now)
{
	bool known = state->at.tai_offset_s && now->tai_offset_s;

	return (int64_t)((uint64_t)tai_ns(now, known) - (uint64_t)tai_ns(&state->at, known));
}

/* A live update takes nothing from a wall clock, but one may say that this is no such thing. */
static bool may_be_same_host(const struct kvmclock_state *state,
			     const struct kvmclock_reading *now, uint64_t tsc_ns)
{
	int64_t apart_ns = tai_apart_ns(state, now);

	if (!(state->flags & KVMCLOCK_STATE_REALTIME) || !now->realtime_ns)
		return true;
	return apart_ns > -5 * (int64_t)KC_NS_PER_S &&
	       distance(tsc_ns, apart_ns < 0 ? 0 : (uint64_t)apart_ns) <=
	       magnitude(apart_ns) / 500 + 5 * KC_NS_PER_S;
}

static void count_live_update(const struct kvmclock_state *state,
			      const struct kvmclock_reading *now,
			      const struct kvmclock_request *request, struct kvmclock_plan *plan)
{
	uint64_t ns = kc_mul_div_floor(now->htsc - state->at.htsc, 1000000, state->host_khz);
	bool same = (state->flags & KVMCLOCK_STATE_HOST_TSC) && now->htsc >= state->at.htsc &&
		    (request->flags & KVMCLOCK_SAME_HOST || may_be_same_host(state, now, ns));

	plan->reasons |= same ? KVMCLOCK_REASON_SAME_HOST : KVMCLOCK_REASON_OTHER_HOST;
	if (same)
		plan->elapsed_ns = ns;
}

static void count_advance(const struct kvmclock_state *state, const struct kvmclock_reading *now,
			  struct kvmclock_plan *plan)
{
	int64_t apart = tai_apart_ns(state, now);

	plan->elapsed_error_ns = KVMCLOCK_UNKNOWN;
	if (!(state->flags & KVMCLOCK_STATE_REALTIME))
		return;
	if (apart < 0)
		plan->reasons |= KVMCLOCK_REASON_REALTIME_BACK;
	plan->elapsed_ns = apart < 0 ? 0 : (uint64_t)apart;
	plan->elapsed_error_ns = stated_error_ns(&state->at, now);
	plan->reasons |= apart >= 0 && is_same_host(state, now, plan->elapsed_ns) ?
		KVMCLOCK_REASON_SAME_HOST : KVMCLOCK_REASON_OTHER_HOST;
}

void count_elapsed(const struct kvmclock_state *state, const struct kvmclock_reading *now,
		   const struct kvmclock_request *request, struct kvmclock_plan *plan)
{
	const uint32_t these = KVMCLOCK_REASON_SAME_HOST | KVMCLOCK_REASON_OTHER_HOST |
			       KVMCLOCK_REASON_REALTIME_BACK;

	plan->reasons &= ~these;
	plan->elapsed_ns = plan->elapsed_error_ns = 0;
	if (request->policy == KVMCLOCK_LIVE_UPDATE)
		count_live_update(state, now, request, plan);
	if (request->policy == KVMCLOCK_ADVANCE)
		count_advance(state, now, plan);
}

static uint32_t reasons_of_state(const struct kvmclock_state *state,
				 const struct kvmclock_abilities *here)
{
	uint32_t reasons = 0;

	if (!(here->bits & KVMCLOCK_HAS_LINE))
		reasons |= KVMCLOCK_REASON_NO_LINE_IOCTLS;
	if (!(here->bits & KVMCLOCK_HAS_OFFSET))
		reasons |= KVMCLOCK_REASON_NO_OFFSET;
	if (!(state->flags & KVMCLOCK_STATE_LINE))
		reasons |= KVMCLOCK_REASON_NO_LINE;
	if (!(state->flags & KVMCLOCK_STATE_HOST_TSC))
		reasons |= KVMCLOCK_REASON_NO_HOST_TSC;
	if (!(state->flags & KVMCLOCK_STATE_REALTIME))
		reasons |= KVMCLOCK_REASON_NO_REALTIME;
	if (!(state->flags & KVMCLOCK_STATE_TSC) || !state->vcpu_count)
		reasons |= KVMCLOCK_REASON_NO_TSC;
	return reasons;
}

/* A vCPU's rate here; adds its reasons and errors to plan. */
static void plan_rate(const struct kvmclock_state *state, const struct kvmclock_abilities *here,
		      const struct kvmclock_vcpu *vcpu, struct kvmclock_plan *plan)
{
	struct kc_host host = host_of(here), source = host_of_state(state);
	struct kc_rate exact, drawn;
	bool catch_up;
	uint64_t ratio = ratio_here(here, vcpu->tsc_khz, &catch_up);
	int64_t ppb;

	if (catch_up)
		plan->reasons |= KVMCLOCK_REASON_CATCH_UP;
	if (!ratio) {
		plan->reasons |= KVMCLOCK_REASON_NO_SCALING;
		return;
	}
	exact = kc_rate_of_tsc_nearest(&host, ratio);
	if (state->flags & KVMCLOCK_STATE_HOST_TSC)
		ppb = rate_apart_ppb(exact, kc_rate_of_tsc_nearest(&source, vcpu->tsc_ratio));
	else
		ppb = rate_apart_ppb(exact, rate_of_khz_nearest(vcpu->tsc_khz));
	if (magnitude(ppb) > magnitude(plan->rate_error_ppb))
		plan->rate_error_ppb = ppb;
	if (ppb)
		plan->reasons |= KVMCLOCK_REASON_OTHER_RATE;
	drawn = rate_drawn(here, ratio);
	if (plan->tier == KVMCLOCK_TIER_0 && kc_rate_is_within_2ppb(line_of_state(state).rate, exact))
		drawn = line_of_state(state).rate;
	if (!(here->bits & KVMCLOCK_HAS_EXACT) && is_scaled(host.frac_bits, ratio))
		plan->reasons |= KVMCLOCK_REASON_SCALED_STOCK;
	ppb = rate_apart_ppb(exact, drawn);
	if (magnitude(ppb) > magnitude(plan->slope_error_ppb))
		plan->slope_error_ppb = ppb;
}

static uint32_t plan_tier(const struct kvmclock_abilities *here, uint32_t reasons)
{
	const uint32_t no_offset = KVMCLOCK_REASON_NO_OFFSET | KVMCLOCK_REASON_NO_TSC;
	const uint32_t no_line = KVMCLOCK_REASON_NO_LINE | KVMCLOCK_REASON_CATCH_UP;

	if (reasons & no_offset)
		return KVMCLOCK_TIER_3;
	if (reasons & no_line)
		return KVMCLOCK_TIER_2;
	if (here->bits & KVMCLOCK_HAS_LINE)
		return KVMCLOCK_TIER_0;
	/* Stock KVM is in host mode then, and its clock no line. */
	if (reasons & KVMCLOCK_REASON_UNEQUAL_TSCS)
		return KVMCLOCK_TIER_2;
	return here->bits & KVMCLOCK_HAS_HOST_TSC ? KVMCLOCK_TIER_1 : KVMCLOCK_TIER_2;
}

static void plan_steps(const struct kvmclock_state *state, const struct kvmclock_request *request,
		       struct kvmclock_plan *plan)
{
	plan->step_ns = plan->step_cycles = KVMCLOCK_UNKNOWN;
	if (plan->tier == KVMCLOCK_TIER_0)
		plan->step_ns = state->width_ns;
	if (plan->tier == KVMCLOCK_TIER_1)
		plan->step_ns = sum(state->width_ns, request->max_step_ns);
	if (plan->tier < KVMCLOCK_TIER_3 && !(plan->reasons & KVMCLOCK_REASON_CATCH_UP))
		plan->step_cycles = 0;
	if (!(plan->reasons & KVMCLOCK_REASON_NO_HOST_TSC) || plan->step_cycles)
		return;
	plan->step_cycles = KVMCLOCK_UNKNOWN;	/* each TSC was read at its own instant */
}

struct refusal {
	int code;
	const char *advice;
};

static struct refusal refusal_of(const struct kvmclock_state *state,
				 const struct kvmclock_request *request,
				 const struct kvmclock_plan *plan)
{
	/* What the save left open, and tier 1's residual, have the budget each. */
	uint64_t step_ns = plan->tier <= KVMCLOCK_TIER_1 ? state->width_ns : plan->step_ns;

	if (plan->reasons & KVMCLOCK_REASON_NO_SCALING)
		return (struct refusal) { KVMCLOCK_E_FREQUENCY,
			"choose a host with TSC scaling, or one of the guest's frequency" };
	if (request->policy == KVMCLOCK_LIVE_UPDATE && !(state->flags & KVMCLOCK_STATE_HOST_TSC))
		return (struct refusal) { KVMCLOCK_E_INCOMPLETE,
			"the state has no host TSC: use advance or frozen" };
	if (plan->reasons & KVMCLOCK_REASON_OTHER_HOST && request->policy == KVMCLOCK_LIVE_UPDATE)
		return (struct refusal) { KVMCLOCK_E_OTHER_HOST,
			"use advance or frozen: the host's TSC is not the one that was saved" };
	if (request->policy == KVMCLOCK_ADVANCE && !(state->flags & KVMCLOCK_STATE_REALTIME))
		return (struct refusal) { KVMCLOCK_E_INCOMPLETE,
			"the state has no realtime: use frozen, or save it with libkvmclock" };
	if (plan->tier > request->lowest_tier)
		return (struct refusal) { KVMCLOCK_E_BUDGET_TIER,
			"allow a lower tier, or remove what the plan's reasons name" };
	if (plan->reasons & KVMCLOCK_REASON_REALTIME_BACK && request->flags & KVMCLOCK_NO_BACKWARDS)
		return (struct refusal) { KVMCLOCK_E_BACKWARDS,
			"set the host's realtime right, or use frozen" };
	if (plan->tier >= KVMCLOCK_TIER_2 && request->flags & KVMCLOCK_NO_BACKWARDS)
		return (struct refusal) { KVMCLOCK_E_BACKWARDS,
			"this tier cannot promise it: see the plan's reasons" };
	if (step_ns > request->max_step_ns)
		return (struct refusal) { KVMCLOCK_E_BUDGET_STEP,
			"allow a greater step, or remove what the plan's reasons name" };
	if (plan->step_cycles > request->max_step_cycles)
		return (struct refusal) { KVMCLOCK_E_BUDGET_TSC,
			"allow a greater step of the TSC, or remove what the plan's reasons name" };
	if (magnitude(plan->rate_error_ppb) > request->max_rate_ppb)
		return (struct refusal) { KVMCLOCK_E_BUDGET_RATE,
			"choose a host with TSC scaling or nearer in frequency, or allow more" };
	return (struct refusal) { 0, "" };
}

static bool are_tscs_equal(const struct kvmclock_state *state)
{
	for (uint32_t i = 1; i < state->vcpu_count; i++) {
		const struct kvmclock_vcpu *a = &state->vcpus[0], *b = &state->vcpus[i];

		if (b->tsc_khz != a->tsc_khz || b->tsc_gtsc != a->tsc_gtsc ||
		    !kc_tsc_is_same(tsc_of(a), tsc_of(b)))
			return false;
	}
	return true;
}

static void plan_vcpus(const struct kvmclock_state *state, const struct kvmclock_abilities *here,
		       struct kvmclock_plan *plan)
{
	const struct kvmclock_vcpu *vcpu = state->vcpus;

	/* Most are alike: only what differs is new. */
	for (uint32_t i = 0; i < state->vcpu_count; i++, vcpu++)
		if (!i || vcpu->tsc_khz != vcpu[-1].tsc_khz || vcpu->tsc_ratio != vcpu[-1].tsc_ratio)
			plan_rate(state, here, vcpu, plan);
}

KVMCLOCK_PUBLIC int kvmclock_plan(const struct kvmclock_state *state,
				  const struct kvmclock_abilities *here,
				  const struct kvmclock_request *request,
				  struct kvmclock_plan *plan, struct kvmclock_error *error)
{
	struct kvmclock_plan found = { 0 };
	struct refusal refusal;
	bool catch_up = false;

	error_begin(error);
	if (!state || !here || !plan || !is_size(state->size, sizeof(*state)) ||
	    !is_size(here->size, sizeof(*here)) || !is_asked(request, sizeof(*request)) ||
	    !is_size(plan->size, sizeof(*plan)))
		return fail(error, KVMCLOCK_E_SIZE, "give every struct, its size set to sizeof");
	if (!is_host(here) || request->policy < KVMCLOCK_LIVE_UPDATE ||
	    request->policy > KVMCLOCK_CLONE || request->lowest_tier > KVMCLOCK_TIER_3 ||
	    request->flags & ~(KVMCLOCK_NO_BACKWARDS | KVMCLOCK_SAME_HOST))
		return fail(error, KVMCLOCK_E_ARGUMENT, "policy, flags, tier and abilities have domains");
	if (!state_is_sound(state))
		return fail(error, KVMCLOCK_E_FORMAT, "use a state that kvmclock_decode() accepts");
	found.size = plan->size;
	found.reasons = reasons_of_state(state, here);
	if (!are_tscs_equal(state))
		found.reasons |= KVMCLOCK_REASON_UNEQUAL_TSCS;
	for (uint32_t i = 0; i < state->vcpu_count && !catch_up; i++)
		(void)ratio_here(here, state->vcpus[i].tsc_khz, &catch_up);
	found.tier = plan_tier(here, found.reasons | (catch_up ? KVMCLOCK_REASON_CATCH_UP : 0));
	plan_vcpus(state, here, &found);
	if (here->bits & KVMCLOCK_HAS_READING)
		count_elapsed(state, &here->now, request, &found);
	plan_steps(state, request, &found);
	refusal = refusal_of(state, request, &found);
	found.verdict = refusal.code;
	*plan = found;
	return refusal.code ? fail(error, refusal.code, refusal.advice) : 0;
}
