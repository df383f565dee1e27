// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A restore: the VM, each vCPU, and what its clock is to be. */
#include "internal.h"

static bool is_restore(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm)
{
	return restore && is_size(restore->size, sizeof(*restore)) && is_vm(vm);
}

/* To count the time away, or to see that a live update is none. */
static bool is_wall_read(const struct kvmclock_request *request)
{
	return request->policy == KVMCLOCK_ADVANCE ||
	       (request->policy == KVMCLOCK_LIVE_UPDATE && !(request->flags & KVMCLOCK_SAME_HOST));
}

static int read_instant(const struct kvmclock_vm *vm, uint32_t khz, bool has_realtime,
			struct kvmclock_reading *now, struct kvmclock_error *error)
{
	if (has_realtime)
		return read_now(vm, khz, now, error);
	*now = (struct kvmclock_reading) { .htsc = read_htsc(vm) };
	return 0;
}

KVMCLOCK_PUBLIC int kvmclock_restore_vm(struct kvmclock_restore *restore,
					const struct kvmclock_vm *vm,
					const struct kvmclock_state *state,
					const struct kvmclock_abilities *abilities,
					const struct kvmclock_request *request,
					struct kvmclock_error *error)
{
	struct kvmclock_plan plan = { .size = sizeof(plan) };
	struct kvmclock_abilities here;
	uint32_t khz;
	int ret;

	error_begin(error);
	if (!is_restore(restore, vm) || !abilities || !is_asked(request, sizeof(*request)) ||
	    !is_size(abilities->size, sizeof(*abilities)))
		return fail(error, KVMCLOCK_E_SIZE, "give every struct, its size set to sizeof");
	if (!is_host(abilities))
		return fail(error, KVMCLOCK_E_ARGUMENT, "abilities are those of kvmclock_probe()");
	/* What was begun with it before is no more. */
	*restore = (struct kvmclock_restore) { .size = restore->size };
	here = *abilities;		/* whose reading may be older than the state */
	here.bits |= KVMCLOCK_HAS_READING;
	ret = read_instant(vm, here.host_khz, is_wall_read(request), &here.now, error);
	ret = ret ? ret : kvmclock_plan(state, &here, request, &plan, error);
	if (ret)
		return ret;
	khz = state->vcpu_count ? state->vcpus[0].tsc_khz : abilities->host_khz;
	if ((abilities->bits & KVMCLOCK_HAS_VM_KHZ) && khz != abilities->host_khz) {
		ret = ask(vm, NO_VCPU, &call_set_khz, (void *)(uintptr_t)khz, error);
		if (ret < 0)
			return ret;
		error_changed(error, KVMCLOCK_CHANGED_KHZ);
	}
	*restore = (struct kvmclock_restore) {
		.size = restore->size, .phase = PHASE_VM, .state = state, .plan = plan,
		.abilities = here, .request = *request, .tsc_khz = khz,
		.residual_error_ns = KVMCLOCK_UNKNOWN,
	};
	return 0;
}

/* The instant here that everything is restored for. */
static int choose_instant(struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
			  struct kvmclock_error *error)
{
	int ret = read_instant(vm, restore->abilities.host_khz,
			       restore->request.policy == KVMCLOCK_ADVANCE, &restore->at, error);

	if (ret)
		return ret;
	count_elapsed(restore->state, &restore->at, &restore->request, &restore->plan);
	if (restore->request.policy == KVMCLOCK_LIVE_UPDATE &&
	    restore->plan.reasons & KVMCLOCK_REASON_OTHER_HOST)
		return fail(error, KVMCLOCK_E_OTHER_HOST, "use advance or frozen");
	if (restore->plan.reasons & KVMCLOCK_REASON_REALTIME_BACK &&
	    restore->request.flags & KVMCLOCK_NO_BACKWARDS)
		return fail(error, KVMCLOCK_E_BACKWARDS,
			    "set the host's realtime right, or use frozen");
	return 0;
}

static uint64_t elapsed_gtsc(const struct kvmclock_restore *restore, uint32_t khz)
{
	return kc_mul_div_floor(restore->plan.elapsed_ns, khz, 1000000);
}

static uint64_t wanted_gtsc(const struct kvmclock_restore *restore, uint32_t i)
{
	const struct kvmclock_vcpu *vcpu = &restore->state->vcpus[i];
	struct kc_host host = host_of_state(restore->state);

	if (restore->plan.reasons & KVMCLOCK_REASON_SAME_HOST)
		return kc_tsc_read_floor(&host, tsc_of(vcpu), restore->at.htsc);
	return vcpu->tsc_gtsc + elapsed_gtsc(restore, vcpu->tsc_khz);
}

int wanted_tsc(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm, uint32_t i,
	       struct kc_tsc *tsc, struct kvmclock_error *error)
{
	const uint32_t both = KVMCLOCK_HAS_SCALE | KVMCLOCK_HAS_SCALING;
	struct kc_host host = host_of(&restore->abilities);
	struct kvm_vcpu_tsc_scale scale;
	bool catch_up;
	uint64_t ratio = ratio_here(&restore->abilities, restore->state->vcpus[i].tsc_khz, &catch_up);

