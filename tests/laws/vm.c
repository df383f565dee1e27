// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "gen.h"
#include "vm.h"

void vm_make(struct vm *vm, struct in *in)
{
	unsigned int i;

	*vm = (struct vm) { .in = in, .host = gen_host(in) };
	vm->now.htsc = in_u64(in) >> 2;
	vm->now.raw_ns = in_u64(in) >> 2;
	vm->raw_ppb = (int)in_below(in, 201) - 100;
	vm->ratios[0] = 1ULL << vm->host.frac_bits;
	for (i = 1; i < NR_RATIOS; i++)
		vm->ratios[i] = gen_ratio(in, &vm->host);
	vm->allow_unmatched = in_once_in(in, 2);
	kc_master_vm_created(&vm->m, vm->host, vm->now, vm->allow_unmatched);
	vm->generation = kc_tsc_through(&vm->host, vm->ratios[0], vm->now.htsc, 0);
	vm->last_ns = 0;
}

/* Whole ns, so that the raw base too is a floor; it never goes back. */
void vm_advance(struct vm *vm, u64 htsc)
{
	s64 ns, more;

	vm->now.htsc += htsc;
	vm->rest_ns_khz += htsc * 1000000;
	ns = vm->rest_ns_khz / vm->host.khz;
	vm->rest_ns_khz %= vm->host.khz;
	vm->rest_ppb += ns * vm->raw_ppb;
	more = vm->rest_ppb / (s64)KC_NS_PER_S;
	vm->rest_ppb -= more * (s64)KC_NS_PER_S;
	vm->now.raw_ns += ns > -more ? ns + more : 0;
}

u64 vm_any_ticks(struct vm *vm)
{
	return in_range(vm->in, 0, vm->host.khz * 1000000ULL);
}

u64 vm_read(const struct vm *vm)
{
	return kc_master_read_floor_ns(&vm->m, vm->now);
}

u64 vm_read_tsc(const struct vm *vm, const struct vcpu *vcpu)
{
	return kc_tsc_read_floor(&vm->host, vcpu->tsc, vm->now.htsc);
}

static unsigned int count_same_rate(const struct vm *vm)
{
	unsigned int i, count = 0;

	for (i = 0; i < vm->nr; i++)
		count += vm->vcpus[i].tsc.ratio == vm->generation.ratio;
	return count;
}

unsigned int vm_count_matched(const struct vm *vm)
{
	unsigned int i, count = 0;

	for (i = 0; i < vm->nr; i++)
		count += vm->vcpus[i].tsc.ratio == vm->generation.ratio &&
			 vm->vcpus[i].tsc.offset_gtsc == vm->generation.offset_gtsc;
	return count;
}

u8 vm_reasons(const struct vm *vm)
{
	if (count_same_rate(vm) != vm->nr)
		return vm->facts | KC_UNEQUAL_RATES;
	if (vm_count_matched(vm) != vm->nr && !vm->allow_unmatched)
		return vm->facts | KC_UNMATCHED;
	return vm->facts;
}

bool vm_is_master(const struct vm *vm)
{
	return !vm_reasons(vm);
}

/* The old MSR and unmatched offsets leave the generation's TSC to be trusted. */
bool vm_has_line(const struct vm *vm)
{
	return !(vm_reasons(vm) & ~(KC_OLD_MSR | KC_UNMATCHED));
}

bool vm_is_stable(const struct vm *vm)
{
	return vm_is_master(vm) && vm_count_matched(vm) == vm->nr && !vm->m.shown_ns;
}

static void start_generation(struct vm *vm, struct kc_tsc tsc)
{
	vm->generation = tsc;
	vm->window_offset = tsc.offset_gtsc;
}

bool vm_add_vcpu(struct vm *vm, u64 ratio, struct outcome *outcome)
{
	struct in *in = vm->in;
	struct vcpu *vcpu = &vm->vcpus[vm->nr];
	struct kc_tsc tsc;

	if (vm->nr == MAX_VCPUS)
		return false;
	tsc = kc_master_tsc_for_new_vcpu(&vm->m, vm->now.htsc, ratio);
	CHECK(tsc.ratio == ratio, "ratio %#llx, not %#llx", tsc.ratio, ratio);
	if (!vm->nr && ratio)
		start_generation(vm, tsc);
	CHECK(ratio != vm->generation.ratio ||
	      tsc.offset_gtsc == vm->generation.offset_gtsc, "not matched");
	*vcpu = (struct vcpu) { .tsc = tsc };
	vm->nr++;
	outcome->pages_due = kc_master_vcpu_created(&vm->m, vm->now, tsc);
	return true;
}

