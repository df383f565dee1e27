// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A VM: its TSCs and its clock, as stock KVM has them and as ours does. */
#include <errno.h>
#include <string.h>

#include "sim.h"

static u64 one(const struct sim_host *host)
{
	return 1ull << host->frac_bits;
}

static u64 scaled(const struct sim_vm *vm, u64 ratio, u64 htsc)
{
	return wide_mulshr(htsc, ratio, vm->host->frac_bits);
}

u64 sim_gtsc_at(const struct sim_vm *vm, u32 vcpu, u64 htsc)
{
	return scaled(vm, vm->s.vcpus[vcpu].ratio, htsc) + vm->s.vcpus[vcpu].offset;
}

static bool are_rates_equal(const struct sim_vm *vm)
{
	for (u32 i = 0; i < vm->s.nr; i++)
		if (vm->s.vcpus[i].ratio != vm->s.vcpus[0].ratio || vm->s.vcpus[i].catch_up)
			return false;
	return true;
}

bool sim_is_master(const struct sim_vm *vm)
{
	if (vm->host->is_host_mode)
		return false;
	for (u32 i = 0; i < vm->s.nr; i++)
		if (vm->s.vcpus[i].offset != vm->s.vcpus[0].offset &&
		    !(vm->host->ours && vm->host->allow_unmatched))
			return false;
	return are_rates_equal(vm);
}

static struct slope host_slope(const struct sim_host *host)
{
	return wide_slope(host->khz, one(host), host->frac_bits, false);
}

u64 sim_clock_at(const struct sim_vm *vm, u64 htsc)
{
	const struct sim_state *s = &vm->s;

	if (vm->host->ours && are_rates_equal(vm))
		return wide_line(s->t0, s->n0, s->slope, scaled(vm, s->line_ratio, htsc) + s->line_offset);
	if (!vm->host->ours && sim_is_master(vm))
		return wide_line(s->base_htsc, s->base_ns, host_slope(vm->host), htsc);
	return s->base_ns + wide_muldiv(htsc - s->base_htsc, 1000000, vm->host->khz);
}

/* The slope that stock KVM has for a guest: from its kHz, rounded down twice. */
static struct slope stock_slope(const struct sim_vm *vm, const struct sim_vcpu *vcpu)
{
	u32 khz = (u32)scaled(vm, vcpu->ratio, vm->host->khz);

	return wide_slope(khz, one(vm->host), vm->host->frac_bits, false);
}

struct sim_page sim_page_of(const struct sim_vm *vm, u32 i, u64 htsc)
{
	const struct sim_state *s = &vm->s;
	const struct sim_vcpu *vcpu = &s->vcpus[i];
	bool master = sim_is_master(vm);
	struct sim_page page = { .version = 2, .flags = master };
	struct slope slope = vm->host->ours ? s->slope : stock_slope(vm, vcpu);

	if (vm->host->ours && are_rates_equal(vm)) {
		page.tsc_timestamp = s->t0 + vcpu->offset - s->line_offset;
		page.system_time = s->n0;
	} else {
		u64 at = master ? s->base_htsc : htsc;

		page.tsc_timestamp = scaled(vm, vcpu->ratio, at) + vcpu->offset;
		page.system_time = sim_clock_at(vm, at);
	}
	page.mul = slope.mul;
	page.shift = (signed char)slope.shift;
	return page;
}

u64 sim_guest_clock_at(const struct sim_vm *vm, u32 i, u64 htsc)
{
	struct sim_page page = sim_page_of(vm, i, htsc);

	return wide_line(page.tsc_timestamp, page.system_time,
			 (struct slope) { page.mul, page.shift }, sim_gtsc_at(vm, i, htsc));
}

/* Ours: a TSC changed; the line goes on through it, at its rate. */
static void draw_on(struct sim_vm *vm, u64 htsc, u64 clock_ns)
{
	struct sim_state *s = &vm->s;
	struct sim_vcpu *vcpu = &s->vcpus[0];

	s->base_htsc = htsc;
	s->base_ns = clock_ns;
	if (vcpu->ratio == s->line_ratio) {
		s->t0 += vcpu->offset - s->line_offset;
		s->line_offset = vcpu->offset;
	}
	if (!are_rates_equal(vm) || vcpu->ratio == s->line_ratio)
		return;
	s->line_ratio = vcpu->ratio;
	s->line_offset = vcpu->offset;
	s->t0 = sim_gtsc_at(vm, 0, htsc);
	s->n0 = clock_ns;
	s->slope = wide_slope(vm->host->khz, vcpu->ratio, vm->host->frac_bits, true);
}

