// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Laws 1, 5 and 8, what a page shows, and bursts of writes. */
#include "gen.h"
#include "oracle.h"
#include "vm.h"

void law_events(struct in *in)
{
	struct vm vm;
	unsigned int nr = 4 + in_below(in, 28);

	vm_make(&vm, in);
	while (nr-- && !in_is_over(in))
		vm_any_event(&vm);
}

/* With a line: reads as it at and after now; the point is a step old at most. */
static void check_recent(struct in *in, struct vm *vm, struct vcpu *vcpu,
			 struct kc_line page)
{
	struct kc_line line = kc_master_vcpu_line(&vm->m, vcpu->tsc);
	u64 gtsc = vm_read_tsc(vm, vcpu);
	u64 later = kc_tsc_read_floor(&vm->host, vcpu->tsc,
				      vm->now.htsc + vm_any_ticks(vm));

	CHECK(page.rate.mul == line.rate.mul &&
	      page.rate.shift == line.rate.shift, "not the line's slope");
	CHECK((gtsc - page.t0_gtsc) >> kc_line_step_log2(page.rate) == 0,
	      "the point is past now, or a step before");
	AGREES(kc_line_read_floor_ns(&page, gtsc), oracle_line_read(line, gtsc));
	AGREES(kc_line_read_floor_ns(&page, later), oracle_line_read(line, later));
	CHECK(kc_line_read_floor_ns(&page, gtsc) == vm_read(vm), "not the clock");
	CHECK(kc_line_read_floor_ns(&page, later) ==
	      kc_line_read_floor_ns(&line, later), "a later reading moved");
}

/* Without a line: a sample of the clock, by the host's frequency here. */
static void check_sample(struct in *in, struct vm *vm, struct vcpu *vcpu,
			 u32 host_khz, struct kc_line page)
{
	struct kc_host here = { host_khz, vm->host.frac_bits };

	CHECK(page.t0_gtsc == vm_read_tsc(vm, vcpu) && page.n0_ns == vm_read(vm),
	      "the point is not now");
	CHECK(kc_line_read_floor_ns(&page, page.t0_gtsc) == vm_read(vm),
	      "not the clock");
	in_hash(in, page.rate.mul);
	ORACLE_CHECK(oracle_rate_is_nearest_to_tsc(page.rate, &here,
						   vcpu->tsc.ratio),
		     "not the slope at %u kHz", host_khz);
}

/* What a page shows in master mode, in host mode, and without a line. */
void law_host_page(struct in *in)
{
	struct vm vm;
	struct vcpu *vcpu;
	struct kc_line page;
	u64 how = in_below(in, 4);
	u32 host_khz = in_range(in, 1, 8000000);

	vm_make_settled(&vm, in);
	vcpu = &vm.vcpus[in_below(in, vm.nr)];
	if (how & 1)
		kc_master_boot_vcpu_wrote_msr(&vm.m, vm.now, true);
	if (how & 2)
		kc_master_clocksource_changed(&vm.m, vm.now, false);
	vm_advance(&vm, vm_any_ticks(&vm));
	page = kc_master_page_line(&vm.m, host_khz, vm.now, vcpu->tsc);
	if (!how)
		CHECK(is_same_line(page, kc_master_vcpu_line(&vm.m, vcpu->tsc)),
		      "master mode, and not bit for bit");
	else if (how == 1)
		check_recent(in, &vm, vcpu, page);
	else
		check_sample(in, &vm, vcpu, host_khz, page);
}

/* One of: the MSR's kind, a vCPU's offset, a page written for its own sake. */
static void toggle(struct in *in, struct vm *vm, struct outcome *outcome)
{
	struct vcpu *vcpu = &vm->vcpus[in_below(in, vm->nr)];
	struct kc_tsc to = vm->generation;
	u64 how = in_below(in, 4);

	if (how == 1)
		to.offset_gtsc += in_u64(in);
	if (how < 2) {
		vm_change_tsc(vm, vcpu, to, in_once_in(in, 2), outcome);
	} else if (how == 2) {
		vm->facts ^= KC_OLD_MSR;
		outcome->pages_due = kc_master_boot_vcpu_wrote_msr(&vm->m, vm->now,
								   vm->facts);
	} else {
		outcome->vcpu = vcpu;
		vm_write_page(vm, vcpu);
	}
}

