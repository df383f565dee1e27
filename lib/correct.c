// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Tier 1: the clock of an unmodified kernel, set, measured and corrected. */
#include "internal.h"

uint64_t restore_gtsc_at(const struct kvmclock_restore *restore, uint64_t htsc)
{
	struct kc_host host = host_of(&restore->abilities);
	struct kc_tsc tsc = { restore->tsc_ratio, restore->tsc_offset_gtsc };

	return kc_tsc_read_floor(&host, tsc, htsc);
}

uint64_t restore_line_at(const struct kvmclock_restore *restore, uint64_t htsc)
{
	struct kc_line line = line_of_restore(restore);

	return kc_line_read_floor_ns(&line, restore_gtsc_at(restore, htsc));
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
		if (!(clock.flags & KVM_CLOCK_HOST_TSC))
			return 1;	/* not in master mode any more */
		total_ns += (int64_t)(clock.clock - restore_line_at(restore, clock.host_tsc));
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
	a->set_ns = clock.clock = restore_line_at(restore, a->before_htsc + lag_htsc);
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
	if (is_scaled(restore->abilities.frac_bits, restore->tsc_ratio)) {
		a->residual_ns = (int64_t)(a->set_ns - restore_line_at(restore, a->set_htsc));
		a->error_ns = sum(1, ticks_to_ns_above(1, restore->tsc_khz));
	} else {
		a->residual_ns = (int64_t)(clock.clock - restore_line_at(restore, clock.host_tsc));
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
int correct_clock(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
		  struct kvmclock_result *result, struct kvmclock_error *error)
{
	const struct kvmclock_request *request = &restore->request;
	uint32_t tries = request->max_tries ? request->max_tries : 100;
	uint32_t time_us = request->max_time_us ? request->max_time_us : 5000;
	uint64_t time_htsc = kc_mul_div_floor(time_us, restore->abilities.host_khz, 1000);
	uint64_t start_htsc = read_htsc(vm), lag_htsc = 0, spent_htsc, allowed, by_time, wanted;
	bool scaled = is_scaled(restore->abilities.frac_bits, restore->tsc_ratio), is_last;
	struct attempt a;

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
		if (!scaled && (magnitude(a.residual_ns) <= allowed || is_last))
			ret = measure(restore, vm, result, error);
		if (ret)
			return ret;
		/* What is known to 1 ns need not be 0. */
		wanted = allowed || !request->max_step_ns ? allowed : 1;
	} while (magnitude(result->residual_ns) > wanted && !is_last);
	if (magnitude(result->residual_ns) > request->max_step_ns)
		return fail(error, KVMCLOCK_E_BUDGET_STEP,
			    "the clock is set, but not within the budget: try again, or allow more");
	return 0;
}