static u64 default_ratio(const struct sim_host *host, u32 khz, bool *catch_up)
{
	u64 low = (u64)host->khz * (1000000 - host->tolerance_ppm) / 1000000;
	u64 high = (u64)host->khz * (1000000 + host->tolerance_ppm) / 1000000;
	u64 ratio, most = host->frac_bits == 32 ? 0xffffffffffull : ~0ull;

	*catch_up = false;
	if (khz >= low && khz <= high)
		return one(host);
	if (!host->scaling) {
		*catch_up = khz > host->khz;
		return *catch_up ? one(host) : 0;
	}
	ratio = wide_muldiv(one(host), khz, host->khz);
	return ratio >= most ? 0 : ratio;
}

int sim_set_vcpu_khz(struct sim_vm *vm, u32 i, u32 khz)
{
	struct sim_vcpu *vcpu = &vm->s.vcpus[i];
	u64 htsc = sim_htsc(vm->host), clock_ns = sim_clock_at(vm, htsc);
	u64 gtsc = sim_gtsc_at(vm, i, htsc), ratio;
	bool catch_up;

	ratio = default_ratio(vm->host, khz, &catch_up);
	if (!ratio)
		return -EINVAL;
	vcpu->khz = khz;
	vcpu->ratio = ratio;
	vcpu->catch_up = catch_up;
	if (vm->host->ours) {
		vcpu->offset += gtsc - sim_gtsc_at(vm, i, htsc);
		draw_on(vm, htsc, clock_ns);
	}
	return 0;
}

void sim_set_offset(struct sim_vm *vm, u32 i, u64 offset)
{
	u64 htsc = sim_htsc(vm->host), clock_ns = sim_clock_at(vm, htsc);

	vm->s.vcpus[i].offset = offset;
	if (vm->host->ours)
		draw_on(vm, htsc, clock_ns);
}

void sim_set_clock(struct sim_vm *vm, u64 clock_ns)
{
	struct sim_state *s = &vm->s;

	s->base_htsc = sim_htsc(vm->host);
	s->base_ns = clock_ns;
	if (!vm->host->ours || !s->nr)
		return;
	s->t0 = scaled(vm, s->line_ratio, s->base_htsc) + s->line_offset;
	s->n0 = clock_ns;
	s->slope = wide_slope(vm->host->khz, s->line_ratio, vm->host->frac_bits, true);
}

void sim_vm_create(struct sim_vm *vm, struct sim_host *host)
{
	memset(vm, 0, sizeof(*vm));
	vm->host = host;
	vm->s.default_khz = host->khz;
	vm->s.line_ratio = one(host);
	vm->s.slope = wide_slope(host->khz, one(host), host->frac_bits, true);
	vm->s.base_htsc = vm->s.t0 = sim_htsc(host);
}

/* All of one TSC, which starts at 0, but for the clock, which started before. */
void sim_vcpus_create(struct sim_vm *vm, u32 nr)
{
	struct sim_state *s = &vm->s;
	u64 htsc = sim_htsc(vm->host), clock_ns = sim_clock_at(vm, htsc);
	bool catch_up;
	u64 ratio = default_ratio(vm->host, s->default_khz, &catch_up);

	for (u32 i = 0; i < nr; i++)
		s->vcpus[i] = (struct sim_vcpu) {
			.ratio = ratio ? ratio : one(vm->host), .khz = s->default_khz,
			.offset = 0 - scaled(vm, ratio ? ratio : one(vm->host), htsc),
			.catch_up = catch_up, .page_msr = 0x1000ull * (i + 1) | 1,
		};
	s->nr = nr;
	if (nr && vm->host->ours)
		draw_on(vm, htsc, clock_ns);
	if (nr && !vm->host->ours)
		sim_set_clock(vm, clock_ns);
}

void sim_vcpus_run(struct sim_vm *vm)
{
	u64 htsc = sim_htsc(vm->host);

	for (u32 i = 0; i < vm->s.nr; i++)
		vm->pages[i] = sim_page_of(vm, i, htsc);
}