/* What takes no line away moves no reading, of the clock or a page, ever. */
void law_line_kept(struct in *in)
{
	struct vm vm, first;
	unsigned int i, nr = 1 + in_below(in, 12);

	vm_make_settled(&vm, in);
	vm.m.allow_unmatched = vm.allow_unmatched = in_once_in(in, 2);
	for (i = 0; i < vm.nr; i++) {
		vm.vcpus[i].is_shown = true;
		vm_write_page(&vm, &vm.vcpus[i]);
	}
	vm.last_ns = vm_read(&vm);
	first = vm;
	while (nr--) {
		struct vm before = vm;
		struct outcome outcome = { 0 };
		struct kc_reading later = vm.now;

		toggle(in, &vm, &outcome);
		vm_honour(&vm, &outcome);
		vm_check(&vm, &before, &outcome);
		later.htsc += vm_any_ticks(&vm);
		later.raw_ns += in_u64(in);
		AGREES(kc_master_read_floor_ns(&vm.m, later),
		       oracle_line_read(first.m.line, oracle_tsc_read(&vm.host,
					first.generation, later.htsc)));
		for (i = 0; i < vm.nr; i++)
			CHECK(vm_read_page(&vm, &vm.vcpus[i], later.htsc) ==
			      kc_master_read_floor_ns(&first.m, later),
			      "vCPU %u's page moved", i);
		vm_advance(&vm, vm_any_ticks(&vm));
	}
}

/* One write: zero and near match, as the model has it (vm_host_writes_tsc). */
void law_tsc_write(struct in *in)
{
	struct vm vm;
	struct vcpu *vcpu;
	struct outcome outcome = { 0 };
	u64 second, gtsc;

	vm_make_settled(&vm, in);
	vcpu = &vm.vcpus[in_below(in, vm.nr)];
	second = kc_tsc_scale_floor(&vm.host, vcpu->tsc.ratio,
				    vm.host.khz * 1000ULL);
	gtsc = in_once_in(in, 16) ? 0 :
	       kc_tsc_scale_floor(&vm.host, vcpu->tsc.ratio, vm.now.htsc) +
	       vm.window_offset + in_range(in, 0, 4 * second) - 2 * second;
	vm_host_writes_tsc(&vm, vcpu, gtsc, &outcome);
	if (!gtsc)
		CHECK(kc_tsc_is_same(vcpu->tsc, vm.generation), "zero");
	in_hash(in, vcpu->tsc.offset_gtsc);
}

/*
 * K13: one value to every vCPU in turn, less than a second after the one
 * before, however long it takes in all: afterwards all match.
 */
void law_burst(struct in *in)
{
	struct vm vm;
	u64 gtsc = in_u64(in), ratio;
	unsigned int i, nr = 2 + in_below(in, MAX_VCPUS - 1);

	vm_make(&vm, in);
	ratio = vm.ratios[in_below(in, NR_RATIOS)];
	for (i = 0; i < nr; i++) {
		struct outcome outcome = { 0 };

		vm_add_vcpu(&vm, ratio, &outcome);
		vm_advance(&vm, vm_any_ticks(&vm));
	}
	for (i = 0; i < nr; i++) {
		struct vm before = vm;
		struct outcome outcome = { 0 };

		vm_host_writes_tsc(&vm, &vm.vcpus[i], gtsc, &outcome);
		vm_honour(&vm, &outcome);
		vm_check(&vm, &before, &outcome);
		vm_advance(&vm, in_range(in, 0, vm.host.khz * 900ULL));
	}
	CHECK(vm_count_matched(&vm) == nr, "%u of %u vCPUs match",
	      vm_count_matched(&vm), nr);
	CHECK(kc_master_is_stable(&vm.m), "not stable");
}
