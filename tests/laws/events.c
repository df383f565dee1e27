// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What may happen to a VM. */
#include "gen.h"
#include "oracle.h"
#include "vm.h"

static struct vcpu *any_vcpu(struct vm *vm)
{
	return vm->nr ? &vm->vcpus[in_below(vm->in, vm->nr)] : NULL;
}

static u64 any_ratio(struct vm *vm)
{
	return in_once_in(vm->in, 24) ? 0 :
	       in_once_in(vm->in, 2) ? vm->generation.ratio :
	       vm->ratios[in_below(vm->in, NR_RATIOS)];
}

static void vcpu_created(struct vm *vm, struct outcome *outcome)
{
	vm_add_vcpu(vm, any_ratio(vm), outcome);
}

/* A page gets its place, or is refreshed; nothing that core is told of. */
static void page_asked(struct vm *vm, struct outcome *outcome)
{
	struct in *in = vm->in;
	struct vcpu *vcpu = any_vcpu(vm);
	struct kc_line was = vcpu->page;
	bool was_shown = vcpu->is_shown, was_of_master = vcpu->is_of_master;

	vcpu->is_shown = true;
	vm_write_page(vm, vcpu);
	outcome->vcpu = vcpu;
	CHECK(!was_shown || was_of_master || !vm_is_stable(vm),
	      "stable, and the page is of host mode");
	if (was_shown && was_of_master && vm_is_master(vm))
		CHECK(is_same_line(was, vcpu->page),
		      "master mode, and the page was not up to date");
}

static void host_wrote_tsc(struct vm *vm, struct outcome *outcome)
{
	struct in *in = vm->in;
	struct vcpu *vcpu = any_vcpu(vm);
	u64 second = kc_tsc_scale_floor(&vm->host, vcpu->tsc.ratio,
					vm->host.khz * 1000ULL);
	u64 how = in_below(in, 4), gtsc = 0;

	if (how == 1)
		gtsc = in_u64(in);
	if (how > 1)
		gtsc = kc_tsc_scale_floor(&vm->host, vcpu->tsc.ratio, vm->now.htsc) +
		       (how == 2 && vm->has_window ? vm->window_offset :
			vm->generation.offset_gtsc);
	if (how > 1 && in_once_in(in, 2))
		gtsc += second + in_below(in, 3) - 1;
	else if (how > 1)
		gtsc += in_range(in, 0, 2 * second + 2) - second - 1;
	vm_host_writes_tsc(vm, vcpu, gtsc, outcome);
}

static void guest_moved_offset(struct vm *vm, struct outcome *outcome)
{
	struct vcpu *vcpu = any_vcpu(vm);
	struct kc_tsc to = vcpu->tsc;
	u64 by = in_once_in(vm->in, 3) ? in_u64(vm->in) : -vcpu->moved_gtsc;

	if (!by)
		by = 1 + in_below(vm->in, 3);
	to.offset_gtsc += by;
	vcpu->moved_gtsc += by;
	vm_change_tsc(vm, vcpu, to, false, outcome);
}

/* The TSC is continuous at the instant at which its frequency changes. */
static void take_ratio(struct vm *vm, struct vcpu *vcpu, u64 ratio,
		       struct outcome *outcome)
{
	struct in *in = vm->in;
	u64 gtsc = vm_read_tsc(vm, vcpu);

	if (ratio == vcpu->tsc.ratio)
		return;
	vm_change_tsc(vm, vcpu, kc_tsc_through(&vm->host, ratio, vm->now.htsc, gtsc),
		      true, outcome);
	CHECK(vm_read_tsc(vm, vcpu) == gtsc, "the TSC jumped");
}

static void ratio_changed(struct vm *vm, struct outcome *outcome)
{
	take_ratio(vm, any_vcpu(vm), any_ratio(vm), outcome);
}

