// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What is saved is what is true. */
#include "check.h"

static u64 ticks_of(u64 ns, u32 khz)
{
	return wide_muldiv(ns, khz, 1000000);
}

static void check_vcpus(struct in *in, const struct scene *s)
{
	bool exact = s->saved.flags & KVMCLOCK_STATE_HOST_TSC;

	for (u32 i = 0; i < s->saved.vcpu_count; i++) {
		const struct kvmclock_vcpu *got = &s->saved.vcpus[i];
		const struct sim_vcpu *is = &s->a.s.vcpus[i];
		u64 off = apart(got->tsc_gtsc, should_be_saved_gtsc(s, i));

		CHECK(got->tsc_khz == is->khz && got->tsc_adjust_gtsc == is->tsc_adjust &&
		      got->deadline_gtsc == is->deadline, "vcpu %u", i);
		CHECK(got->flags == (exact ? 3u : 7u), "vcpu %u: flags %#x", i, got->flags);
		CHECK(got->tsc_ratio == is->ratio, "vcpu %u: ratio %#llx, is %#llx", i,
		      (u64)got->tsc_ratio, is->ratio);
		if (exact)
			CHECK(got->tsc_offset_gtsc == is->offset && !off, "vcpu %u: %llu off", i, off);
		else
			CHECK(off <= ticks_of(s->saved.width_ns, is->khz) + 2, "vcpu %u: %llu off, width %llu ns",
			      i, off, (u64)s->saved.width_ns);
	}
}

/* Where KVM tells one reading, it is that; else one within the stated width. */
static void check_reading(struct in *in, const struct scene *s)
{
	const struct kvmclock_reading *at = &s->saved.at;
	u64 ps = wide_muldiv(at->htsc - s->source.tsc_start, 1000000000000ull, s->source.hz);
	u64 off = apart((u64)at->realtime_ns, (u64)sim_realtime_at(&s->source, ps));

	CHECK(off <= at->width_ns + 12, "realtime is %llu ns off, width %llu", off, (u64)at->width_ns);
	CHECK(at->width_ns < 20000, "width %llu", (u64)at->width_ns);
	CHECK(at->tai_offset_s == s->source.tai_s, "tai %lld", (s64)at->tai_offset_s);
	CHECK(at->realtime_error_ns == s->source.stated_us * 1000, "error %llu", (u64)at->realtime_error_ns);
	off = apart(s->saved.clock_ns, sim_clock_at(&s->a, at->htsc));
	CHECK(off <= (s->saved.width_ns == KVMCLOCK_UNKNOWN ? 0 : s->saved.width_ns),
	      "clock is %llu ns off, width %llu", off, (u64)s->saved.width_ns);
}

static void check_line(struct in *in, const struct scene *s)
{
	const struct kvmclock_state *state = &s->saved;
	bool scaled = s->a.s.vcpus[0].ratio != 1ull << s->source.frac_bits;
	bool has = sim_is_master(&s->a) && s->source.has_host_tsc;
	u64 gtsc = should_be_saved_gtsc(s, 0);
	u64 off = apart(should_be_line_ns(state, gtsc), sim_guest_clock_at(&s->a, 0, state->at.htsc));

	CHECK(has == !!(state->flags & KVMCLOCK_STATE_LINE), "flags %#x", state->flags);
	if (!has)
		return;
	CHECK(!!(state->flags & KVMCLOCK_STATE_LINE_EXACT) == s->source.ours, "flags %#x", state->flags);
	if (s->source.ours)
		CHECK(state->line_ns == s->a.s.n0 && state->line_mul == s->a.s.slope.mul &&
		      state->line_shift == s->a.s.slope.shift && state->line_gtsc == s->a.s.t0 +
		      s->a.s.vcpus[0].offset - s->a.s.line_offset && !state->width_ns,
		      "%llu ns off, width %llu", off, (u64)state->width_ns);
	else if (state->flags & KVMCLOCK_STATE_LINE_PAGE)
		CHECK(!off, "%llu ns from the page", off);
	else
		CHECK(scaled ? state->width_ns == KVMCLOCK_UNKNOWN :
		      off <= wide_muldiv(s->world.now_ps, 1, 1000000000) + 2,
		      "%llu ns off, width %llu", off, (u64)state->width_ns);
	if (!scaled)
		CHECK(state->width_ns <= 2, "width %llu ns", (u64)state->width_ns);
}

