// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The last phase of a restore: the clock, by the best tier that there is. */
#include <errno.h>

#include "internal.h"

static uint64_t gtsc_at(const struct kvmclock_restore *restore, uint64_t htsc)
{
	struct kc_host host = host_of(&restore->abilities);
	struct kc_tsc tsc = { restore->tsc_ratio, restore->tsc_offset_gtsc };

	return kc_tsc_read_floor(&host, tsc, htsc);
}

static uint64_t line_at(const struct kvmclock_restore *restore, uint64_t htsc)
{
	struct kc_line line = line_of_restore(restore);

	return kc_line_read_floor_ns(&line, gtsc_at(restore, htsc));
}

static bool is_scaled(const struct kvmclock_restore *restore)
{
	return restore->tsc_ratio != 1ull << restore->abilities.frac_bits;
}

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
	uint64_t gtsc = gtsc_at(restore, restore->at.htsc);

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
	struct kc_pvclock page;
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
	if (shown.t0_gtsc != line.t0_gtsc || shown.n0_ns != line.n0_ns ||
	    shown.rate.mul != line.rate.mul || shown.rate.shift != line.rate.shift)
		result->line_kept = 0;
	gtsc = gtsc_at(restore, read_htsc(vm));
	result->residual_ns = (int64_t)(kc_line_read_floor_ns(&shown, gtsc) -
					kc_line_read_floor_ns(&line, gtsc));
	result->residual_error_ns = 0;
	return 0;
}

/* One KVM_SET_CLOCK, and what came of it. */
struct attempt {
	uint64_t set_ns;
	uint64_t before_htsc;
	uint64_t set_htsc;	/* when KVM did it, to a nanosecond */
	int64_t residual_ns;
	uint64_t error_ns;
	bool measured;
};

/*
 * Of one reading the guest's own formula shifts and rounds bits away, by up to
 * 2 ns between two lines; the mean of several is within one.
 */
static int measure(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
		   struct kvmclock_result *result, struct kvmclock_error *error)
{
	enum { READINGS = 8 };
	struct kvm_clock_data clock = { 0 };
	int64_t total_ns = READINGS / 2;

	for (int i = 0; i < READINGS; i++) {
		int ret = ask(vm, NO_VCPU, &call_get_clock, &clock, error);

		if (ret < 0)
			return ret;
		total_ns += (int64_t)(clock.clock - line_at(restore, clock.host_tsc));
	}
	result->residual_ns = (total_ns - (total_ns < 0 ? READINGS - 1 : 0)) / READINGS;
	return 0;
}

/*
 * Stock KVM_GET_CLOCK reads the line that was just set, at the host's own rate.
 * Unscaled that is the guest's; scaled it still tells when the set took place,
 * and from there on the guest's line is known.
 */
static int attempt(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
		   uint64_t lag_htsc, struct attempt *a, struct kvmclock_error *error)
{
	struct kvm_clock_data clock = { 0 };
	uint32_t khz = restore->abilities.host_khz;
	int ret;

	a->before_htsc = read_htsc(vm);
	a->set_ns = clock.clock = line_at(restore, a->before_htsc + lag_htsc);
	ret = ask(vm, NO_VCPU, &call_set_clock, &clock, error);
	if (ret < 0)
		return ret;
	error_changed(error, KVMCLOCK_CHANGED_CLOCK);
	ret = ask(vm, NO_VCPU, &call_get_clock, &clock, error);
	if (ret < 0)
		return ret;
	a->measured = clock.flags & KVM_CLOCK_HOST_TSC;
	/* KVM rounded the time since then down: the ticks are rounded up. */
	a->set_htsc = clock.host_tsc - ns_to_ticks_ceil(clock.clock - a->set_ns, khz);
	if (is_scaled(restore)) {
		a->residual_ns = (int64_t)(a->set_ns - line_at(restore, a->set_htsc));
		a->error_ns = sum(1, ticks_to_ns_above(1, restore->tsc_khz));
	} else {
		a->residual_ns = (int64_t)(clock.clock - line_at(restore, clock.host_tsc));
		a->error_ns = 1;
	}
	return 0;
}

/* Spent of limit, as a part of budget. */
static uint64_t part(uint64_t budget, uint64_t spent, uint64_t limit)
{
	return spent >= limit ? budget : kc_mul_div_floor(budget, spent, limit);
}

/*
 * Tier 1: the clock is set for when KVM will have read its own, which the last
 * attempt tells.  A set cannot be taken back, so the best is kept by wanting 0
 * at first, and less and less as tries or time run out, to the budget at last.
 */
static int finish_by_correction(struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
				struct kvmclock_result *result, struct kvmclock_error *error)
{
	const struct kvmclock_request *request = &restore->request;
	uint32_t tries = request->max_tries ? request->max_tries : 100;
	uint32_t time_us = request->max_time_us ? request->max_time_us : 5000;
	uint64_t time_htsc = kc_mul_div_floor(time_us, restore->abilities.host_khz, 1000);
	uint64_t start_htsc = read_htsc(vm), lag_htsc = 0, spent_htsc, allowed, by_time;
	struct attempt a;
	bool is_last;

	do {
		int ret = attempt(restore, vm, lag_htsc, &a, error);

		if (ret || !a.measured)
			return ret ? ret : 1;
		lag_htsc = a.set_htsc - a.before_htsc;
		spent_htsc = read_htsc(vm) - start_htsc;
		allowed = part(request->max_step_ns, result->tries++, tries);
		by_time = part(request->max_step_ns, spent_htsc, time_htsc);
		allowed = by_time > allowed ? by_time : allowed;
		is_last = result->tries >= tries || spent_htsc >= time_htsc;
		result->residual_ns = a.residual_ns;
		result->residual_error_ns = a.error_ns;
	} while (magnitude(a.residual_ns) > allowed && !is_last);
	if (magnitude(a.residual_ns) > request->max_step_ns)
		return fail(error, KVMCLOCK_E_BUDGET_STEP,
			    "the clock is set, but not within the budget: try again, or allow more");
	return is_scaled(restore) ? 0 : measure(restore, vm, result, error);
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
	ret = finish_by_correction(restore, vm, result, error);
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
	if (!restore || !vm || !result || !is_size(restore->size, sizeof(*restore)) ||
	    !is_size(vm->size, sizeof(*vm)) || !is_size(result->size, sizeof(*result)))
		return fail(error, KVMCLOCK_E_SIZE, "set size to sizeof the struct");
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
