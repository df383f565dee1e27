// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Every call fails in turn, with every errno: what is told to have been changed
 * is what was, nothing else is, and the same call made again succeeds.
 */
#include <errno.h>
#include <string.h>

#include "../../uapi/kvm_clock.h"
#include "check.h"

static const int errnos[] = { EIO, EINVAL, ENXIO, ENOTTY, EFAULT, ENOMEM };

enum { NR_ERRNOS = sizeof(errnos) / sizeof(*errnos), MOST_CALLS = 400 };

static const struct {
	unsigned long request;
	const char *name;
} names[] = {
	{ KVM_CHECK_EXTENSION, "KVM_CHECK_EXTENSION" }, { KVM_GET_CLOCK, "KVM_GET_CLOCK" },
	{ KVM_SET_CLOCK, "KVM_SET_CLOCK" }, { KVM_GET_TSC_KHZ, "KVM_GET_TSC_KHZ" },
	{ KVM_SET_TSC_KHZ, "KVM_SET_TSC_KHZ" }, { KVM_GET_DEVICE_ATTR, "KVM_GET_DEVICE_ATTR" },
	{ KVM_SET_DEVICE_ATTR, "KVM_SET_DEVICE_ATTR" }, { KVM_GET_MSRS, "KVM_GET_MSRS" },
	{ KVM_SET_MSRS, "KVM_SET_MSRS" }, { KVM_GET_CLOCK_GUEST, "KVM_GET_CLOCK_GUEST" },
	{ KVM_SET_CLOCK_GUEST, "KVM_SET_CLOCK_GUEST" }, { KVM_KVMCLOCK_CTRL, "KVM_KVMCLOCK_CTRL" },
	{ KVM_GET_SUPPORTED_CPUID, "KVM_GET_SUPPORTED_CPUID" },
};

static const char *name_of(unsigned long request)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].request == request)
			return names[i].name;
	return "?";
}

/* The call is named, and its vCPU, and the errno is the system's. */
static void check_told(struct in *in, const struct scene *s, const struct sim_vm *vm, int ret)
{
	const struct kvmclock_error *error = &s->error;

	check_error(in, error, ret);
	CHECK(ret == KVMCLOCK_E_SYSTEM && error->sys_errno == vm->host->fail_errno, "ret %d, errno %d",
	      ret, error->sys_errno);
	if (!vm->failed_request) {
		CHECK(!strcmp(error->call, "clock_gettime") || !strcmp(error->call, "adjtimex"),
		      "call %s", error->call);
		return;
	}
	CHECK(!strcmp(error->call, name_of(vm->failed_request)), "%s failed, told is %s",
	      name_of(vm->failed_request), error->call);
	CHECK(error->vcpu == (vm->failed_fd >= SIM_VCPU_FD ? vm->failed_fd - SIM_VCPU_FD : -1),
	      "fd %d, vcpu %d", vm->failed_fd, error->vcpu);
}

static u32 changed_between(const struct sim_state *a, const struct sim_state *b)
{
	u32 changed = a->default_khz != b->default_khz ? KVMCLOCK_CHANGED_KHZ : 0;

	for (u32 i = 0; i < a->nr; i++) {
		const struct sim_vcpu *x = &a->vcpus[i], *y = &b->vcpus[i];

		if (x->khz != y->khz || x->ratio != y->ratio)
			changed |= KVMCLOCK_CHANGED_KHZ;
		else if (x->offset != y->offset)
			changed |= KVMCLOCK_CHANGED_OFFSET;
		changed |= x->tsc_adjust != y->tsc_adjust ? KVMCLOCK_CHANGED_TSC_ADJUST : 0;
		changed |= x->deadline != y->deadline ? KVMCLOCK_CHANGED_DEADLINE : 0;
		changed |= x->stopped != y->stopped ? KVMCLOCK_CHANGED_STOPPED : 0;
	}
	/* The line goes along with the TSC. */
	if ((a->n0 != b->n0 || a->base_ns != b->base_ns) &&
	    !(changed & (KVMCLOCK_CHANGED_OFFSET | KVMCLOCK_CHANGED_KHZ)))
		changed |= KVMCLOCK_CHANGED_CLOCK;
	return changed;
}

static int save_step(struct scene *s, u32 step)
{
	(void)step;
	return kvmclock_save(&s->vm_a, &s->abilities_a, &s->saved, &s->error);
}

static int restore_step(struct scene *s, u32 step)
{
	u32 nr = s->state.vcpu_count;

	if (step == 0)
		return scene_probe(s);
	if (step == 1)
		return scene_restore_vm(s);
	if (step < 2 + nr)
		return scene_restore_vcpu(s, step - 2);
	return step == 2 + nr ? scene_finish(s) : scene_verify(s, step > 3 + nr);
}

