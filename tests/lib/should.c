// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What should be, from what was saved and what the simulated hosts are. */
#include "scene.h"

u64 apart(u64 a, u64 b)
{
	return (s64)(a - b) < 0 ? b - a : a - b;
}

u64 should_be_saved_gtsc(const struct scene *s, u32 vcpu)
{
	return sim_gtsc_at(&s->a, vcpu, s->saved.at.htsc);
}

/*
 * TAI between the two readings; and is it the same TSC?  Then its ticks agree
 * with TAI to what the readings state, if that is less than a second.
 */
u64 should_be_elapsed_ns(const struct scene *s, bool *same_host)
{
	const struct kvmclock_reading *from = &s->saved.at, *to = &s->restore.at;
	s64 ns = to->realtime_ns - from->realtime_ns, by_tsc, most;
	bool has_tsc = s->saved.flags & KVMCLOCK_STATE_HOST_TSC && to->htsc >= from->htsc;

	*same_host = false;
	if (s->request.policy == KVMCLOCK_LIVE_UPDATE) {
		*same_host = has_tsc;
		return wide_muldiv(to->htsc - from->htsc, 1000000, s->saved.host_khz);
	}
	if (s->request.policy != KVMCLOCK_ADVANCE)
		return 0;
	if (from->tai_offset_s && to->tai_offset_s)
		ns += (to->tai_offset_s - from->tai_offset_s) * 1000000000;
	if (ns < 0)
		return 0;
	by_tsc = (s64)wide_muldiv(to->htsc - from->htsc, 1000000, s->saved.host_khz);
	most = (s64)(from->width_ns + to->width_ns + from->realtime_error_ns + to->realtime_error_ns);
	*same_host = has_tsc && by_tsc >= 0 && from->realtime_error_ns < 1000000000 &&
		     to->realtime_error_ns < 1000000000 && most < 1000000000 &&
		     by_tsc - ns <= most && ns - by_tsc <= most;
	return (u64)ns;
}

u64 should_be_gtsc(const struct scene *s, u32 vcpu)
{
	bool same_host;
	u64 ns = should_be_elapsed_ns(s, &same_host);

	if (same_host)
		return sim_gtsc_at(&s->a, vcpu, s->restore.at.htsc);
	return should_be_saved_gtsc(s, vcpu) + wide_muldiv(ns, s->a.s.vcpus[vcpu].khz, 1000000);
}

u64 should_be_line_ns(const struct kvmclock_state *state, u64 gtsc)
{
	return wide_line(state->line_gtsc, state->line_ns,
			 (struct slope) { state->line_mul, state->line_shift }, gtsc);
}

void hash_state(struct in *in, const struct sim_vm *vm)
{
	const struct sim_state *s = &vm->s;

	in_hash(in, s->t0);
	in_hash(in, s->n0);
	in_hash(in, s->slope.mul);
	in_hash(in, s->base_htsc);
	in_hash(in, s->base_ns);
	for (u32 i = 0; i < s->nr; i++) {
		in_hash(in, s->vcpus[i].offset);
		in_hash(in, s->vcpus[i].ratio);
		in_hash(in, s->vcpus[i].deadline);
	}
}
