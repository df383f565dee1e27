// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the guest will see, against what was to be. */
#include "internal.h"

struct measured {
	uint64_t cycles, cycles_error;
	uint64_t ns, ns_error;
	bool from_page;
};

/* Distance of x from [low, high], all mod 2^64 and near each other. */
static uint64_t outside(uint64_t x, uint64_t low, uint64_t high)
{
	if (x - low <= high - low)
		return 0;
	return (int64_t)(x - low) < 0 ? low - x : x - high;
}

static int verify_tsc(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
		      uint32_t i, struct kc_tsc wanted, struct measured *m,
		      struct kvmclock_error *error)
{
	struct kc_host host = host_of(&restore->abilities);
	uint64_t before = read_htsc(vm), after, gtsc, offset;
	int ret = get_msr(vm, (int)i, MSR_TSC, &gtsc, error);

	if (ret <= 0)
		return ret ? ret : fail_vcpu(error, KVMCLOCK_E_UNABLE, (int)i, "the vCPU has no MSR 0x10");
	after = read_htsc(vm);
	m->cycles = outside(gtsc, kc_tsc_read_floor(&host, wanted, before),
			    kc_tsc_read_floor(&host, wanted, after));
	m->cycles_error = kc_tsc_scale_floor(&host, wanted.ratio, after - before);
	if (!(restore->abilities.bits & KVMCLOCK_HAS_OFFSET))
		return 0;
	ret = get_attr(vm, (int)i, KVM_VCPU_TSC_OFFSET, &offset, error);
	if (ret < 0)
		return ret;
	gtsc = magnitude((int64_t)(offset - wanted.offset_gtsc));
	m->cycles = gtsc > m->cycles ? gtsc : m->cycles;
	m->cycles_error = 0;
	return 0;
}

/* A line over this vCPU's TSC against the one that was to be, at this moment. */
static void compare(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
		    struct kc_tsc wanted, const struct kc_pvclock *page, struct measured *m)
{
	struct kc_host host = host_of(&restore->abilities);
	struct kc_line shown = kc_pvclock_line(page);
	struct kc_line line = kc_line_translated(line_of_restore(restore),
						 wanted.offset_gtsc - restore->tsc_offset_gtsc);
	uint64_t gtsc = kc_tsc_read_floor(&host, wanted, read_htsc(vm));

	m->ns = magnitude((int64_t)(kc_line_read_floor_ns(&shown, gtsc) -
				    kc_line_read_floor_ns(&line, gtsc)));
	m->ns_error = 0;
}

/* With no page nor line to look at: KVM_GET_CLOCK, where it is the guest's clock. */
static int verify_by_clock(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
			   struct measured *m, struct kvmclock_error *error)
{
	struct kvm_clock_data clock = { 0 };
	int ret = ask(vm, NO_VCPU, &call_get_clock, &clock, error);

	if (ret < 0)
		return ret;
	m->ns = magnitude(restore->residual_ns);
	m->ns_error = restore->residual_error_ns;
	if (!(clock.flags & KVM_CLOCK_HOST_TSC) || !restore->line_mul ||
	    is_scaled(restore->abilities.frac_bits, restore->tsc_ratio))
		return 0;
	m->ns = magnitude((int64_t)(clock.clock - restore_line_at(restore, clock.host_tsc)));
	m->ns_error = 1;
	return 0;
}

static int verify_clock(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
			uint32_t i, uint32_t has_run, struct kc_tsc wanted, struct measured *m,
			struct kvmclock_error *error)
{
	struct kc_pvclock page;
	int ret = 0;

	if (has_run && restore->line_mul)
		ret = read_page(vm, (int)i, &page, error);
	if (ret > 0)
		m->from_page = true;
	else if (!ret && restore->plan.tier == KVMCLOCK_TIER_0)
		ret = ask(vm, (int)i, &call_get_line, &page, error);
	else if (!ret)
		return verify_by_clock(restore, vm, m, error);
	if (ret < 0)
		return ret;
	compare(restore, vm, wanted, &page, m);
	return 0;
}

static void add_up(struct kvmclock_verdict *verdict, const struct measured *m, uint32_t i)
{
	if (!i || m->cycles > verdict->worst_cycles || m->ns > verdict->worst_ns)
		verdict->worst_vcpu = i;
	if (m->cycles > verdict->worst_cycles)
		verdict->worst_cycles = m->cycles;
	if (m->cycles_error > verdict->worst_cycles_error)
		verdict->worst_cycles_error = m->cycles_error;
	if (m->ns > verdict->worst_ns)
		verdict->worst_ns = m->ns;
	if (m->ns_error > verdict->worst_ns_error)
		verdict->worst_ns_error = m->ns_error;
	verdict->from_page += m->from_page;
	verdict->vcpus++;
}

KVMCLOCK_PUBLIC int kvmclock_verify(const struct kvmclock_restore *restore,
				    const struct kvmclock_vm *vm, uint32_t has_run,
				    struct kvmclock_verdict *verdict, struct kvmclock_error *error)
{
	struct kvmclock_verdict found = { 0 };
	int ret = 0;

	error_begin(error);
	if (!restore || !verdict || !is_size(restore->size, sizeof(*restore)) || !is_vm(vm) ||
	    !is_size(verdict->size, sizeof(*verdict)))
		return fail(error, KVMCLOCK_E_SIZE, "give every struct, its size set to sizeof");
	if (restore->phase != PHASE_DONE)
		return fail(error, KVMCLOCK_E_ORDER, "kvmclock_restore_finish() first");
	if (vm->vcpu_count < restore->next_vcpu || (restore->next_vcpu && !vm->vcpu_fds))
		return fail(error, KVMCLOCK_E_ARGUMENT, "all vCPUs of the state are needed");
	found.size = verdict->size;
	for (uint32_t i = 0; !ret && i < restore->next_vcpu; i++) {
		struct measured m = { 0 };
		struct kc_tsc wanted;

		ret = wanted_tsc(restore, vm, i, &wanted, error);
		ret = ret ? ret : verify_tsc(restore, vm, i, wanted, &m, error);
		ret = ret ? ret : verify_clock(restore, vm, i, has_run, wanted, &m, error);
		add_up(&found, &m, i);
	}
	if (ret)
		return ret;
	*verdict = found;
	return 0;
}
