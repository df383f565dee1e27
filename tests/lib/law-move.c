// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Moves of all kinds: the TSC and the clock come out as they should. */
#include "check.h"

/* As the destination's KVM draws it: stock, from whole kHz. */
static struct slope drawn_slope(const struct scene *s)
{
	const struct sim_host *host = s->destination;
	u64 ratio = s->b.s.vcpus[0].ratio;

	if (host->ours)
		return wide_slope(host->khz, ratio, host->frac_bits, true);
	return wide_slope((u32)wide_mulshr(host->khz, ratio, host->frac_bits), 1ull << 32, 32, true);
}

static bool is_within_2ppb(struct slope a, struct slope b)
{
	u64 apart_mul = a.mul > b.mul ? a.mul - b.mul : b.mul - a.mul;

	return a.shift == b.shift && apart_mul * 1000000000 <= 2ull * b.mul;
}

/* What vCPU 0 should read at a host TSC: the state's line, or from the chosen instant on its own. */
static u64 should_read_ns(const struct scene *s, u64 htsc)
{
	struct slope saved = { s->state.line_mul, s->state.line_shift };
	u64 gtsc = sim_gtsc_at(&s->b, 0, s->restore.at.htsc);

	if (is_within_2ppb(saved, drawn_slope(s)))
		return should_be_line_ns(&s->state, sim_gtsc_at(&s->b, 0, htsc));
	return wide_line(gtsc, should_be_line_ns(&s->state, gtsc), drawn_slope(s),
			 sim_gtsc_at(&s->b, 0, htsc));
}

static void check_instant(struct in *in, const struct scene *s)
{
	bool same_host;
	u64 ns = should_be_elapsed_ns(s, &same_host);

	CHECK(s->restore.at.htsc - s->restore_begin_htsc <= s->restore_end_htsc - s->restore_begin_htsc,
	      "the instant %#llx is not in the call", (u64)s->restore.at.htsc);
	CHECK(s->restore.plan.elapsed_ns == ns, "elapsed %llu, should be %llu",
	      (u64)s->restore.plan.elapsed_ns, ns);
	if (s->request.policy == KVMCLOCK_ADVANCE)
		CHECK(!!(s->restore.plan.reasons & KVMCLOCK_REASON_SAME_HOST) == same_host,
		      "reasons %#x", s->restore.plan.reasons);
}

static void check_tsc(struct in *in, const struct scene *s)
{
	bool same_host;
	u64 ns = should_be_elapsed_ns(s, &same_host);

	for (u32 i = 0; i < s->state.vcpu_count; i++) {
		const struct kvmclock_vcpu *saved = &s->state.vcpus[i];
		const struct sim_vcpu *is = &s->b.s.vcpus[i];
		u64 gtsc = sim_gtsc_at(&s->b, i, s->restore.at.htsc), should;

		should = s->state.flags & KVMCLOCK_STATE_HOST_TSC ? should_be_gtsc(s, i) :
			saved->tsc_gtsc + wide_muldiv(ns, saved->tsc_khz, 1000000);
		CHECK(is->khz == saved->tsc_khz && is->tsc_adjust == saved->tsc_adjust_gtsc &&
		      is->deadline == saved->deadline_gtsc, "vcpu %u: %u kHz", i, is->khz);
		if (s->destination->has_offset)
			CHECK(gtsc == should, "vcpu %u: TSC %#llx, should be %#llx", i, gtsc, should);
		if (s->destination->has_offset && same_host && is->ratio == s->a.s.vcpus[i].ratio)
			CHECK(is->offset == s->a.s.vcpus[i].offset, "vcpu %u: offset changed", i);
	}
}

