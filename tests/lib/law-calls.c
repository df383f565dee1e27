// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Calls out of order, structs of wrong size, the same twice, any plan, others' states. */
#include <string.h>

#include "../../uapi/kvm_clock.h"
#include "check.h"

static void save_and_go(struct in *in, struct scene *s)
{
	int ret;

	scene_draw(in, s);
	s->nr_vcpus = in_below(in, 4);
	s->destination = &s->source;
	s->request = scene_any(KVMCLOCK_FROZEN);
	ret = scene_create(s);
	ret = ret ? ret : scene_save(s);
	ret = ret ? ret : scene_carry(s);
	CHECK(!ret, "save %d: %s", ret, s->error.advice);
	scene_away(s);
	ret = scene_probe(s);
	CHECK(!ret, "probe %d", ret);
}

/* What is in order succeeds, what is not is refused and does nothing. */
void law_order(struct in *in)
{
	static struct scene s;
	bool has_vm = false, done = false;
	u32 next = 0, nr;

	save_and_go(in, &s);
	nr = s.state.vcpu_count;
	for (int i = 0; i < 30; i++) {
		u32 what = (u32)in_below(in, 4), vcpu = (u32)in_below(in, nr + 2), writes;
		bool fits;
		int ret;

		writes = s.b.write_calls;
		if (what == 0 && !has_vm) {
			ret = scene_restore_vm(&s);
			fits = has_vm = true;
		} else if (what == 1) {
			fits = has_vm && !done && vcpu == next && vcpu < nr;
			ret = scene_restore_vcpu(&s, vcpu);
			next += fits;
		} else if (what == 2) {
			fits = has_vm && next == nr && !done;
			ret = scene_finish(&s);
			done |= fits;
		} else {
			fits = done;
			ret = scene_verify(&s, false);
		}
		if (fits) {
			CHECK(!ret, "call %d of kind %u: %d: %s", i, what, ret, s.error.advice);
			continue;
		}
		CHECK(ret == KVMCLOCK_E_ORDER && writes == s.b.write_calls, "kind %u: %d", what, ret);
		check_error(in, &s.error, ret);
	}
}

/* A view of the VM without its vCPUs does not do. */
static void check_fewer(struct in *in, struct scene *s)
{
	struct kvmclock_vm none = s->vm_b;
	u32 writes;
	int ret = scene_restore_vm(s);

	for (u32 i = 0; !ret && i < s->state.vcpu_count; i++)
		ret = scene_restore_vcpu(s, i);
	CHECK(!ret, "restore %d", ret);
	none.vcpu_count = s->state.vcpu_count ? (u32)in_below(in, s->state.vcpu_count) : 0;
	none.vcpu_fds = none.vcpu_count ? s->vcpu_fds : NULL;
	writes = s->b.write_calls;
	ret = kvmclock_restore_finish(&s->restore, &none, &s->result, &s->error);
	if (!s->state.vcpu_count)
		return;
	CHECK(ret == KVMCLOCK_E_ARGUMENT && writes == s->b.write_calls, "finish %d", ret);
	check_error(in, &s->error, ret);
}

static int call(struct scene *s, u32 which)
{
	struct kvmclock_foreign foreign = { .size = sizeof(foreign), .source = KVMCLOCK_SOURCE_QEMU,
					    .clock = s->bytes, .clock_bytes = 8 };
	size_t used;

	switch (which) {
	case 0:
		return kvmclock_probe(&s->vm_b, &s->abilities_b, &s->error);
	case 1:
		return kvmclock_save(&s->vm_a, &s->abilities_a, &s->saved, &s->error);
	case 2:
		return kvmclock_encode(&s->saved, s->bytes, sizeof(s->bytes), &used, &s->error);
	case 3:
		return kvmclock_decode(s->bytes, s->nr_bytes, &s->state, &s->error);
	case 4:
		return kvmclock_plan(&s->state, &s->abilities_b, &s->request, &s->plan, &s->error);
	case 5:
		return scene_restore_vm(s);
	case 6:
		return kvmclock_restore_vcpu(&s->restore, &s->vm_b, 0, &s->error);
	case 7:
		return kvmclock_restore_finish(&s->restore, &s->vm_b, &s->result, &s->error);
	case 8:
		return kvmclock_verify(&s->restore, &s->vm_b, 0, &s->verdict, &s->error);
	default:
		return kvmclock_from_foreign(&foreign, &s->state, &s->error);
	}
}

