// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What a monitor's author does to keep a guest's clock: this file, and the
 * order of its calls in state.c.  Printed are, at
 *   save: save_width_ns
 *   restore: plan_tier, plan_step_ns, plan_rate_ppb, plan_slope_ppb, reasons
 *   finish: tier, line_kept, tries, residual_ns, residual_error_ns, elapsed_ns, elapsed_error_ns
 *   verify: verify_cycles, verify_ns, verify_error_ns, verify_pages; asked for, too, away_error_ns: the clock's way since the
 *     save less that of realtime
 *   plant: planted_ns
 */
#include "clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvmclock.h"
#include "naive.h"
#include "state.h"

static struct {
	bool naive, restored;
	int32_t fds[VM_MAX_VCPUS];
	struct kvmclock_ops ops;
	struct kvmclock_abilities abilities;
	struct kvmclock_vcpu vcpus[VM_MAX_VCPUS];
	struct kvmclock_state state;		/* that was restored: restore needs it */
	struct kvmclock_restore restore;
	struct kvmclock_request request;
} it = {
	.abilities.size = sizeof(it.abilities),
	.restore.size = sizeof(it.restore),
	.request = {
		.size = sizeof(it.request), .policy = KVMCLOCK_ADVANCE,
		.lowest_tier = KVMCLOCK_TIER_1, .max_step_ns = 50, .max_rate_ppb = 250000,
		.max_tries = 1000, .max_time_us = 100000,
	},
};

int clock_set_policy(const char *name, bool is_same_host)
{
	static const char *const names[] = {
		[KVMCLOCK_LIVE_UPDATE] = "live-update", [KVMCLOCK_ADVANCE] = "advance",
		[KVMCLOCK_FROZEN] = "frozen", [KVMCLOCK_CLONE] = "clone",
	};
	uint32_t i;

	it.naive = !strcmp(name, "naive");
	it.request.flags = is_same_host ? KVMCLOCK_SAME_HOST : 0;
	for (i = KVMCLOCK_LIVE_UPDATE; i <= KVMCLOCK_CLONE; i++) {
		if (!strcmp(name, names[i]))
			it.request.policy = i;
	}
	return it.naive || !strcmp(name, names[it.request.policy]) ? 0 : -1;
}

void clock_set_budget(uint64_t step_ns, uint64_t rate_ppb)
{
	it.request.max_step_ns = step_ns;
	it.request.max_rate_ppb = rate_ppb;
}

static void say(const char *key, int64_t value)
{
	fprintf(stderr, "clock: %s %" PRId64 "\n", key, value);
}

static int refused(const char *doing, const struct kvmclock_error *error)
{
	errno = error->sys_errno;
	return complain("clock: %s: %s%s%s, vCPU %d: %s (code %d, changed %#x)", doing,
			kvmclock_strerror(error->code), error->call ? ": " : "",
			error->call ? error->call : "", error->vcpu, error->advice ? error->advice : "",
			error->code, error->changed);
}

static int read_guest(void *context, uint64_t gpa, void *to, size_t size)
{
	struct vm *vm = context;

	if (gpa >= vm->mem_size || size > vm->mem_size - gpa)
		return -EFAULT;
	memcpy(to, vm->mem + gpa, size);
	return 0;
}

static struct kvmclock_vm library_vm(struct vm *vm)
{
	int i;

	it.ops = (struct kvmclock_ops){
		.size = sizeof(it.ops), .context = vm, .read_guest = read_guest,
	};
	for (i = 0; i < vm->count; i++)
		it.fds[i] = vm->vcpu[i].fd;
	return (struct kvmclock_vm){
		.size = sizeof(struct kvmclock_vm), .kvm_fd = vm->kvm, .vm_fd = vm->fd,
		.vcpu_count = (uint32_t)vm->count, .vcpu_fds = it.fds, .ops = &it.ops,
	};
}

static struct kvmclock_error no_error(void)
{
	return (struct kvmclock_error){ .size = sizeof(struct kvmclock_error) };
}

int clock_open(struct vm *vm)
{
	struct kvmclock_error error = no_error();
	struct kvmclock_vm lib = library_vm(vm);

	if (kvmclock_probe(&lib, &it.abilities, &error))
		return refused("probe", &error);
	return 0;
}

bool clock_owns_msr(uint32_t msr)
{
	return it.naive ? naive_owns_msr(msr) : kvmclock_msr_rule(msr) != KVMCLOCK_MSR_ANY;
}

static struct kvmclock_state new_state(struct kvmclock_vcpu *vcpus)
{
	return (struct kvmclock_state){
		.size = sizeof(struct kvmclock_state), .vcpus = vcpus, .vcpu_room = VM_MAX_VCPUS,
	};
}

int clock_save(struct vm *vm, uint8_t *bytes, uint32_t *size)
{
	struct kvmclock_error error = no_error();
	struct kvmclock_vm lib = library_vm(vm);
	struct kvmclock_vcpu vcpus[VM_MAX_VCPUS];
	struct kvmclock_state state = new_state(vcpus);
	size_t used;

	if (it.naive)
		return naive_save(vm, bytes, size);
	if (kvmclock_save(&lib, &it.abilities, &state, &error) ||
	    kvmclock_encode(&state, bytes, STATE_MAX_CLOCK, &used, &error))
		return refused("save", &error);
	*size = (uint32_t)used;
	say("save_width_ns", (int64_t)state.width_ns);
	return 0;
}