static void msr_written(struct vm *vm, struct outcome *outcome)
{
	bool old_kind = in_once_in(vm->in, 2);

	vm->facts = (vm->facts & ~KC_OLD_MSR) | (old_kind ? KC_OLD_MSR : 0);
	outcome->pages_due = kc_master_boot_vcpu_wrote_msr(&vm->m, vm->now,
							   old_kind);
}

static void clocksource_changed(struct vm *vm, struct outcome *outcome)
{
	bool is_tsc = in_once_in(vm->in, 2);

	vm->facts = (vm->facts & ~KC_NO_TSC_CLOCKSOURCE) |
		    (is_tsc ? 0 : KC_NO_TSC_CLOCKSOURCE);
	outcome->pages_due = kc_master_clocksource_changed(&vm->m, vm->now, is_tsc);
}

static void time_passed(struct vm *vm, struct outcome *outcome)
{
	outcome->pages_due = kc_master_time_passed(&vm->m, vm->now);
}

static void clock_set(struct vm *vm, struct outcome *outcome)
{
	struct in *in = vm->in;
	u64 clock_ns = in_u64(in);

	outcome->is_set = outcome->owes_all = true;
	outcome->pages_due = kc_master_clock_set(&vm->m, vm->now, clock_ns);
	CHECK(vm_read(vm) == clock_ns, "set to %lld, reads %lld", clock_ns,
	      vm_read(vm));
}

/* A thousand seconds old at most, so that its slope cannot leave 64 bits. */
struct kc_line vm_any_line(struct vm *vm, const struct vcpu *vcpu)
{
	struct kc_line line = { .n0_ns = in_u64(vm->in) };
	u64 age = kc_tsc_scale_floor(&vm->host, vcpu->tsc.ratio, vm_any_ticks(vm));

	line.t0_gtsc = vm_read_tsc(vm, vcpu) - age;
	line.rate = gen_rate_near(vm->in,
		kc_rate_of_tsc_nearest(&vm->host, vcpu->tsc.ratio));
	return line;
}

static void line_set(struct vm *vm, struct outcome *outcome)
{
	struct in *in = vm->in;
	struct vcpu *vcpu = any_vcpu(vm);
	struct kc_line line, was = vm->m.line;
	struct kc_pvclock page;
	bool is_own = in_once_in(in, 2);
	u64 reads;

	if (!vm_is_master(vm))
		return;
	line = is_own ? kc_master_vcpu_line(&vm->m, vcpu->tsc) :
			vm_any_line(vm, vcpu);
	page = kc_pvclock_of_line(&line, 0);
	if (kc_pvclock_check(&page, vm_read_tsc(vm, vcpu),
			     kc_rate_of_tsc_nearest(&vm->host, vcpu->tsc.ratio))) {
		CHECK(!is_own, "the VM's own line is refused");
		return;
	}
	reads = kc_line_read_floor_ns(&line, vm_read_tsc(vm, vcpu));
	outcome->is_set = !is_own;
	outcome->owes_all = true;
	outcome->pages_due = kc_master_line_set(&vm->m, vm->now, vcpu->tsc,
						line);
	CHECK(vm_read(vm) == reads, "reads %lld, the line %lld", vm_read(vm), reads);
	CHECK(!is_own || is_same_line(was, vm->m.line),
	      "the VM's own line came back another");
}

/* The TSC of each vCPU goes on where it was, to two floors for one. */
static void restart_tsc(struct vm *vm, struct outcome *outcome)
{
	struct in *in = vm->in;
	u64 delta = in_below(in, vm->now.htsc + 1);
	u64 delta_gtsc = kc_tsc_scale_floor(&vm->host, vm->generation.ratio, delta);
	unsigned int i;

	vm->now.htsc -= delta;
	kc_master_host_tsc_restarted(&vm->m, vm->now, delta);
	outcome->pages_due = outcome->owes_all = outcome->is_restart = true;
	vm->generation.offset_gtsc += delta_gtsc;
	vm->window_offset += delta_gtsc;
	vm->facts |= KC_TSC_BACKWARDS;
	for (i = 0; i < vm->nr; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];
		u64 was = vm_read_tsc(vm, vcpu) +
			  kc_tsc_scale_floor(&vm->host, vcpu->tsc.ratio,
					     vm->now.htsc + delta) -
			  kc_tsc_scale_floor(&vm->host, vcpu->tsc.ratio,
					     vm->now.htsc);

		vcpu->tsc.offset_gtsc += kc_tsc_scale_floor(&vm->host,
						vcpu->tsc.ratio, delta);
		CHECK(was - vm_read_tsc(vm, vcpu) <= 1,
		      "vCPU %u's TSC went from %#llx to %#llx", i, was,
		      vm_read_tsc(vm, vcpu));
	}
}