static void check_exact_clock(struct in *in, struct scene *s)
{
	struct slope saved = { s->state.line_mul, s->state.line_shift };
	bool kept = is_within_2ppb(saved, drawn_slope(s));
	u64 is = sim_clock_at(&s->b, s->finish_end_htsc), should = should_read_ns(s, s->finish_end_htsc);
	u64 ns = wide_muldiv(s->finish_end_htsc - s->restore.at.htsc, 1000000, s->destination->khz);

	CHECK(s->result.line_kept == kept, "line_kept %u", s->result.line_kept);
	if (kept)
		CHECK(is == should && !s->result.residual_ns && s->b.s.slope.mul == s->state.line_mul &&
		      s->b.s.n0 == s->state.line_ns, "clock %llu off, residual %lld",
		      apart(is, should), (s64)s->result.residual_ns);
	CHECK(apart(is, should) <= 2 + ns / 100000, "clock %llu ns off", apart(is, should));
}

/*
 * The guest's line against what was to be, from the instant on at which KVM took
 * the clock: the mean, since of a single reading each formula loses bits.
 */
static s64 mean_off_ns(const struct scene *s)
{
	enum { READINGS = 64 };
	s64 total = 0;

	for (int i = 0; i < READINGS; i++) {
		u64 htsc = s->b.s.base_htsc + 7 * (u64)i;

		total += (s64)(sim_guest_clock_at(&s->b, 0, htsc) - should_read_ns(s, htsc));
	}
	return (total + (total < 0 ? -READINGS / 2 : READINGS / 2)) / READINGS;
}

static void check_corrected_clock(struct in *in, struct scene *s)
{
	s64 off = mean_off_ns(s);
	u64 most = s->request.max_step_ns == KVMCLOCK_UNKNOWN ? KVMCLOCK_UNKNOWN :
		s->request.max_step_ns + s->result.residual_error_ns;

	CHECK(apart((u64)off, (u64)s->result.residual_ns) <= s->result.residual_error_ns,
	      "residual %lld, stated %lld to %llu", off, (s64)s->result.residual_ns,
	      (u64)s->result.residual_error_ns);
	CHECK(s->result.residual_error_ns <= 2 + 1000000 / s->state.vcpus[0].tsc_khz, "error %llu",
	      (u64)s->result.residual_error_ns);
	CHECK((u64)(off < 0 ? -off : off) <= most, "residual %lld", off);
}

static void check_rough_clock(struct in *in, struct scene *s)
{
	u64 at = s->finish_end_htsc, ns = s->state.clock_ns + s->restore.plan.elapsed_ns +
		wide_muldiv(at - s->restore.at.htsc, 1000000, s->destination->khz);
	u64 off = apart(ns, sim_clock_at(&s->b, at));

	CHECK(off <= s->result.residual_error_ns + 5, "clock %llu ns off, stated %llu", off,
	      (u64)s->result.residual_error_ns);
}

/* What verify says, against what is. */
static void check_verdict(struct in *in, struct scene *s, bool has_run)
{
	u64 worst = 0, end, off;
	int ret;

	ret = scene_verify(s, has_run);
	CHECK(!ret, "verify %d: %s", ret, s->error.advice);
	end = sim_htsc(s->destination);
	CHECK(s->verdict.vcpus == s->state.vcpu_count, "vcpus %u", s->verdict.vcpus);
	for (u32 i = 0; i < s->state.vcpu_count; i++) {
		const struct kvmclock_vcpu *saved = &s->state.vcpus[i];
		bool same_host;
		u64 ns = should_be_elapsed_ns(s, &same_host), should;

		should = same_host ? should_be_gtsc(s, i) :
			saved->tsc_gtsc + wide_muldiv(ns, saved->tsc_khz, 1000000);
		off = apart(sim_gtsc_at(&s->b, i, s->restore.at.htsc), should);
		worst = off > worst ? off : worst;
	}
	CHECK(apart(worst, s->verdict.worst_cycles) <= s->verdict.worst_cycles_error + 1,
	      "TSC %llu off, stated %llu to %llu", worst, (u64)s->verdict.worst_cycles,
	      (u64)s->verdict.worst_cycles_error);
	if (!s->restore.line_mul || s->result.tier > KVMCLOCK_TIER_1)
		return;
	CHECK(s->verdict.from_page == (has_run && s->b.s.vcpus[0].page_msr & 1 ? s->state.vcpu_count : 0), "from %u pages", s->verdict.from_page);
	if (s->result.tier == KVMCLOCK_TIER_0)
		off = apart(sim_clock_at(&s->b, end), should_read_ns(s, end));
	else
		off = apart(sim_guest_clock_at(&s->b, 0, end), should_read_ns(s, end));
	CHECK(apart(off, s->verdict.worst_ns) <= s->verdict.worst_ns_error + 2 +
	      wide_muldiv(end - s->restore.at.htsc, 1000000, s->destination->khz) / 50000,
	      "clock %llu off, stated %llu to %llu", off, (u64)s->verdict.worst_ns,
	      (u64)s->verdict.worst_ns_error);
}

