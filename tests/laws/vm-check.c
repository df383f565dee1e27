// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What must hold after every event. */
#include "gen.h"
#include "oracle.h"
#include "vm.h"

u64 vm_read_page(const struct vm *vm, const struct vcpu *vcpu, u64 htsc)
{
	return kc_line_read_floor_ns(&vcpu->page,
				     kc_tsc_read_floor(&vm->host, vcpu->tsc, htsc));
}

static void check_account(struct vm *vm)
{
	struct in *in = vm->in;
	unsigned int i, nr_same_rate = 0;

	for (i = 0; i < vm->nr; i++)
		nr_same_rate += vm->vcpus[i].tsc.ratio == vm->generation.ratio;
	CHECK(kc_tsc_is_same(vm->m.generation, vm->generation),
	      "generation %#llx + %#llx", vm->m.generation.ratio,
	      vm->m.generation.offset_gtsc);
	CHECK(vm->m.nr_vcpus == vm->nr, "%u vCPUs, not %u", vm->m.nr_vcpus, vm->nr);
	CHECK(vm->m.nr_same_rate == nr_same_rate, "same rate: %u, not %u",
	      vm->m.nr_same_rate, nr_same_rate);
	CHECK(vm->m.nr_matched == vm_count_matched(vm), "matched: %u, not %u",
	      vm->m.nr_matched, vm_count_matched(vm));
	CHECK(kc_master_reasons(&vm->m) == vm_reasons(vm), "reasons %#x, not %#x",
	      kc_master_reasons(&vm->m), vm_reasons(vm));
	CHECK(!(kc_master_reasons(&vm->m) & KC_NO_LINE) == vm_has_line(vm),
	      "line: reasons %#x", kc_master_reasons(&vm->m));
	CHECK(vm->m.host_wrote_tsc == vm->has_window, "is there a window?");
	CHECK(!vm->has_window || vm->m.window_offset_gtsc == vm->window_offset,
	      "window %#llx, not %#llx", vm->m.window_offset_gtsc,
	      vm->window_offset);
	CHECK(kc_master_is_stable(&vm->m) == vm_is_stable(vm), "stable");
}

/* Law 1: the pages as they are, whether or not core asked to write them. */
static void check_one_clock(struct vm *vm, u64 later_htsc)
{
	struct in *in = vm->in;
	struct kc_reading later = { later_htsc, vm->now.raw_ns };
	u64 clock_ns = kc_master_read_floor_ns(&vm->m, later);
	unsigned int i;

	for (i = 0; i < vm->nr && vm_has_line(vm); i++) {
		struct vcpu *vcpu = &vm->vcpus[i];

		if (!vcpu->is_shown)
			continue;
		CHECK(vm_read_page(vm, vcpu, later_htsc) == clock_ns,
		      "vCPU %u reads %lld ns, the host %lld ns, at %#llx", i,
		      vm_read_page(vm, vcpu, later_htsc), clock_ns, later_htsc);
		AGREES(clock_ns, oracle_line_read(vcpu->page,
				oracle_tsc_read(&vm->host, vcpu->tsc, later_htsc)));
	}
	for (i = 0; i < vm->nr; i++)
		CHECK(!vm->vcpus[i].is_shown || !vm->vcpus[i].tsc.ratio ||
		      vm->vcpus[i].is_stable == vm_is_stable(vm),
		      "vCPU %u's stable bit", i);
}

/* A page reads the clock, exactly, where it was written, or its sample taken. */
static void check_written_pages(struct vm *vm, const struct outcome *outcome)
{
	struct kc_reading at = vm_has_line(vm) ? vm->now : vm->m.sample;
	u64 clock_ns = kc_master_read_floor_ns(&vm->m, at);
	struct in *in = vm->in;
	unsigned int i;

	for (i = 0; i < vm->nr; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];

		if (!vcpu->is_shown || !vcpu->tsc.ratio ||
		    !(outcome->pages_due || vcpu == outcome->vcpu))
			continue;
		CHECK(vm_read_page(vm, vcpu, at.htsc) == clock_ns,
		      "vCPU %u reads %lld, the clock %lld", i,
		      vm_read_page(vm, vcpu, at.htsc), clock_ns);
	}
}

