// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Law 6: a line that comes from elsewhere. */
#include "gen.h"
#include "oracle.h"
#include "vm.h"

/* From outside, through any vCPU, matched or not. */
void law_line_set(struct in *in)
{
	struct vm vm;
	struct vcpu *vcpu;
	struct kc_line line, got;
	struct kc_pvclock page;
	struct kc_rate exact;
	u64 gtsc, later;
	bool is_normal;

	vm_make_settled(&vm, in);
	vcpu = &vm.vcpus[in_below(in, vm.nr)];
	line = vm_any_line(&vm, vcpu);
	page = kc_pvclock_of_line(&line, 0);
	exact = kc_rate_of_tsc_nearest(&vm.host, vcpu->tsc.ratio);
	gtsc = vm_read_tsc(&vm, vcpu);
	REQUIRE(kc_pvclock_check(&page, gtsc, exact) == KC_OK);
	kc_master_line_set(&vm.m, vm.now, vcpu->tsc, line);
	got = kc_master_vcpu_line(&vm.m, vcpu->tsc);
	AGREES(vm_read(&vm), oracle_line_read(line, gtsc));
	is_normal = line.rate.mul >> 31;
	ORACLE_CHECK(!is_normal || !oracle_is_within_2ppb(line.rate, exact) ||
		     is_same_line(got, line), "slope within 2 ppb, line not kept");
	ORACLE_CHECK((is_normal && oracle_is_within_2ppb(line.rate, exact)) ||
		     (got.t0_gtsc == gtsc && got.rate.mul == exact.mul &&
		      got.rate.shift == exact.shift), "not the TSC's slope");
	later = vm.now.htsc + vm_any_ticks(&vm);
	in_hash(in, kc_line_read_floor_ns(&got, later));
	vm.now.htsc = later;
	AGREES(vm_read(&vm), oracle_line_read(got,
			oracle_tsc_read(&vm.host, vcpu->tsc, later)));
}

/* Through guest memory's layout, onto a VM whose vCPU has the same TSC. */
static void move_line(struct in *in, struct vm *to, struct vcpu *vcpu,
		      struct kc_line line)
{
	struct kc_pvclock page = kc_pvclock_of_line(&line, 0);
	struct kc_rate exact = kc_rate_of_tsc_nearest(&to->host, vcpu->tsc.ratio);
	struct kc_line got;

	CHECK(kc_pvclock_check(&page, vm_read_tsc(to, vcpu), exact) == KC_OK,
	      "refused");
	kc_master_line_set(&to->m, to->now, vcpu->tsc,
			   kc_pvclock_line(&page));
	got = kc_master_vcpu_line(&to->m, vcpu->tsc);
	CHECK(is_same_line(got, line), "not bit for bit");
	in_hash(in, got.t0_gtsc ^ got.n0_ns ^ got.rate.mul);
}

/* Law 6: back and forth between two VMs on two hosts' TSCs, and to itself. */
void law_round_trip(struct in *in)
{
	struct vm vm, other;
	struct vcpu *vcpu, *twin;
	struct kc_line line;
	unsigned int trips = 1 + in_below(in, 8);
	u64 gtsc;

	vm_make_settled(&vm, in);
	vcpu = &vm.vcpus[in_below(in, vm.nr)];
	vm_make_settled(&other, in);
	other.host = other.m.host = vm.host;
	twin = &other.vcpus[in_below(in, other.nr)];
	gtsc = vm_read_tsc(&vm, vcpu);
	/* both hosts' ratios are of one frequency; so the generation's too */
	other.m.generation.ratio = vcpu->tsc.ratio;
	twin->tsc = kc_tsc_through(&other.host, vcpu->tsc.ratio,
				   other.now.htsc, gtsc);
	line = in_once_in(in, 2) ? vm_any_line(&vm, vcpu) :
	       kc_master_vcpu_line(&vm.m, vcpu->tsc);
	REQUIRE(line.rate.mul >> 31 && kc_rate_is_within_2ppb(line.rate,
		kc_rate_of_tsc_nearest(&vm.host, vcpu->tsc.ratio)));
	while (trips--) {
		u64 ticks = vm_any_ticks(&vm);

		move_line(in, &vm, vcpu, line);
		move_line(in, &vm, vcpu, kc_master_vcpu_line(&vm.m, vcpu->tsc));
		move_line(in, &other, twin, line);
		AGREES(vm_read(&vm), oracle_line_read(line, vm_read_tsc(&vm, vcpu)));
		AGREES(vm_read(&other),
		       oracle_line_read(line, vm_read_tsc(&other, twin)));
		vm_advance(&vm, ticks);
		vm_advance(&other, ticks);
	}
}