/* The host sleeps, and is woken at once or with its TSC restarted lower. */
static void host_slept(struct vm *vm, struct outcome *outcome)
{
	struct in *in = vm->in;
	u64 asleep = in_range(in, 0, 1000 * KC_NS_PER_S), clock_ns;
	bool is_set = in_once_in(in, 4);

	kc_master_host_sleeps(&vm->m, vm->now, true);
	if (is_set && in_once_in(in, 2)) {
		line_set(vm, outcome);
	} else if (is_set) {
		outcome->is_set = outcome->owes_all = true;
		outcome->pages_due = kc_master_clock_set(&vm->m, vm->now, in_u64(in));
	}
	clock_ns = vm_read(vm);
	if (in_once_in(in, 2)) {
		vm->now.raw_ns += asleep;
		clock_ns += asleep;
		outcome->slept_ns = asleep;
		restart_tsc(vm, outcome);
	}
	kc_master_host_sleeps(&vm->m, vm->now, false);
	CHECK(vm_read(vm) == clock_ns, "awake at %lld ns, not %lld", vm_read(vm),
	      clock_ns);
}

/* The host's TSC restarts under a host that did not sleep. */
static void tsc_restarted(struct vm *vm, struct outcome *outcome)
{
	struct in *in = vm->in;
	struct kc_line line = vm->m.line;
	bool had_line = vm_has_line(vm);

	restart_tsc(vm, outcome);
	if (!had_line)
		return;
	outcome->is_set = true;		/* to what the line reads, checked here */
	AGREES(vm_read(vm), oracle_line_read(line, oracle_tsc_read(&vm->host,
				vm->generation, vm->now.htsc)));
}

/* All vCPUs in turn, each an event of its own, at one instant. */
static void all_take_ratio(struct vm *vm)
{
	u64 ratio = any_ratio(vm);
	unsigned int i;

	for (i = 0; i < vm->nr; i++) {
		struct vm before = *vm;
		struct outcome outcome = { 0 };

		take_ratio(vm, &vm->vcpus[i], ratio, &outcome);
		vm_honour(vm, &outcome);
		vm_check(vm, &before, &outcome);
	}
}

void vm_any_event(struct vm *vm)
{
	static void (*const events[])(struct vm *vm, struct outcome *outcome) = {
		vcpu_created, vcpu_created, page_asked, page_asked,
		host_wrote_tsc, host_wrote_tsc, guest_moved_offset,
		guest_moved_offset, ratio_changed, msr_written, msr_written,
		clocksource_changed, clocksource_changed, time_passed, clock_set,
		line_set,
	};
	u64 which = in_below(vm->in, 64);
	struct outcome outcome = { 0 };
	struct vm before;

	if (!in_once_in(vm->in, 4))
		vm_advance(vm, vm_any_ticks(vm));
	before = *vm;
	if (!vm->nr)
		which = 0;
	if (which < 2 && vm->nr) {
		all_take_ratio(vm);
		return;
	}
	if (which == 2)
		host_slept(vm, &outcome);
	else if (which == 3 && in_once_in(vm->in, 2))
		tsc_restarted(vm, &outcome);
	else
		events[which % 16](vm, &outcome);
	vm_honour(vm, &outcome);
	vm_check(vm, &before, &outcome);
}