void check_restored(struct in *in, struct scene *s)
{
	check_instant(in, s);
	check_tsc(in, s);
	CHECK(s->result.tier == s->restore.plan.tier, "tier %u, planned %u", s->result.tier,
	      s->restore.plan.tier);
	for (u32 i = 0; i < s->state.vcpu_count; i++)
		CHECK(s->b.s.vcpus[i].stopped == (s->b.s.vcpus[i].page_msr & 1), "vcpu %u was not told", i);
	if (s->result.tier == KVMCLOCK_TIER_0)
		check_exact_clock(in, s);
	else if (s->result.tier == KVMCLOCK_TIER_1)
		check_corrected_clock(in, s);
	else
		check_rough_clock(in, s);
	check_verdict(in, s, false);
	check_verdict(in, s, true);
	hash_state(in, &s->b);
}

/* A refusal in spite of a request that allows everything. */
static void check_refusal(struct in *in, const struct scene *s, int ret)
{
	bool too_fast = false;

	for (u32 i = 0; i < s->state.vcpu_count; i++)
		too_fast |= s->state.vcpus[i].tsc_khz < s->destination->khz;
	check_error(in, &s->error, ret);
	CHECK(!s->b.write_calls, "%u writes", s->b.write_calls);
	if (ret == KVMCLOCK_E_FREQUENCY)
		CHECK(too_fast && !s->destination->scaling, "it can");
	else
		CHECK(ret == KVMCLOCK_E_INCOMPLETE && s->request.policy == KVMCLOCK_LIVE_UPDATE &&
		      !s->source.has_offset, "ret %d: %s", ret, s->error.advice);
}

void law_move(struct in *in)
{
	static struct scene s;
	bool unequal;
	int ret;

	scene_draw(in, &s);
	scene_befriend(in, &s);
	unequal = in_once_in(in, 5);
	s.source.allow_unmatched = s.source.ours && in_once_in(in, 2);
	s.other.allow_unmatched = s.other.ours && s.source.allow_unmatched;
	ret = scene_create(&s);
	CHECK(!ret, "create %d: %s", ret, s.error.advice);
	scene_draw_vcpus(in, &s, unequal);
	ret = scene_save(&s);
	CHECK(!ret, "save %d: %s", ret, s.error.advice);
	check_saved(in, &s);
	ret = scene_carry(&s);
	CHECK(!ret, "carry %d", ret);
	scene_away(&s);
	ret = scene_probe(&s);
	CHECK(!ret, "probe %d: %s", ret, s.error.advice);
	ret = scene_restore_vm(&s);
	if (ret) {
		check_refusal(in, &s, ret);
		return;
	}
	for (u32 i = 0; !ret && i < s.state.vcpu_count; i++)
		ret = scene_restore_vcpu(&s, i);
	CHECK(!ret, "vcpu %d: %s", ret, s.error.advice);
	ret = scene_finish(&s);
	CHECK(!ret, "finish %d: %s", ret, s.error.advice);
	check_restored(in, &s);
}