/* No reading moves, now or later, but for another rate, counted from now. */
static void check_later(struct vm *vm, const struct vm *before, u64 later_htsc)
{
	struct in *in = vm->in;
	struct kc_reading later = { later_htsc, vm->now.raw_ns };
	struct kc_line line = vm->m.line;
	struct kc_rate exact = kc_rate_of_tsc_nearest(&vm->host,
						      vm->generation.ratio);
	bool had_line = vm_has_line(before), has_line = vm_has_line(vm);
	bool is_same_rate = before->generation.ratio == vm->generation.ratio;

	later.raw_ns += later_htsc - vm->now.htsc;
	if (had_line == has_line && (!has_line || is_same_rate))
		CHECK(kc_master_read_floor_ns(&vm->m, later) ==
		      kc_master_read_floor_ns(&before->m, later),
		      "a later reading moved, at %#llx", later_htsc);
	if (!has_line)
		CHECK(kc_master_read_floor_ns(&vm->m, later) - vm_read(vm) ==
		      (u64)later.raw_ns - (u64)vm->now.raw_ns,
		      "no line, and not as the raw base");
	if (!has_line || (had_line && is_same_rate))
		return;
	CHECK(is_same_line(line, (struct kc_line) {
			kc_tsc_read_floor(&vm->host, vm->generation, vm->now.htsc),
			vm_read(vm), is_same_rate ? before->m.line.rate : exact }),
	      "not drawn from now, or another slope");
	ORACLE_CHECK(is_same_rate || oracle_rate_is_nearest_to_tsc(line.rate, &vm->host,
						   vm->generation.ratio),
		     "not the TSC's slope");
}

/* Law 5.  The reading before is taken at the same instant as that after. */
static void check_continuity(struct vm *vm, const struct vm *before,
			     const struct outcome *outcome, u64 later_htsc)
{
	struct in *in = vm->in;
	u64 was_ns = vm_read(before), is_ns = vm_read(vm);

	if (outcome->is_set) {
		vm->last_ns = is_ns;
		return;
	}
	was_ns += outcome->slept_ns;
	CHECK(is_ns == was_ns, "the clock moved by %lld ns (reasons %#x to %#x)",
	      is_ns - was_ns, vm_reasons(before), vm_reasons(vm));
	CHECK((s64)(is_ns - vm->last_ns) >= 0, "back by %lld ns", vm->last_ns - is_ns);
	vm->last_ns = is_ns;
	check_later(vm, before, later_htsc);
}

/* Law 8: core asks for what has changed, and for nothing else. */
static void check_due(struct vm *vm, const struct vm *before,
		      const struct outcome *outcome)
{
	struct in *in = vm->in;
	bool due = outcome->owes_all ||
		   vm_has_line(before) != vm_has_line(vm) ||
		   vm_is_stable(before) != vm_is_stable(vm);

	in_hash(in, outcome->pages_due);
	CHECK(outcome->pages_due == due, "pages due: %d, should be %d",
	      outcome->pages_due, due);
	if (due || !before->nr)
		return;
	CHECK(is_same_line(vm->m.line, before->m.line),
	      "quiet, but the line changed");
	CHECK(vm_has_line(vm) ||
	      vm->m.base_offset_ns == before->m.base_offset_ns,
	      "quiet, but the base's offset changed");
}

/* Law 5 for guests without a guard: a stable page reads no less than any page did. */
static void check_not_back(struct vm *vm, const struct vm *before,
			   const struct outcome *outcome)
{
	struct in *in = vm->in;
	unsigned int i;

	if (outcome->is_set || outcome->is_restart ||
	    before->generation.ratio != vm->generation.ratio)
		vm->seen_ns = vm_read(vm);
	for (i = 0; i < before->nr && !outcome->is_set && !outcome->is_restart; i++) {
		const struct vcpu *vcpu = &before->vcpus[i];
		u64 read_ns = vm_read_page(before, vcpu, vm->now.htsc);

		if (vcpu->is_shown && vcpu->tsc.ratio == vm->generation.ratio &&
		    (s64)(read_ns - vm->seen_ns) > 0)
			vm->seen_ns = read_ns;
	}
	for (i = 0; i < vm->nr; i++)
		CHECK(!vm->vcpus[i].is_shown || !vm->vcpus[i].is_stable ||
		      !vm->vcpus[i].tsc.ratio ||
		      (s64)(vm_read_page(vm, &vm->vcpus[i], vm->now.htsc) - vm->seen_ns) >= 0,
		      "vCPU %u's stable page reads %lld, one read %lld before", i,
		      vm_read_page(vm, &vm->vcpus[i], vm->now.htsc), vm->seen_ns);
}

void vm_check(struct vm *vm, const struct vm *before,
	      const struct outcome *outcome)
{
	u64 later = vm->now.htsc + vm_any_ticks(vm);

	check_account(vm);
	check_due(vm, before, outcome);
	check_continuity(vm, before, outcome, later);
	check_one_clock(vm, vm->now.htsc);
	check_one_clock(vm, later);
	check_written_pages(vm, outcome);
	check_not_back(vm, before, outcome);
}