/* bytes live no longer than this call: what a later version added is not kept. */
int clock_restore_vm(struct vm *vm, const uint8_t *bytes, uint32_t size)
{
	struct kvmclock_error error = no_error();
	struct kvmclock_vm lib = library_vm(vm);
	struct kvmclock_plan plan = { .size = sizeof(plan) };

	if (it.naive)
		return naive_restore_vm(bytes, size);
	it.state = new_state(it.vcpus);
	if (kvmclock_decode(bytes, size, &it.state, &error))
		return refused("decode", &error);
	it.state.unknown = NULL;
	it.state.unknown_bytes = 0;
	/* Figures also of a plan that is refused. */
	kvmclock_plan(&it.state, &it.abilities, &it.request, &plan, &error);
	say("plan_tier", plan.tier);
	say("plan_step_ns", (int64_t)plan.step_ns);
	say("plan_rate_ppb", plan.rate_error_ppb);
	say("plan_slope_ppb", plan.slope_error_ppb);
	say("reasons", plan.reasons);
	if (kvmclock_restore_vm(&it.restore, &lib, &it.state, &it.abilities, &it.request, &error))
		return refused("restore", &error);
	return 0;
}

int clock_restore_vcpu(struct vm *vm, int id)
{
	struct kvmclock_error error = no_error();
	struct kvmclock_vm lib = library_vm(vm);

	if (it.naive)
		return naive_restore_vcpu(vm, id);
	if (kvmclock_restore_vcpu(&it.restore, &lib, (uint32_t)id, &error))
		return refused("restore", &error);
	return 0;
}

static int verify(struct vm *vm, bool has_run)
{
	struct kvmclock_verdict verdict = { .size = sizeof(verdict) };
	struct kvmclock_error error = no_error();
	struct kvmclock_vm lib = library_vm(vm);

	if (kvmclock_verify(&it.restore, &lib, has_run, &verdict, &error))
		return refused("verify", &error);
	say("verify_cycles", (int64_t)verdict.worst_cycles);
	say("verify_ns", (int64_t)verdict.worst_ns);
	say("verify_error_ns", (int64_t)verdict.worst_ns_error);
	say("verify_pages", verdict.from_page);
	return 0;
}

/* TAI and the clock went on alike since the save, but for the bound that is stated. */
static int say_away(struct vm *vm)
{
	const struct kvmclock_reading *at = &it.state.at;
	struct kvm_clock_data clock = { 0 };

	if (ioctl(vm->fd, KVM_GET_CLOCK, &clock))
		return complain("KVM_GET_CLOCK");
	if (clock.flags & KVM_CLOCK_REALTIME)
		say("away_error_ns", (int64_t)(clock.clock - it.state.clock_ns -
					       (clock.realtime - (uint64_t)at->realtime_ns)));
	return 0;
}

int clock_finish(struct vm *vm)
{
	struct kvmclock_result result = { .size = sizeof(result) };
	struct kvmclock_error error = no_error();
	struct kvmclock_vm lib = library_vm(vm);

	if (it.naive)
		return naive_finish(vm);
	if (kvmclock_restore_finish(&it.restore, &lib, &result, &error))
		return refused("finish", &error);
	it.restored = true;
	say("tier", result.tier);
	say("line_kept", result.line_kept);
	say("tries", result.tries);
	say("residual_ns", result.residual_ns);
	say("residual_error_ns", (int64_t)result.residual_error_ns);
	say("elapsed_ns", (int64_t)it.restore.plan.elapsed_ns);
	say("elapsed_error_ns", (int64_t)it.restore.plan.elapsed_error_ns);
	return verify(vm, false);
}

int clock_verify(struct vm *vm)
{
	errno = 0;
	if (!it.restored)
		return complain("clock: nothing was restored");
	return verify(vm, true) ? -1 : say_away(vm);
}

static int save_line(struct vm *vm, struct kvmclock_state *state)
{
	struct kvmclock_error error = no_error();
	struct kvmclock_vm lib = library_vm(vm);
	static struct kvmclock_vcpu vcpus[VM_MAX_VCPUS];

	*state = new_state(vcpus);
	if (kvmclock_save(&lib, &it.abilities, state, &error))
		return refused("save", &error);
	errno = 0;
	return state->flags & KVMCLOCK_STATE_LINE ? 0 : complain("clock: it is no line now");
}

static uint64_t line_ns(const struct kvmclock_state *state, uint64_t gtsc)
{
	unsigned __int128 ticks = gtsc - state->line_gtsc;

	ticks = state->line_shift < 0 ? ticks >> -state->line_shift : ticks << state->line_shift;
	return state->line_ns + (uint64_t)((ticks * state->line_mul) >> 32);
}

/* What KVM made of it is printed, too: planted_ns. */
int clock_plant(struct vm *vm, int64_t step_ns)
{
	struct kvm_clock_data clock = { 0 };
	struct kvmclock_state before, after;

	if (save_line(vm, &before))
		return -1;
	if (ioctl(vm->fd, KVM_GET_CLOCK, &clock))
		return complain("KVM_GET_CLOCK");
	/* At its realtime, or the time between both calls would be lost. */
	clock.flags &= KVM_CLOCK_REALTIME;
	clock.clock += (uint64_t)step_ns;
	if (ioctl(vm->fd, KVM_SET_CLOCK, &clock))
		return complain("KVM_SET_CLOCK");
	if (save_line(vm, &after))
		return -1;
	say("planted_ns", (int64_t)(after.line_ns - line_ns(&before, after.line_gtsc)));
	return 0;
}