/* One run, in which the call of number at fails; false: there is no such call. */
static bool run(struct in *in, struct scene *s, struct sim_vm *vm, int (*take)(struct scene *, u32),
		u32 nr_steps, u32 at, int fail_errno)
{
	static struct sim_state before;
	struct sim_host *host = vm->host;
	bool failed = false;

	host->fail_at = host->calls + at;
	host->fail_errno = fail_errno;
	host->failed = false;
	vm->failed_request = 0;
	for (u32 step = 0; step < nr_steps; step++) {
		struct kvmclock_verdict verdict = s->verdict;
		int ret;

		before = vm->s;
		vm->written = 0;
		ret = take(s, step);
		if (ret < 0) {
			CHECK(host->failed && !failed, "step %u: %d: %s", step, ret, s->error.advice);
			check_told(in, s, vm, ret);
			CHECK(s->error.changed == vm->written, "%s: changed %#x, told %#x", s->error.call,
			      vm->written, s->error.changed);
			CHECK(!(changed_between(&before, &vm->s) & ~vm->written) &&
			      (vm->written || !memcmp(&before, &vm->s, sizeof(before))), "%s: changed",
			      s->error.call);
			CHECK(!memcmp(&verdict, &s->verdict, sizeof(verdict)), "%s: a verdict", s->error.call);
			failed = true;
			step--;		/* again */
		} else if (host->failed && !failed) {
			/* No page, no record to mark, a vCPU to ask instead: not failures. */
			CHECK(!vm->failed_request || (vm->failed_request == KVM_GET_TSC_KHZ &&
			      vm->failed_fd == SIM_VM_FD && fail_errno == ENOTTY) || (vm->failed_request == KVM_KVMCLOCK_CTRL &&
			      fail_errno == EINVAL), "%s failed, and nothing was told",
			      name_of(vm->failed_request));
			failed = true;
		}
	}
	host->fail_at = 0;
	return host->failed;
}

static void create(struct in *in, struct scene *s, bool unequal)
{
	int ret;

	s->nr_vcpus = 1 + in_below(in, 2);
	ret = scene_create(s);
	CHECK(!ret, "create %d", ret);
	scene_draw_vcpus(in, s, unequal);
}

void law_fail_save(struct in *in)
{
	static struct scene s, drawn;
	u32 at = 1;

	scene_draw(in, &s);
	create(in, &s, in_once_in(in, 4));
	drawn = s;
	for (int e = 0; e < NR_ERRNOS; e++) {
		for (at = 1; run(in, &s, &s.a, save_step, 1, at, errnos[e]); at++) {
			CHECK(!s.a.write_calls, "a save wrote");
			s.world = drawn.world;
			s.source = drawn.source;
		}
		CHECK(at > 38 && at < MOST_CALLS, "%u calls", at);
	}
	in_hash(in, at);
}

/* Each call from probe to verify, before the first run and after it. */
static void fail_restore_by(struct in *in, struct scene *s, int fail_errno)
{
	static struct scene drawn;
	bool more = true;
	u32 at = 1;

	drawn = *s;
	for (; more; at++) {
		more = run(in, s, &s->b, restore_step, 5 + s->state.vcpu_count, at, fail_errno);
		if (!s->destination->is_host_mode &&
		    (s->b.failed_request != KVM_KVMCLOCK_CTRL || fail_errno != EINVAL))
			check_restored(in, s);
		s->world = drawn.world;
		s->source = drawn.source;
		s->other = drawn.other;
		s->vm_b = drawn.vm_b;
		s->b = drawn.b;
	}
	CHECK(at > 30 && at < MOST_CALLS, "%u calls", at);
	in_hash(in, at);
}

static void create_save_and_go(struct in *in, struct scene *s, bool unequal)
{
	int ret;

	create(in, s, unequal);
	ret = scene_save(s);
	ret = ret ? ret : scene_carry(s);
	CHECK(!ret, "save %d: %s", ret, s->error.advice);
	scene_away(s);
}

void law_fail_restore(struct in *in)
{
	static struct scene s;

	scene_draw(in, &s);
	s.destination = &s.source;
	s.request = scene_any(KVMCLOCK_ADVANCE + (u32)in_below(in, 3));
	create_save_and_go(in, &s, in_once_in(in, 4));
	for (int e = 0; e < NR_ERRNOS; e++)
		fail_restore_by(in, &s, errnos[e]);
}

/*
 * Every way in which a live update sets the clock: the line as it was, the line
 * at a kexec's other rate, tier 1 with many corrections, scaled too, and a KVM
 * that is in host mode or older.
 */
void law_fail_live_update(struct in *in)
{
	enum { LINE, LINE_KEXEC, CORRECTED, CORRECTED_SCALED, HOST_MODE, OLD, NR_WAYS };
	static const u32 tiers[NR_WAYS] = { 0, 0, 1, 1, 2, 3 };
	static struct scene s;
	int fail_errno = errnos[in_below(in, NR_ERRNOS)];

	for (u32 way = 0; way < NR_WAYS; way++) {
		scene_draw(in, &s);
		s.source.ours = s.source.has_offset = s.source.has_host_tsc = s.source.has_vm_khz = true;
		s.source.scaling = way == CORRECTED_SCALED || (way == LINE && in_once_in(in, 2));
		s.source.khz = 2500000;
		s.source.hz = 2500000123;
		s.guest_khz = s.source.scaling ? 1000000 + (u32)in_below(in, 1000000) : 0;
		s.source.tolerance_ppm = 250;
		s.other = s.source;
		s.other.khz += way == LINE_KEXEC ? 9 : 0;
		s.other.ours = way <= LINE_KEXEC;
		s.other.has_offset = s.other.has_host_tsc = s.other.has_vm_khz = way != OLD;
		s.other.is_host_mode = way == HOST_MODE;
		s.destination = &s.other;
		s.request = scene_any(KVMCLOCK_LIVE_UPDATE);
		s.request.flags = in_once_in(in, 2) ? KVMCLOCK_SAME_HOST : 0;
		if (tiers[way] == 1) {
			s.request.max_step_ns = 2500;
			s.other.latency_ps = 20000;
			s.other.noise_ps = 500000;
		}
		create_save_and_go(in, &s, false);
		fail_restore_by(in, &s, fail_errno);
		CHECK(s.result.tier == tiers[way], "way %u: tier %u", way, s.result.tier);
		CHECK(tiers[way] != 1 || s.result.tries > 1, "way %u: %u tries", way, s.result.tries);
		CHECK(s.result.line_kept == (way == LINE), "way %u: line kept %u", way, s.result.line_kept);
	}
}