void vm_write_page(struct vm *vm, struct vcpu *vcpu)
{
	if (!vcpu->is_shown || !vcpu->tsc.ratio)
		return;
	vcpu->page = kc_master_page_line(&vm->m, vm->host.khz,
					 vm_has_line(vm) ? vm->now : vm->m.sample, vcpu->tsc);
	vcpu->is_stable = kc_master_is_stable(&vm->m);
	vcpu->is_of_master = vm_is_master(vm);
}

void vm_honour(struct vm *vm, const struct outcome *outcome)
{
	unsigned int i;

	if (outcome->pages_due)
		kc_master_sampled(&vm->m, vm->now);
	if (outcome->is_one_tsc)
		vm_write_page(vm, outcome->vcpu);
	for (i = 0; i < vm->nr && outcome->pages_due; i++)
		vm_write_page(vm, &vm->vcpus[i]);
}

void vm_change_tsc(struct vm *vm, struct vcpu *vcpu, struct kc_tsc to,
		   bool by_host, struct outcome *outcome)
{
	struct kc_tsc from = vcpu->tsc;
	struct kc_census census = { 0 };
	unsigned int i;

	vcpu->tsc = to;
	for (i = 0; i < vm->nr; i++) {
		census.nr_same_rate += vm->vcpus[i].tsc.ratio == to.ratio;
		census.nr_matched += vm->vcpus[i].tsc.ratio == to.ratio &&
			vm->vcpus[i].tsc.offset_gtsc == to.offset_gtsc;
	}
	if (to.ratio && !(to.ratio == vm->generation.ratio &&
			  to.offset_gtsc == vm->generation.offset_gtsc) &&
	    (by_host || census.nr_matched == vm->nr)) {
		start_generation(vm, to);
		outcome->owes_all = true;
	}
	outcome->pages_due = kc_master_vcpu_tsc_changed(&vm->m, vm->now, from, to,
							census, by_host);
	outcome->is_one_tsc = true;
	outcome->vcpu = vcpu;
}

static bool is_within_second(const struct vm *vm, u64 ratio, u64 a, u64 b)
{
	u64 second = kc_mul_shr_floor(vm->host.khz * 1000ULL, ratio,
				      vm->host.frac_bits);

	return a - b < second || b - a < second;
}

void vm_host_writes_tsc(struct vm *vm, struct vcpu *vcpu, u64 gtsc,
			struct outcome *outcome)
{
	struct in *in = vm->in;
	u64 ratio = vcpu->tsc.ratio, htsc = vm->now.htsc;
	u64 scaled = kc_mul_shr_floor(htsc, ratio, vm->host.frac_bits);
	struct kc_tsc to = kc_master_tsc_for_write(&vm->m, htsc, ratio, gtsc);
	bool is_synchronised = !gtsc ||
		(vm->has_window &&
		 is_within_second(vm, ratio, gtsc, scaled + vm->window_offset));

	CHECK(to.ratio == ratio, "ratio %#llx", to.ratio);
	if (ratio != vm->generation.ratio)
		CHECK(to.offset_gtsc + scaled == gtsc, "no generation: as written");
	else if (is_synchronised)
		CHECK(kc_tsc_is_same(to, vm->generation), "near, not matched");
	else
		CHECK(to.offset_gtsc + scaled == gtsc, "far, not as written");
	vcpu->moved_gtsc = 0;
	vm_change_tsc(vm, vcpu, to, true, outcome);
	kc_master_host_wrote_tsc(&vm->m, htsc, ratio, gtsc);
	if (gtsc && ratio == vm->generation.ratio) {
		vm->has_window = true;
		vm->window_offset = gtsc - scaled;
	}
}

void vm_make_settled(struct vm *vm, struct in *in)
{
	u64 ratio;
	unsigned int nr = 1 + in_below(in, 3);

	vm_make(vm, in);
	vm->m.allow_unmatched = vm->allow_unmatched = true;
	vm_advance(vm, vm_any_ticks(vm));
	ratio = vm->ratios[in_below(in, NR_RATIOS)];
	while (nr--) {
		struct outcome outcome = { 0 };

		vm_add_vcpu(vm, ratio, &outcome);
		if (in_once_in(in, 2))
			vm_host_writes_tsc(vm, &vm->vcpus[vm->nr - 1], in_u64(in),
					   &outcome);
		vm_advance(vm, vm_any_ticks(vm));
	}
}
