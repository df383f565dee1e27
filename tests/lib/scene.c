// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <string.h>

#include "scene.h"

struct sim_host scene_host(struct in *in, struct scene *s)
{
	static const u32 khzs[] = { 100000, 1000000, 2099998, 2500000, 2899999, 3000000, 4999000 };
	struct sim_host host = {
		.world = &s->world, .frac_bits = in_once_in(in, 2) ? 32 : 48, .tolerance_ppm = 250,
		.khz = khzs[in_below(in, 7)], .ours = !in_once_in(in, 2), .scaling = !in_once_in(in, 2),
		.has_offset = true, .has_host_tsc = true, .has_vm_khz = true,
		.tsc_start = in_u64(in) >> 3, .realtime_ns = 1600000000000000000ll + (s64)in_below(in, 1ull << 58),
		.drift_ppb = (s64)in_below(in, 800000) - 400000, .tai_s = in_once_in(in, 4) ? 0 : 37,
		.latency_ps = 20000 + in_below(in, 2000000), .noise_ps = in_below(in, 500000),
		.stated_us = in_below(in, 50000),
	};

	host.khz += (u32)in_below(in, 2000);
	host.hz = host.khz * 1000ull + in_below(in, 1000);
	/* A parameter of KVM's that only its own word of the ratio tells of. */
	if (host.ours && host.scaling && in_once_in(in, 4))
		host.tolerance_ppm = in_once_in(in, 2) ? 0 : 1000;
	if (!host.ours && in_once_in(in, 5))
		host.has_offset = host.has_host_tsc = host.has_vm_khz = false;
	else if (!host.ours && in_once_in(in, 5))
		host.has_vm_khz = false;
	return host;
}

struct kvmclock_request scene_any(u32 policy)
{
	return (struct kvmclock_request) {
		.size = sizeof(struct kvmclock_request), .policy = policy, .lowest_tier = 3,
		.max_step_ns = KVMCLOCK_UNKNOWN, .max_step_cycles = KVMCLOCK_UNKNOWN,
		.max_rate_ppb = KVMCLOCK_UNKNOWN,
	};
}

void scene_befriend(struct in *in, struct scene *s)
{
	if (in_once_in(in, 2))
		s->other.scaling = true;
	else
		s->other.khz = s->source.khz + (u32)in_below(in, 40) - 20;
	if (in_once_in(in, 4))
		s->other.khz = s->source.khz;
	s->other.hz = s->other.khz * 1000ull + in_below(in, 1000);
}

void scene_fresh(struct scene *s)
{
	s->abilities_a.size = s->abilities_b.size = sizeof(s->abilities_a);
	s->saved = (struct kvmclock_state) { .size = sizeof(s->saved), .vcpus = s->vcpus_saved,
					     .vcpu_room = SIM_VCPUS };
	s->state = (struct kvmclock_state) { .size = sizeof(s->state), .vcpus = s->vcpus,
					     .vcpu_room = SIM_VCPUS };
	s->plan = (struct kvmclock_plan) { .size = sizeof(s->plan) };
	s->restore = (struct kvmclock_restore) { .size = sizeof(s->restore) };
	s->result = (struct kvmclock_result) { .size = sizeof(s->result) };
	s->verdict = (struct kvmclock_verdict) { .size = sizeof(s->verdict) };
	s->error = (struct kvmclock_error) { .size = sizeof(s->error) };
}

void scene_draw(struct in *in, struct scene *s)
{
	memset(&s->world, 0, sizeof(s->world));
	s->world.noise = in_u64(in);
	s->world.now_ps = 1000000000000ull + in_below(in, 1ull << 54);
	s->source = scene_host(in, s);
	s->other = scene_host(in, s);
	s->destination = &s->other;
	s->nr_vcpus = in_once_in(in, 50) ? 1 + in_below(in, SIM_VCPUS) : 1 + in_below(in, 5);
	s->guest_khz = s->source.scaling && !in_once_in(in, 3) ? 100000 + (u32)in_below(in, 4000000) : 0;
	s->away_ps = in_below(in, 1ull << (30 + in_below(in, 24)));
	s->request = scene_any(1 + (u32)in_below(in, 4));
	if (s->request.policy == KVMCLOCK_LIVE_UPDATE || in_once_in(in, 4))
		s->destination = &s->source;
	s->ops_a = sim_ops(&s->a);
	s->ops_b = sim_ops(&s->b);
	for (int i = 0; i < SIM_VCPUS; i++)
		s->vcpu_fds[i] = SIM_VCPU_FD + i;
	s->vm_a = s->vm_b = (struct kvmclock_vm) {
		.size = sizeof(s->vm_a), .kvm_fd = SIM_KVM_FD, .vm_fd = SIM_VM_FD,
	};
	s->vm_a.ops = &s->ops_a;
	s->vm_b.ops = &s->ops_b;
	scene_fresh(s);
}