/* Each struct of a call with a size that is none: E_SIZE, and no call is made. */
void law_sizes(struct in *in)
{
	static struct scene s;
	static const u32 wrong[] = { 0, 1, 5000, ~0u };
	u32 *const sizes[10][5] = {
		{ &s.vm_b.size, &s.abilities_b.size, &s.ops_b.size },
		{ &s.vm_a.size, &s.abilities_a.size, &s.saved.size, &s.ops_a.size },
		{ &s.saved.size }, { &s.state.size },
		{ &s.state.size, &s.abilities_b.size, &s.request.size, &s.plan.size },
		{ &s.restore.size, &s.vm_b.size, &s.state.size, &s.abilities_b.size, &s.ops_b.size },
		{ &s.restore.size, &s.vm_b.size, &s.ops_b.size },
		{ &s.restore.size, &s.vm_b.size, &s.result.size, &s.ops_b.size },
		{ &s.restore.size, &s.vm_b.size, &s.verdict.size, &s.ops_b.size },
		{ &s.state.size },
	};
	u32 which = (u32)in_below(in, 10);

	save_and_go(in, &s);
	for (int i = 0; i < 5 && sizes[which][i]; i++) {
		u32 right = *sizes[which][i], at = (u32)in_below(in, 5);
		u64 calls = s.source.calls;
		int ret;

		*sizes[which][i] = at < 4 ? wrong[at] : right - 1;
		ret = call(&s, which);
		*sizes[which][i] = right;
		CHECK(ret == KVMCLOCK_E_SIZE && calls == s.source.calls && !s.b.write_calls,
		      "call %u, struct %d: %d", which, i, ret);
		check_error(in, &s.error, ret);
	}
	s.saved.size--;
	CHECK(!kvmclock_encoded_bytes(&s.saved) && !kvmclock_encoded_bytes(NULL), "bytes of no state");
	CHECK(kvmclock_msr_rule(0x10) == KVMCLOCK_MSR_DROP && kvmclock_msr_rule(0x6e0) ==
	      KVMCLOCK_MSR_DEFER && kvmclock_msr_rule(0x3b) == KVMCLOCK_MSR_DEFER &&
	      kvmclock_msr_rule((u32)in_below(in, 0x10)) == KVMCLOCK_MSR_ANY, "MSR rules");
	check_fewer(in, &s);
}

/* One of what only callers fill, in a call that takes it. */
static int call_with(struct scene *s, u32 which, const void *given)
{
	struct kvmclock_vm vm = s->vm_b;

	switch (which) {
	case 0:
		return kvmclock_probe(given, &s->abilities_b, &s->error);
	case 1:
		vm.ops = given;
		return kvmclock_probe(&vm, &s->abilities_b, &s->error);
	case 2:
		return kvmclock_plan(&s->state, &s->abilities_b, given, &s->plan, &s->error);
	case 3:
		return kvmclock_restore_vm(&s->restore, &s->vm_b, &s->state, &s->abilities_b, given, &s->error);
	default:
		return kvmclock_from_foreign(given, &s->state, &s->error);
	}
}

/* A later caller's structs: what they have more is 0, or is refused. */
void law_later_caller(struct in *in)
{
	static struct scene s;
	static u8 given[4096];
	struct kvmclock_foreign foreign = { .size = sizeof(foreign), .source = KVMCLOCK_SOURCE_QEMU,
					    .clock = "clock ns", .clock_bytes = 8 };
	const void *const from[] = { &s.vm_b, &s.ops_b, &s.request, &s.request, &foreign };
	u32 which = (u32)in_below(in, 5), ours, size;
	u64 calls;
	int ret;

	save_and_go(in, &s);
	if (!s.source.has_vm_khz && which < 2)
		return;
	s.request.policy = KVMCLOCK_ADVANCE + (u32)in_below(in, 3);
	memcpy(&ours, from[which], sizeof(ours));
	size = ours + 1 + (u32)in_below(in, sizeof(given) - ours);
	memset(given, 0, sizeof(given));
	memcpy(given, from[which], ours);
	memcpy(given, &size, sizeof(size));
	calls = s.source.calls;
	given[ours + in_below(in, size - ours)] = 1 + (u8)in_below(in, 255);
	ret = call_with(&s, which, given);
	CHECK(ret == KVMCLOCK_E_SIZE && calls == s.source.calls, "which %u, more is asked: %d", which, ret);
	check_error(in, &s.error, ret);
	memset(given + ours, 0, sizeof(given) - ours);
	ret = call_with(&s, which, given);
	CHECK(!ret, "which %u, later, and no more: %d: %s", which, ret, s.error.advice);
}

