// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* One host: live updates, a kexec, KVM's tolerance of frequencies, many vCPUs. */
#include <string.h>
#include "check.h"

static int create_save_and_carry(struct in *in, struct scene *s)
{
	int ret = scene_create(s);

	if (ret)
		return ret;
	scene_draw_vcpus(in, s, false);
	ret = scene_save(s);
	return ret ? ret : scene_carry(s);
}

/* A VM of ours that comes back to its own host. */
static void draw_ours(struct in *in, struct scene *s, u32 policy)
{
	scene_draw(in, s);
	s->source.ours = s->source.has_offset = s->source.has_host_tsc = s->source.has_vm_khz = true;
	s->destination = &s->source;
	s->request = scene_any(policy);
}

/*
 * On ours nothing changes: offsets and line bit for bit, whatever realtime does
 * where the monitor knows that it is the same host.  Where it does not say so, a
 * realtime that is days off makes it another one, and nothing is written.
 */
void law_live_update(struct in *in)
{
	static struct scene s;
	bool is_sure;
	int ret;

	draw_ours(in, &s, KVMCLOCK_LIVE_UPDATE);
	s.request.lowest_tier = 0;
	s.request.max_step_ns = s.request.max_step_cycles = s.request.max_rate_ppb = 0;
	is_sure = !in_once_in(in, 3);
	s.request.flags = KVMCLOCK_NO_BACKWARDS | (is_sure ? KVMCLOCK_SAME_HOST : 0);
	ret = create_save_and_carry(in, &s);
	CHECK(!ret, "create, save or carry %d", ret);
	s.source.realtime_ns -= (s64)(in_below(in, 1ull << 50) + (is_sure ? 0 : 1ull << 50));
	scene_away(&s);
	ret = scene_to(&s);
	if (!is_sure) {
		CHECK(ret == KVMCLOCK_E_OTHER_HOST && !s.b.written, "%d, written %#x", ret, s.b.written);
		return;
	}
	CHECK(!ret, "restore %d: %s", ret, s.error.advice);
	CHECK(s.result.line_kept && !s.result.residual_ns && !s.result.residual_error_ns, "residual %lld",
	      (s64)s.result.residual_ns);
	for (u32 i = 0; i < s.b.s.nr; i++) {
		struct sim_page from = sim_page_of(&s.a, i, 0), to = sim_page_of(&s.b, i, 0);

		CHECK(s.b.s.vcpus[i].offset == s.a.s.vcpus[i].offset, "vcpu %u: offset", i);
		CHECK(!memcmp(&from, &to, sizeof(from)), "vcpu %u: page", i);
	}
	check_restored(in, &s);
}

/* What is not as it was to be is found, to the cycle and the nanosecond. */
void law_verify(struct in *in)
{
	static struct scene s;
	u64 ticks = 1 + in_below(in, 1000), ns = 1 + in_below(in, 1000);
	u32 vcpu;
	int ret;

	draw_ours(in, &s, KVMCLOCK_FROZEN);
	s.source.allow_unmatched = true;
	s.nr_vcpus = 1 + in_below(in, 4);
	vcpu = (u32)in_below(in, s.nr_vcpus);
	ret = scene_all(&s);
	CHECK(!ret && !s.verdict.worst_cycles && !s.verdict.worst_ns, "restore %d: %s", ret, s.error.advice);
	s.b.s.n0 -= ns;
	ret = scene_verify(&s, in_once_in(in, 2));
	CHECK(!ret && s.verdict.worst_ns == ns && !s.verdict.worst_ns_error && !s.verdict.worst_cycles,
	      "%llu ns planted, found %llu", ns, (u64)s.verdict.worst_ns);
	s.b.s.n0 += ns;
	sim_set_offset(&s.b, vcpu, s.b.s.vcpus[vcpu].offset - ticks);
	ret = scene_verify(&s, false);
	CHECK(!ret && s.verdict.worst_cycles == ticks && !s.verdict.worst_cycles_error &&
	      s.verdict.worst_vcpu == vcpu && s.verdict.vcpus == s.nr_vcpus,
	      "%llu ticks planted on %u, found %llu on %u", ticks, vcpu, (u64)s.verdict.worst_cycles,
	      s.verdict.worst_vcpu);
}

