// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The last phase of a restore: the clock, by the best tier that there is. */
#include <errno.h>

#include "internal.h"

static void note_line(struct kvmclock_restore *restore, struct kc_line line)
{
	restore->line_gtsc = line.t0_gtsc;
	restore->line_ns = line.n0_ns;
	restore->line_mul = line.rate.mul;
	restore->line_shift = line.rate.shift;
}

/* Where this host's rate is another, the clock goes on with it from the chosen instant. */
static void note_moved_line(struct kvmclock_restore *restore, struct kc_rate rate)
{
	struct kc_line saved = line_of_state(restore->state);
	uint64_t gtsc = restore_gtsc_at(restore, restore->at.htsc);

	note_line(restore, (struct kc_line) { gtsc, kc_line_read_floor_ns(&saved, gtsc), rate });
}

static int set_line(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm)
{
	struct kc_line line = line_of_restore(restore);
	struct kc_pvclock page = kc_pvclock_of_line(&line, 0);

	return try_ioctl(vm, vm->vcpu_fds[0], &call_set_line, &page);
}

/* Tier 0: the line itself.  What is then read back is compared bit for bit. */
static int finish_by_line(struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
			  struct kvmclock_result *result, struct kvmclock_error *error)
{
	struct kc_pvclock page, wanted;
	struct kc_line shown, line;
	uint64_t gtsc;
	int ret;

	note_line(restore, line_of_state(restore->state));
	ret = set_line(restore, vm);
	result->line_kept = ret >= 0;
	if (ret == -ERANGE) {
		ret = ask(vm, 0, &call_get_line, &page, error);
		if (ret < 0)
			return ret;
		note_moved_line(restore, kc_pvclock_line(&page).rate);
		ret = set_line(restore, vm);
	}
	if (ret < 0)
		return fail_call(error, &call_set_line, 0, ret);
	error_changed(error, KVMCLOCK_CHANGED_CLOCK);
	ret = ask(vm, 0, &call_get_line, &page, error);
	if (ret < 0)
		return ret;
	shown = kc_pvclock_line(&page);
	line = line_of_restore(restore);
	wanted = kc_pvclock_of_line(&line, page.flags);
	if (!kc_pvclock_is_same(&page, &wanted))
		result->line_kept = 0;
	gtsc = restore_gtsc_at(restore, read_htsc(vm));
	result->residual_ns = (int64_t)(kc_line_read_floor_ns(&shown, gtsc) -
					kc_line_read_floor_ns(&line, gtsc));
	result->residual_error_ns = 0;
	return 0;
}

/* Tiers 2 and 3: for want of a line, by realtime or by the time that the call takes. */
static int finish_by_clock(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
			   struct kvmclock_result *result, struct kvmclock_error *error)
{
	struct kvm_clock_data clock = { .clock = restore->state->clock_ns + restore->plan.elapsed_ns };
	uint32_t khz = restore->abilities.host_khz;
	uint64_t before_htsc = read_htsc(vm), spent_ns;
	int ret;

	if (restore->request.policy == KVMCLOCK_ADVANCE &&
	    restore->abilities.bits & KVMCLOCK_HAS_REALTIME) {
		clock.flags = KVM_CLOCK_REALTIME;
		clock.realtime = (uint64_t)restore->at.realtime_ns;
	} else {
		clock.clock += kc_mul_div_floor(before_htsc - restore->at.htsc, 1000000, khz);
	}
	ret = ask(vm, NO_VCPU, &call_set_clock, &clock, error);
	if (ret < 0)
		return ret;
	error_changed(error, KVMCLOCK_CHANGED_CLOCK);
	result->residual_ns = 0;
	spent_ns = ticks_to_ns_above(read_htsc(vm) - before_htsc, khz);
	if (clock.flags)	/* realtime may have been slewed since the chosen instant */
		spent_ns = sum(restore->at.width_ns,
			       ticks_to_ns_above(before_htsc - restore->at.htsc, khz) / 2000 + 1);
	result->residual_error_ns = spent_ns;
	return 0;
}

/* No line after all, where the plan had one: only if the budget has room for that. */
static int fall_back(struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
		     struct kvmclock_result *result, struct kvmclock_error *error)
{
	if (restore->request.lowest_tier < KVMCLOCK_TIER_2)
		return fail(error, KVMCLOCK_E_BUDGET_TIER,
			    "the clock is set, but KVM is not in master mode here: see its reasons");
	if (restore->request.max_step_ns != KVMCLOCK_UNKNOWN)
		return fail(error, KVMCLOCK_E_BUDGET_STEP,
			    "the clock is set, but its step cannot be measured in host mode");
	result->tier = KVMCLOCK_TIER_2;
	return finish_by_clock(restore, vm, result, error);
}

static int finish_clock(struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
			struct kvmclock_result *result, struct kvmclock_error *error)
{
	struct kc_rate drawn;
	int ret;

	if (result->tier == KVMCLOCK_TIER_0)
		return finish_by_line(restore, vm, result, error);
	if (restore->state->flags & KVMCLOCK_STATE_LINE && restore->state->vcpu_count) {
		drawn = rate_drawn(&restore->abilities, restore->tsc_ratio);
		note_line(restore, line_of_state(restore->state));
		if (!kc_rate_is_within_2ppb(line_of_restore(restore).rate, drawn))
			note_moved_line(restore, drawn);
	}
	if (result->tier != KVMCLOCK_TIER_1)
		return finish_by_clock(restore, vm, result, error);
	ret = correct_clock(restore, vm, result, error);
	return ret > 0 ? fall_back(restore, vm, result, error) : ret;
}

/* A guest without kvm-clock has no page to be told by. */
static int tell_stopped(const struct kvmclock_vm *vm, struct kvmclock_error *error)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		int ret = try_ioctl(vm, vm->vcpu_fds[i], &call_ctrl, NULL);

		if (ret < 0 && ret != -EINVAL)
			return fail_call(error, &call_ctrl, (int)i, ret);
		if (ret >= 0)
			error_changed(error, KVMCLOCK_CHANGED_STOPPED);
	}
	return 0;
}

KVMCLOCK_PUBLIC int kvmclock_restore_finish(struct kvmclock_restore *restore,
					    const struct kvmclock_vm *vm,
					    struct kvmclock_result *result,
					    struct kvmclock_error *error)
{
	struct kvmclock_result found = { 0 };
	int ret;

	error_begin(error);
	if (!restore || !result || !is_size(restore->size, sizeof(*restore)) || !is_vm(vm) ||
	    !is_size(result->size, sizeof(*result)))
		return fail(error, KVMCLOCK_E_SIZE, "give every struct, its size set to sizeof");
	if (!restore->state || restore->phase != (restore->next_vcpu ? PHASE_VCPU : PHASE_VM) ||
	    restore->next_vcpu != restore->state->vcpu_count)
		return fail(error, KVMCLOCK_E_ORDER, "kvmclock_restore_vcpu() for every vCPU first");
	if (vm->vcpu_count < restore->next_vcpu || (vm->vcpu_count && !vm->vcpu_fds))
		return fail(error, KVMCLOCK_E_ARGUMENT, "all vCPUs of the state are needed");
	if (!restore->next_vcpu)
		restore->at.htsc = read_htsc(vm);
	found.size = result->size;
	found.tier = restore->plan.tier;
	ret = finish_clock(restore, vm, &found, error);
	restore->residual_ns = found.residual_ns;
	restore->residual_error_ns = found.residual_error_ns;
	*result = found;
	ret = ret ? ret : tell_stopped(vm, error);
	if (!ret)
		restore->phase = PHASE_DONE;
	return ret;
}