/* A KVM that takes a TSC offset and does not apply it is found at the first vCPU. */
void law_ignored(struct in *in)
{
	static struct scene s;
	int ret;

	save_and_go(in, &s);
	s.b.host->ignores_offset = true;
	ret = scene_restore_vm(&s);
	CHECK(!ret, "restore_vm %d", ret);
	if (!s.state.vcpu_count || !s.b.host->has_offset)
		return;
	ret = scene_restore_vcpu(&s, 0);
	CHECK(ret == KVMCLOCK_E_UNABLE && s.error.vcpu == 0 &&
	      (s.error.changed & KVMCLOCK_CHANGED_OFFSET), "restore_vcpu %d", ret);
	check_error(in, &s.error, ret);
}

/* The same hosts, the same calls: the same bytes, and the same VM bit for bit. */
void law_same_again(struct in *in)
{
	static struct scene s, once;
	static u8 bytes[BYTES_ROOM];
	int ret;

	scene_draw(in, &s);
	scene_befriend(in, &s);
	once = s;
	ret = scene_all(&s);
	memcpy(bytes, s.bytes, sizeof(bytes));
	once.ops_a.context = &s.a;
	{
		static struct sim_vm b;
		u64 worst_ns = s.verdict.worst_ns;

		b = s.b;
		s = once;
		CHECK(scene_all(&s) == ret, "not %d again", ret);
		CHECK(ret || (!memcmp(&b.s, &s.b.s, sizeof(b.s)) && worst_ns == s.verdict.worst_ns),
		      "the VM differs");
		CHECK(!memcmp(bytes, s.bytes, s.nr_bytes), "the bytes differ");
	}
	in_hash(in, bytes[12]);
}

/* Any state in memory and any host: a plan or a code, and no undefined arithmetic. */
void law_plan_any(struct in *in)
{
	struct kvmclock_vcpu vcpus[3];
	struct kvmclock_state state = { .size = sizeof(state), .vcpus = vcpus, .vcpu_room = 3 };
	struct kvmclock_abilities host = { .size = sizeof(host), .bits = (u32)in_u64(in),
		.host_khz = (u32)in_u64(in), .frac_bits = in_once_in(in, 9) ? (u32)in_u64(in) :
		(u32)in_range(in, 32, 62), .tolerance_ppm = (u32)in_below(in, 1000) };
	struct kvmclock_request request = scene_any(1 + (u32)in_below(in, 4));
	struct kvmclock_plan plan = { .size = sizeof(plan) };
	struct kvmclock_error error = { .size = sizeof(error) };
	int ret;

	state.flags = (u32)in_u64(in);
	state.host_khz = (u32)in_u64(in);
	state.frac_bits = (u32)in_range(in, 32, 62);
	state.line_mul = (u32)in_u64(in);
	state.line_shift = (s32)in_below(in, 65) - 32;
	state.vcpu_count = (u32)in_below(in, 4);
	state.width_ns = in_u64(in);
	state.at = (struct kvmclock_reading) { in_u64(in), (s64)in_u64(in), (s64)in_u64(in), in_u64(in), in_u64(in) };
	host.now = (struct kvmclock_reading) { in_u64(in), (s64)in_u64(in), (s64)in_u64(in), in_u64(in), in_u64(in) };
	for (int i = 0; i < 3; i++)
		vcpus[i] = (struct kvmclock_vcpu) { in_u64(in), in_u64(in), in_u64(in), 0, 0,
						    (u32)in_u64(in), (u32)in_below(in, 8) };
	request.lowest_tier = (u32)in_below(in, 4);
	request.max_step_ns = in_u64(in);
	request.max_rate_ppb = in_u64(in);
	ret = kvmclock_plan(&state, &host, &request, &plan, &error);
	if (ret)
		check_error(in, &error, ret);
	else
		CHECK(!plan.verdict && plan.tier <= request.lowest_tier, "verdict %d", plan.verdict);
	in_hash(in, plan.reasons ^ plan.step_ns ^ (u64)plan.rate_error_ppb ^ (u64)plan.slope_error_ppb);
}

