// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Tier 1's correction, realtime that lies, and what a budget refuses. */
#include "check.h"

static int saved(struct in *in, struct scene *s, bool unequal)
{
	int ret = scene_create(s);

	CHECK(!ret, "create %d", ret);
	scene_draw_vcpus(in, s, unequal);
	ret = scene_save(s);
	ret = ret ? ret : scene_carry(s);
	CHECK(!ret, "save %d: %s", ret, s->error.advice);
	return ret;
}

/*
 * An unmodified kernel on a host whose calls take the same time but for the
 * noise: within the tries and the time, the best is kept or it is said that
 * the budget is not met.
 */
void law_correction(struct in *in)
{
	static struct scene s;
	u64 most_ns = in_below(in, 4) * in_below(in, 100), spent_us, limit_us;
	bool is_quiet = in_once_in(in, 2);
	int ret;

	scene_draw(in, &s);
	s.source.has_offset = s.source.has_host_tsc = s.source.has_vm_khz = true;
	s.source.ours = s.source.scaling = false;
	s.guest_khz = 0;
	s.nr_vcpus = 1 + in_below(in, 3);
	if (is_quiet)
		s.source.noise_ps = 0;
	s.destination = &s.source;
	s.request.lowest_tier = 1;
	s.request.max_step_ns = most_ns;
	s.request.max_tries = 1 + (u32)in_below(in, 200);
	s.request.max_time_us = in_once_in(in, 2) ? 0 : 100 + (u32)in_below(in, 3000);
	saved(in, &s, false);
	s.saved.width_ns = s.state.width_ns = 0;
	scene_away(&s);
	ret = scene_to(&s);
	CHECK(!ret || ret == KVMCLOCK_E_BUDGET_STEP, "restore %d: %s", ret, s.error.advice);
	CHECK(s.result.tries >= 1 && s.result.tries <= s.request.max_tries, "%u tries of %u",
	      s.result.tries, s.request.max_tries);
	spent_us = wide_muldiv(s.finish_end_htsc - s.finish_begin_htsc, 1000, s.source.khz);
	/* The last try begins within it: 10 calls, and one more for each vCPU. */
	limit_us = s.request.max_time_us ? s.request.max_time_us : 5000;
	CHECK(spent_us <= limit_us + 32 * (s.source.latency_ps + s.source.noise_ps) / 1000000, "%llu us", spent_us);
	if (ret) {
		check_error(in, &s.error, ret);
		CHECK(s.error.changed == KVMCLOCK_CHANGED_CLOCK, "changed %#x", s.error.changed);
		CHECK(s.result.residual_ns > (s64)most_ns || s.result.residual_ns < -(s64)most_ns, "it is met");
		/* Where a call always takes the same time, the second try is as good as any. */
		CHECK(!is_quiet || s.request.max_tries < 4 || most_ns < 22 ||
		      s.request.max_time_us, "not met in %u tries: %lld of %llu ns", s.result.tries,
		      (s64)s.result.residual_ns, most_ns);
		CHECK(s.result.tries == s.request.max_tries || spent_us + 50 >= limit_us,
		      "gave up after %u tries, %llu us", s.result.tries, spent_us);
		return;
	}
	CHECK(apart((u64)s.result.residual_ns, 0) <= most_ns, "residual %lld of %llu ns",
	      (s64)s.result.residual_ns, most_ns);
	check_restored(in, &s);
}

/* Drifting, stepping, lying: the elapsed time is as told, the clock and the TSC agree. */
void law_realtime(struct in *in)
{
	static struct scene s;
	bool is_honest = in_once_in(in, 2), is_known;
	s64 true_ns, off;
	u64 ps;
	int ret;

	scene_draw(in, &s);
	scene_befriend(in, &s);
	s.source.has_offset = s.source.has_host_tsc = s.source.has_vm_khz = true;
	s.other.has_offset = s.other.has_host_tsc = s.other.has_vm_khz = true;
	s.destination = in_once_in(in, 3) ? &s.source : &s.other;
	s.request = scene_any(KVMCLOCK_ADVANCE);
	s.other.scaling = true;
	s.source.drift_ppb = s.other.drift_ppb = 0;
	s.other.realtime_ns = s.source.realtime_ns;
	is_known = s.source.tai_s && s.other.tai_s;
	if (!is_honest)
		s.other.realtime_ns += (s64)in_below(in, 1ull << 50) - (1ll << 49);
	else if (is_known)
		s.other.realtime_ns += (s64)in_below(in, 100000) - 50000;
	s.other.stated_us = 50;
	if (in_once_in(in, 8))
		s.source.stated_us = 2000000;	/* nobody sets its clock: it tells nothing */
	saved(in, &s, false);
	if (is_known && in_once_in(in, 2)) {		/* a leap second while away */
		s.source.tai_s++;
		s.source.realtime_ns -= 1000000000;
		s.other.tai_s = s.source.tai_s;
		s.other.realtime_ns -= 1000000000;
	}
	scene_away(&s);
	s.destination->event = (struct sim_event) { .at = s.destination->calls + in_below(in, 200),
						    .step_ns = is_honest ? 0 : -(s64)in_below(in, 1ull << 40) };
	ret = scene_to(&s);
	CHECK(!ret, "restore %d: %s", ret, s.error.advice);
	check_restored(in, &s);
	ps = wide_muldiv(s.saved.at.htsc - s.source.tsc_start, 1000000000000ull, s.source.hz);
	true_ns = (s64)(wide_muldiv(s.restore.at.htsc - s.destination->tsc_start, 1000000000000ull,
				    s.destination->hz) / 1000 - ps / 1000);
	off = (s64)s.restore.plan.elapsed_ns - true_ns;
	if (is_honest)
		CHECK(s.restore.plan.reasons & KVMCLOCK_REASON_SAME_HOST ||
		      (u64)(off < 0 ? -off : off) <= s.restore.plan.elapsed_error_ns + 12,
		      "elapsed is %lld ns off, stated %llu", off, (u64)s.restore.plan.elapsed_error_ns);
}