void check_saved(struct in *in, const struct scene *s)
{
	CHECK(s->saved.vcpu_count == s->nr_vcpus && s->saved.host_khz == s->source.khz &&
	      s->saved.frac_bits == s->source.frac_bits, "host_khz %u", s->saved.host_khz);
	check_vcpus(in, s);
	check_reading(in, s);
	check_line(in, s);
}

void law_save(struct in *in)
{
	static struct scene s;
	u32 writes;
	int ret;

	scene_draw(in, &s);
	ret = scene_create(&s);
	CHECK(!ret, "create %d: %s", ret, s.error.advice);
	scene_draw_vcpus(in, &s, in_once_in(in, 5));
	writes = s.a.write_calls;
	ret = scene_save(&s);
	CHECK(!ret, "save %d: %s, %s", ret, s.error.call ? s.error.call : "", s.error.advice);
	CHECK(s.a.write_calls == writes, "a save wrote");
	check_saved(in, &s);
	in_hash(in, s.saved.at.htsc);
	in_hash(in, s.saved.line_ns);
}

/* Saves with a leap second at the call of number at; false: there is no such call. */
static bool leap_at(struct in *in, struct scene *s, u64 at)
{
	u64 calls = s->source.calls;
	s64 before = s->source.realtime_ns + s->source.tai_s * 1000000000, off;
	int ret;

	s->source.event = (struct sim_event) { .at = calls + at, .leap_s = 1 };
	ret = scene_save(s);
	CHECK(!ret, "save %d: %s", ret, s->error.advice);
	off = s->saved.at.realtime_ns + s->saved.at.tai_offset_s * 1000000000 - before -
		(s64)(wide_muldiv(s->saved.at.htsc - s->source.tsc_start, 1000000000000ull,
				  s->source.hz) / 1000);
	CHECK(off <= (s64)s->saved.at.width_ns + 12 && -off <= (s64)s->saved.at.width_ns + 12,
	      "TAI is %lld ns off; the leap was at call %llu of %llu", off, at, s->source.calls - calls);
	return s->source.calls >= s->source.event.at;
}

/* A leap second at each call of a save: what is saved is TAI all the same. */
void law_leap_in_save(struct in *in)
{
	static struct scene s;
	u64 at = 1;
	int ret;

	scene_draw(in, &s);
	s.nr_vcpus = 1;
	s.source.tai_s = 37;
	s.source.drift_ppb = 0;
	ret = scene_create(&s);
	CHECK(!ret, "create %d", ret);
	while (leap_at(in, &s, at))
		at++;
	CHECK(at > 40, "%llu calls", at);
}

/* Saves while the TSC moves at the call of number at; false: there is no such call. */
static bool move_at(struct in *in, struct scene *s, u64 at)
{
	u64 from_t0 = s->a.s.t0 - s->a.s.line_offset;
	int ret;

	s->a.move_at = s->source.calls + at;
	ret = scene_save(s);
	if (s->a.moves_on) {
		CHECK(ret == KVMCLOCK_E_MOVING || ret == KVMCLOCK_E_RATIO, "ret %d", ret);
		CHECK(s->error.vcpu == 0, "vcpu %d", s->error.vcpu);
		check_error(in, &s->error, ret);
		return false;
	}
	CHECK(!ret, "moved at call %llu: %d: %s", at, ret, s->error.advice);
	CHECK(s->saved.vcpus[0].tsc_gtsc - s->saved.vcpus[0].tsc_offset_gtsc ==
	      sim_gtsc_at(&s->a, 0, s->saved.at.htsc) - s->a.s.vcpus[0].offset, "TSC and offset differ");
	if (s->source.ours)
		CHECK(s->saved.line_gtsc - s->saved.vcpus[0].tsc_offset_gtsc == from_t0,
		      "moved at call %llu: the line is not over the TSC that was saved", at);
	return s->source.calls >= s->a.move_at;
}

/*
 * The guest's TSC moves once during the save, at each of its calls, or at all of
 * them.  What is saved then is of one TSC, before it or after it; of an ever
 * moving one, nothing.
 */
void law_moving(struct in *in)
{
	static struct scene s;
	u64 at = 1;
	int ret;

	scene_draw(in, &s);
	s.source.has_offset = s.source.has_host_tsc = s.source.has_vm_khz = true;
	s.nr_vcpus = 1;
	ret = scene_create(&s);
	CHECK(!ret, "create %d", ret);
	s.a.moves_on = in_once_in(in, 2);
	while (move_at(in, &s, at))
		at++;
	CHECK(s.a.moves_on || at > 40, "%llu calls", at);
}