/* A raw struct kvm_clock_data, or QEMU's section, and TSCs by MSR. */
void law_foreign(struct in *in)
{
	static struct scene s;
	bool qemu = in_once_in(in, 2);
	struct kvm_clock_data clock = { .clock = in_u64(in), .flags = in_once_in(in, 2) ? 0 :
		KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC, .realtime = 1600000000000000000ull };
	u64 tsc[2] = { in_u64(in), 0 };
	u32 khz[2];
	struct kvmclock_foreign foreign = { .size = sizeof(foreign), .clock = &clock, .vcpu_count = 2,
		.source = qemu ? KVMCLOCK_SOURCE_QEMU : 1, .clock_bytes = sizeof(clock),
		.tsc_gtsc = (uint64_t *)tsc, .tsc_khz = khz };
	u64 big_endian = __builtin_bswap64(clock.clock);
	bool has_realtime = !qemu && clock.flags;
	int ret;

	scene_draw(in, &s);
	s.destination = &s.source;
	tsc[1] = tsc[0] + in_below(in, 1000);
	khz[0] = khz[1] = s.source.khz;
	if (qemu) {
		foreign.clock = &big_endian;
		foreign.clock_bytes = in_below(in, 16);
	}
	ret = kvmclock_from_foreign(&foreign, &s.state, &s.error);
	if (foreign.clock_bytes < 8) {
		CHECK(ret == KVMCLOCK_E_TRUNCATED, "%zu bytes: %d", foreign.clock_bytes, ret);
		return;
	}
	CHECK(!ret && s.state.clock_ns == clock.clock && s.state.vcpu_count == 2 &&
	      s.state.vcpus[1].tsc_gtsc == tsc[1] &&
	      s.state.flags == (KVMCLOCK_STATE_TSC | (has_realtime ? KVMCLOCK_STATE_REALTIME : 0)),
	      "ret %d, flags %#x", ret, s.state.flags);
	s.request = scene_any(KVMCLOCK_ADVANCE);
	sim_vm_create(&s.b, s.destination);
	ret = scene_to(&s);
	CHECK(ret == (has_realtime ? 0 : KVMCLOCK_E_INCOMPLETE), "ret %d: %s", ret, s.error.advice);
	if (ret)
		return;
	CHECK((s.restore.plan.reasons & 0xe) == 0x6, "reasons %#x", s.restore.plan.reasons);
	for (u32 i = 0; i < 2 && s.source.has_offset; i++)
		CHECK(sim_gtsc_at(&s.b, i, s.restore.at.htsc) - tsc[i] ==
		      wide_muldiv(s.restore.plan.elapsed_ns, khz[i], 1000000), "vcpu %u", i);
}

static struct kvmclock_reading any_reading(struct in *in)
{
	return (struct kvmclock_reading) { in_u64(in), (s64)in_u64(in), (s64)in_u64(in), in_u64(in), in_u64(in) };
}

/*
 * A state of anybody's making, of which only the frequencies are such as a host
 * can have, and with which all is done that can be: a code or 0, what is told to
 * have been changed was, and no undefined arithmetic.
 */
void law_restore_any(struct in *in)
{
	static struct scene s;
	u32 step = 0, nr, khz;
	int ret = 0;

	scene_draw(in, &s);
	khz = (u32)in_range(in, in_once_in(in, 3) ? 1u << 31 : 1, ~0u);
	khz = in_once_in(in, 3) ? s.destination->khz : khz;
	s.state.vcpu_count = nr = (u32)in_below(in, 4);
	s.state.flags = (u32)in_u64(in);
	s.state.host_khz = in_once_in(in, 2) ? s.source.khz : (u32)in_range(in, 1, ~0u);
	s.state.frac_bits = in_once_in(in, 2) ? s.source.frac_bits : (u32)in_range(in, 32, 62);
	s.state.line_mul = (u32)in_range(in, 1, ~0u);
	s.state.line_shift = (s32)in_below(in, 63) - 31;
	s.state.at = any_reading(in);
	s.state.clock_ns = in_u64(in);
	s.state.line_gtsc = in_u64(in);
	s.state.line_ns = in_u64(in);
	s.state.width_ns = in_once_in(in, 2) ? 0 : in_u64(in);
	for (u32 i = 0; i < nr; i++)
		s.vcpus[i] = (struct kvmclock_vcpu) { in_u64(in),
			in_once_in(in, 2) ? 1ull << s.state.frac_bits : in_u64(in), in_u64(in), in_u64(in), in_u64(in),
			khz, (u32)in_u64(in) };
	s.request.flags = (u32)in_below(in, 4);
	s.request.max_step_ns = in_once_in(in, 2) ? KVMCLOCK_UNKNOWN : in_u64(in);
	s.request.max_tries = 1 + (u32)in_below(in, 5);
	scene_away(&s);
	for (; !ret && step < 5 + nr; step++) {
		s.b.written = 0;
		if (step < 2)
			ret = step ? scene_restore_vm(&s) : scene_probe(&s);
		else if (step < 2 + nr)
			ret = scene_restore_vcpu(&s, step - 2);
		else
			ret = step == 2 + nr ? scene_finish(&s) : scene_verify(&s, step > 3 + nr);
	}
	in_hash(in, step);
	CHECK(step <= 2 || !nr || khz <= INT32_MAX, "%u kHz were planned", khz);
	if (!ret)
		return;
	CHECK(ret < 0 && ret >= KVMCLOCK_E_INCOMPLETE, "step %u: %d", step, ret);
	check_error(in, &s.error, ret);
	CHECK(s.error.changed == s.b.written, "step %u: changed %#x, told %#x", step, s.b.written, s.error.changed);
}