static bool is_backwards(const struct scene *s)
{
	return s->plan.reasons & KVMCLOCK_REASON_REALTIME_BACK || s->plan.tier >= KVMCLOCK_TIER_2;
}

/* What exceeds the budget is refused before anything is written; what is refused does. */
void law_budget(struct in *in)
{
	static struct scene s;
	u64 most;
	int ret, planned;

	scene_draw(in, &s);
	if (!in_once_in(in, 3))
		scene_befriend(in, &s);
	s.request.lowest_tier = (u32)in_below(in, 4);
	s.request.max_step_ns = in_once_in(in, 2) ? in_below(in, 100) : KVMCLOCK_UNKNOWN;
	s.request.max_step_cycles = in_once_in(in, 2) ? 0 : KVMCLOCK_UNKNOWN;
	s.request.max_rate_ppb = in_once_in(in, 2) ? in_below(in, 1000) : KVMCLOCK_UNKNOWN;
	s.request.flags = in_once_in(in, 2) ? KVMCLOCK_NO_BACKWARDS : 0;
	saved(in, &s, in_once_in(in, 4));
	if (in_once_in(in, 2))
		s.destination->realtime_ns -= 1ll << 54;
	scene_away(&s);
	ret = scene_probe(&s);
	CHECK(!ret, "probe %d", ret);
	planned = kvmclock_plan(&s.state, &s.abilities_b, &s.request, &s.plan, NULL);
	ret = scene_restore_vm(&s);
	CHECK(planned == ret && s.plan.verdict == ret, "planned %d, is %d", planned, ret);
	most = s.request.max_step_ns;
	most = s.plan.tier == 1 && most != KVMCLOCK_UNKNOWN ? 2 * most : most;
	if (!ret) {
		CHECK(s.plan.tier <= s.request.lowest_tier && s.plan.step_ns <= most &&
		      s.plan.step_cycles <= s.request.max_step_cycles &&
		      apart((u64)s.plan.rate_error_ppb, 0) <= s.request.max_rate_ppb, "tier %u allowed", s.plan.tier);
		CHECK(!(s.request.flags && is_backwards(&s)), "backwards allowed");
		return;
	}
	check_error(in, &s.error, ret);
	CHECK(!s.b.write_calls && !s.error.changed, "%u writes", s.b.write_calls);
	if (ret == KVMCLOCK_E_BUDGET_TIER)
		CHECK(s.plan.tier > s.request.lowest_tier, "tier %u", s.plan.tier);
	if (ret == KVMCLOCK_E_BUDGET_STEP)
		CHECK(s.plan.step_ns > most, "step %llu", (u64)s.plan.step_ns);
	if (ret == KVMCLOCK_E_BUDGET_TSC)
		CHECK(s.plan.step_cycles > s.request.max_step_cycles, "step");
	if (ret == KVMCLOCK_E_BACKWARDS)
		CHECK(s.request.flags && is_backwards(&s), "reasons %#x", s.plan.reasons);
}

/*
 * A KVM that turns out to be in host mode only when the clock is set: the rough
 * clock where the budget has room for any step, else a code, and that it is set.
 */
void law_host_mode(struct in *in)
{
	static struct scene s;
	bool is_tier, is_step;
	int ret;

	scene_draw(in, &s);
	s.source.has_offset = s.source.has_host_tsc = s.source.has_vm_khz = true;
	s.source.ours = s.source.scaling = false;
	s.guest_khz = 0;
	s.other = s.source;
	s.other.is_host_mode = true;
	s.destination = &s.other;
	s.request.lowest_tier = 1 + (u32)in_below(in, 3);
	s.request.max_step_ns = in_once_in(in, 2) ? 1ull << 40 : KVMCLOCK_UNKNOWN;
	is_tier = s.request.lowest_tier == KVMCLOCK_TIER_1;
	is_step = s.request.max_step_ns != KVMCLOCK_UNKNOWN;
	saved(in, &s, false);
	scene_away(&s);
	ret = scene_to(&s);
	CHECK(ret == (is_tier ? KVMCLOCK_E_BUDGET_TIER : is_step ? KVMCLOCK_E_BUDGET_STEP : 0), "%d: %s", ret,
	      s.error.advice);
	CHECK(ret || s.result.tier == KVMCLOCK_TIER_2, "tier %u", s.result.tier);
	if (!ret)
		return;
	check_error(in, &s.error, ret);
	CHECK(s.error.changed == KVMCLOCK_CHANGED_CLOCK, "changed %#x", s.error.changed);
	CHECK(scene_verify(&s, false) == KVMCLOCK_E_ORDER, "verified");
}