	if ((restore->abilities.bits & both) == both) {
		int ret = get_attr(vm, (int)i, KVM_VCPU_TSC_SCALE, &scale, error);

		if (ret < 0)
			return ret;
		ratio = scale.tsc_ratio;
	}
	*tsc = kc_tsc_through(&host, ratio, restore->at.htsc, wanted_gtsc(restore, i));
	return 0;
}

static int restore_khz(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
		       uint32_t i, struct kvmclock_error *error)
{
	uint32_t khz = restore->state->vcpus[i].tsc_khz;
	int ret = ask(vm, (int)i, &call_get_khz, NULL, error);

	if (ret < 0 || (uint32_t)ret == khz)
		return ret < 0 ? ret : 0;
	ret = ask(vm, (int)i, &call_set_khz, (void *)(uintptr_t)khz, error);
	if (ret < 0)
		return ret;
	error_changed(error, KVMCLOCK_CHANGED_KHZ);
	return 0;
}

/* There are KVMs that take an offset and do not apply it. */
static int confirm_offset(const struct kvmclock_vm *vm, uint32_t i, uint64_t offset_gtsc,
			  struct kvmclock_error *error)
{
	uint64_t has_gtsc;
	int ret = get_attr(vm, (int)i, KVM_VCPU_TSC_OFFSET, &has_gtsc, error);

	if (ret < 0)
		return ret;
	if (has_gtsc != offset_gtsc)
		return fail_vcpu(error, KVMCLOCK_E_UNABLE, (int)i, "this KVM takes TSC offsets "
				 "and does not apply them: use another kernel");
	return 0;
}

static int restore_tsc(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
		       uint32_t i, struct kc_tsc tsc, struct kvmclock_error *error)
{
	struct kc_host host = host_of(&restore->abilities);
	int ret;

	if (restore->abilities.bits & KVMCLOCK_HAS_OFFSET)
		ret = set_offset(vm, (int)i, tsc.offset_gtsc, error);
	else
		ret = set_msr(vm, (int)i, MSR_TSC, kc_tsc_read_floor(&host, tsc, read_htsc(vm)), error);
	if (ret < 0)
		return ret;
	error_changed(error, KVMCLOCK_CHANGED_OFFSET);
	if (restore->abilities.bits & KVMCLOCK_HAS_OFFSET)
		return confirm_offset(vm, i, tsc.offset_gtsc, error);
	return 0;
}

/* The deadline is in guest ticks: it means the same again once the TSC is set. */
static int restore_msrs(const struct kvmclock_vm *vm, uint32_t i,
			const struct kvmclock_vcpu *vcpu, struct kvmclock_error *error)
{
	int ret;

	if (vcpu->flags & KVMCLOCK_VCPU_HAS_TSC_ADJUST) {
		ret = set_msr(vm, (int)i, MSR_TSC_ADJUST, vcpu->tsc_adjust_gtsc, error);
		if (ret < 0)
			return ret;
		error_changed(error, KVMCLOCK_CHANGED_TSC_ADJUST);
	}
	if ((vcpu->flags & KVMCLOCK_VCPU_HAS_DEADLINE) && vcpu->deadline_gtsc) {
		ret = set_msr(vm, (int)i, MSR_TSC_DEADLINE, vcpu->deadline_gtsc, error);
		if (ret < 0)
			return ret;
		error_changed(error, KVMCLOCK_CHANGED_DEADLINE);
	}
	return 0;
}

KVMCLOCK_PUBLIC int kvmclock_restore_vcpu(struct kvmclock_restore *restore,
					  const struct kvmclock_vm *vm, uint32_t i,
					  struct kvmclock_error *error)
{
	struct kc_tsc tsc;
	int ret = 0;

	error_begin(error);
	if (!is_restore(restore, vm))
		return fail(error, KVMCLOCK_E_SIZE, "give every struct, its size set to sizeof");
	if (restore->phase != (i ? PHASE_VCPU : PHASE_VM) || i != restore->next_vcpu ||
	    i >= restore->state->vcpu_count)
		return fail_vcpu(error, KVMCLOCK_E_ORDER, (int)i,
				 "kvmclock_restore_vm(), then each vCPU once, in ascending order");
	if (i >= vm->vcpu_count || !vm->vcpu_fds)
		return fail_vcpu(error, KVMCLOCK_E_ARGUMENT, (int)i, "create all vCPUs of the state first");
	if (!i)
		ret = choose_instant(restore, vm, error);
	ret = ret ? ret : restore_khz(restore, vm, i, error);
	ret = ret ? ret : wanted_tsc(restore, vm, i, &tsc, error);
	ret = ret ? ret : restore_tsc(restore, vm, i, tsc, error);
	ret = ret ? ret : restore_msrs(vm, i, &restore->state->vcpus[i], error);
	if (ret)
		return ret;
	if (!i) {
		restore->tsc_ratio = tsc.ratio;
		restore->tsc_offset_gtsc = tsc.offset_gtsc;
	}
	restore->phase = PHASE_VCPU;
	restore->next_vcpu++;
	return 0;
}

KVMCLOCK_PUBLIC int kvmclock_msr_rule(uint32_t msr)
{
	switch (msr) {
	case MSR_TSC:
		return KVMCLOCK_MSR_DROP;
	case MSR_TSC_ADJUST:
	case MSR_TSC_DEADLINE:
		return KVMCLOCK_MSR_DEFER;
	default:
		return KVMCLOCK_MSR_ANY;
	}
}