void scene_draw_vcpus(struct in *in, struct scene *s, bool unequal)
{
	struct sim_vm *vm = &s->a;
	u64 offset = in_u64(in);
	bool has_page = !in_once_in(in, 6);

	for (u32 i = 0; i < vm->s.nr; i++) {
		vm->s.vcpus[i].page_msr &= has_page ? ~0ull : ~1ull;
		vm->s.vcpus[i].tsc_adjust = in_u64(in);
		vm->s.vcpus[i].deadline = in_once_in(in, 2) ? 0 : in_u64(in);
		sim_set_offset(vm, i, offset + (unequal ? in_below(in, 1ull << 40) : 0));
	}
	sim_set_clock(vm, in_u64(in));
	sim_vcpus_run(vm);
}

/* A vCPU of one's own is what tells the frequency where the VM does not. */
static int probe(struct scene *s, struct sim_vm *vm, struct kvmclock_vm *view,
		 struct kvmclock_abilities *abilities)
{
	bool lend = !vm->host->has_vm_khz && !vm->s.nr;
	struct sim_state before = vm->s;
	int ret;

	if (lend) {
		sim_vcpus_create(vm, 1);
		view->vcpu_count = 1;
		view->vcpu_fds = s->vcpu_fds;
	}
	ret = kvmclock_probe(view, abilities, &s->error);
	if (lend) {
		vm->s = before;
		view->vcpu_count = 0;
	}
	return ret;
}

int scene_create(struct scene *s)
{
	int ret;

	sim_vm_create(&s->a, &s->source);
	ret = probe(s, &s->a, &s->vm_a, &s->abilities_a);
	if (ret)
		return ret;
	s->world.now_ps += 1000000000;
	if (s->guest_khz && s->source.has_vm_khz)
		s->a.s.default_khz = s->guest_khz;
	sim_vcpus_create(&s->a, (u32)s->nr_vcpus);
	s->vm_a.vcpu_count = (u32)s->nr_vcpus;
	s->vm_a.vcpu_fds = s->vcpu_fds;
	sim_vcpus_run(&s->a);
	return 0;
}

int scene_save(struct scene *s)
{
	s->world.now_ps += sim_random(&s->world) >> 16;
	s->saved_ps = s->world.now_ps;
	return kvmclock_save(&s->vm_a, &s->abilities_a, &s->saved, &s->error);
}

int scene_carry(struct scene *s)
{
	int ret = kvmclock_encode(&s->saved, s->bytes, sizeof(s->bytes), &s->nr_bytes, &s->error);

	return ret ? ret : kvmclock_decode(s->bytes, s->nr_bytes, &s->state, &s->error);
}

void scene_away(struct scene *s)
{
	s->world.now_ps += s->away_ps;
	sim_vm_create(&s->b, s->destination);
	memcpy(s->b.pages, s->a.pages, sizeof(s->b.pages));
	s->vm_b.vcpu_count = 0;
	s->world.now_ps += 1000000000;
}

int scene_probe(struct scene *s)
{
	return probe(s, &s->b, &s->vm_b, &s->abilities_b);
}

int scene_restore_vm(struct scene *s)
{
	int ret = kvmclock_restore_vm(&s->restore, &s->vm_b, &s->state, &s->abilities_b,
				      &s->request, &s->error);

	if (ret)
		return ret;
	sim_vcpus_create(&s->b, s->state.vcpu_count);
	s->vm_b.vcpu_count = s->state.vcpu_count;
	s->vm_b.vcpu_fds = s->vcpu_fds;
	for (u32 i = 0; i < s->state.vcpu_count; i++)
		s->b.s.vcpus[i].page_msr = s->a.s.vcpus[i].page_msr;
	return 0;
}

int scene_restore_vcpu(struct scene *s, u32 i)
{
	int ret;

	if (!i)
		s->restore_begin_htsc = sim_htsc(s->destination);
	ret = kvmclock_restore_vcpu(&s->restore, &s->vm_b, i, &s->error);
	if (!i)
		s->restore_end_htsc = sim_htsc(s->destination);
	return ret;
}

int scene_finish(struct scene *s)
{
	int ret;

	s->finish_begin_htsc = sim_htsc(s->destination);
	ret = kvmclock_restore_finish(&s->restore, &s->vm_b, &s->result, &s->error);
	s->finish_end_htsc = sim_htsc(s->destination);
	return ret;
}

int scene_verify(struct scene *s, bool has_run)
{
	if (has_run) {
		sim_pass(s->destination);
		sim_vcpus_run(&s->b);
	}
	return kvmclock_verify(&s->restore, &s->vm_b, has_run, &s->verdict, &s->error);
}

int scene_to(struct scene *s)
{
	int ret = scene_probe(s);

	ret = ret ? ret : scene_restore_vm(s);
	for (u32 i = 0; !ret && i < s->state.vcpu_count; i++)
		ret = scene_restore_vcpu(s, i);
	return ret ? ret : scene_finish(s);
}

int scene_all(struct scene *s)
{
	int ret = scene_create(s);

	ret = ret ? ret : scene_save(s);
	ret = ret ? ret : scene_carry(s);
	if (ret)
		return ret;
	scene_away(s);
	ret = scene_to(s);
	return ret ? ret : scene_verify(s, false);
}