/* The TSC goes on, but another kernel calibrates it otherwise. */
void law_kexec(struct in *in)
{
	static struct scene s;
	int ret;

	scene_draw(in, &s);
	s.source.has_offset = s.source.has_host_tsc = s.source.has_vm_khz = true;
	s.source.tolerance_ppm = 250;
	s.other = s.source;
	s.other.ours = !in_once_in(in, 2);
	s.other.khz = s.source.khz + (u32)in_below(in, 21) - 10;
	s.destination = &s.other;
	s.request = scene_any(KVMCLOCK_LIVE_UPDATE);
	ret = create_save_and_carry(in, &s);
	CHECK(!ret, "create, save or carry %d", ret);
	scene_away(&s);
	ret = scene_to(&s);
	CHECK(!ret, "restore %d: %s", ret, s.error.advice);
	CHECK(s.restore.plan.reasons & KVMCLOCK_REASON_SAME_HOST, "reasons %#x", s.restore.plan.reasons);
	for (u32 i = 0; i < s.b.s.nr; i++)
		CHECK(sim_gtsc_at(&s.b, i, s.restore.at.htsc) == sim_gtsc_at(&s.a, i, s.restore.at.htsc),
		      "vcpu %u: the TSC stepped", i);
	check_restored(in, &s);
}

/* A frequency at the edge of the host's tolerance is run as KVM runs it. */
void law_tolerance(struct in *in)
{
	static struct scene s;
	u64 edge;
	int ret;

	scene_draw(in, &s);
	s.source.scaling = s.source.has_vm_khz = s.source.has_offset = s.source.has_host_tsc = true;
	s.source.ours = s.other.ours = false;
	s.source.tolerance_ppm = 250;
	edge = s.source.khz * (in_once_in(in, 2) ? 999750ull : 1000250ull) / 1000000;
	s.guest_khz = (u32)(edge + in_below(in, 5) - 2);
	ret = scene_create(&s);
	CHECK(!ret, "create %d", ret);
	ret = scene_save(&s);
	CHECK(!ret, "%u kHz on %u: save %d: %s", s.guest_khz, s.source.khz, ret, s.error.advice);
	check_saved(in, &s);
	ret = scene_carry(&s);
	CHECK(!ret, "carry %d", ret);
	s.destination = &s.source;
	s.request.policy = KVMCLOCK_FROZEN;
	scene_away(&s);
	ret = scene_to(&s);
	CHECK(!ret, "restore %d: %s", ret, s.error.advice);
	check_restored(in, &s);
}

/* As many as KVM allows, equal and unequal. */
void law_many(struct in *in)
{
	static struct scene s;
	int ret;

	scene_draw(in, &s);
	scene_befriend(in, &s);
	s.nr_vcpus = SIM_VCPUS;
	s.other.scaling = true;
	s.request.policy = KVMCLOCK_ADVANCE;
	ret = scene_create(&s);
	CHECK(!ret, "create %d", ret);
	scene_draw_vcpus(in, &s, in_once_in(in, 4));
	ret = scene_save(&s);
	CHECK(!ret, "save %d: %s", ret, s.error.advice);
	check_saved(in, &s);
	ret = scene_carry(&s);
	CHECK(!ret && s.state.vcpu_count == SIM_VCPUS, "carry %d", ret);
	CHECK(s.nr_bytes == 200 + 48 * SIM_VCPUS, "%zu bytes", s.nr_bytes);
	scene_away(&s);
	ret = scene_to(&s);
	CHECK(!ret, "restore %d: %s", ret, s.error.advice);
	check_restored(in, &s);
}
