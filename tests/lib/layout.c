// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The public structs as they lie in memory: what a binding in another language
 * relies on, and what may not change within a soname.  64-bit; TAP.
 */
#include <stdio.h>

#include "../../lib/kvmclock.h"

#define SIZE(type, bytes) { #type, "", sizeof(struct type), bytes }
#define AT(type, member, bytes) { #type, #member, offsetof(struct type, member), bytes }

static const struct {
	const char *type, *member;
	size_t is, should;
} table[] = {
	SIZE(kvmclock_error, 40), AT(kvmclock_error, size, 0), AT(kvmclock_error, code, 4),
	AT(kvmclock_error, sys_errno, 8), AT(kvmclock_error, vcpu, 12), AT(kvmclock_error, changed, 16),
	AT(kvmclock_error, call, 24), AT(kvmclock_error, advice, 32),
	SIZE(kvmclock_ops, 56), AT(kvmclock_ops, context, 8), AT(kvmclock_ops, ioctl, 16),
	AT(kvmclock_ops, clock_gettime, 24), AT(kvmclock_ops, adjtimex, 32), AT(kvmclock_ops, rdtsc, 40),
	AT(kvmclock_ops, read_guest, 48),
	SIZE(kvmclock_vm, 32), AT(kvmclock_vm, kvm_fd, 4), AT(kvmclock_vm, vm_fd, 8),
	AT(kvmclock_vm, vcpu_count, 12), AT(kvmclock_vm, vcpu_fds, 16), AT(kvmclock_vm, ops, 24),
	SIZE(kvmclock_reading, 40), AT(kvmclock_reading, htsc, 0), AT(kvmclock_reading, realtime_ns, 8),
	AT(kvmclock_reading, tai_offset_s, 16), AT(kvmclock_reading, realtime_error_ns, 24),
	AT(kvmclock_reading, width_ns, 32),
	SIZE(kvmclock_abilities, 64), AT(kvmclock_abilities, bits, 4), AT(kvmclock_abilities, tier, 8),
	AT(kvmclock_abilities, host_khz, 12), AT(kvmclock_abilities, frac_bits, 16),
	AT(kvmclock_abilities, tolerance_ppm, 20), AT(kvmclock_abilities, now, 24),
	SIZE(kvmclock_vcpu, 48), AT(kvmclock_vcpu, tsc_offset_gtsc, 0), AT(kvmclock_vcpu, tsc_ratio, 8),
	AT(kvmclock_vcpu, tsc_gtsc, 16), AT(kvmclock_vcpu, tsc_adjust_gtsc, 24),
	AT(kvmclock_vcpu, deadline_gtsc, 32), AT(kvmclock_vcpu, tsc_khz, 40), AT(kvmclock_vcpu, flags, 44),
	SIZE(kvmclock_state, 136), AT(kvmclock_state, flags, 4), AT(kvmclock_state, source, 8),
	AT(kvmclock_state, host_khz, 12), AT(kvmclock_state, frac_bits, 16), AT(kvmclock_state, line_mul, 20),
	AT(kvmclock_state, line_shift, 24), AT(kvmclock_state, vcpu_count, 28),
	AT(kvmclock_state, vcpu_room, 32), AT(kvmclock_state, vcpus, 40), AT(kvmclock_state, at, 48),
	AT(kvmclock_state, clock_ns, 88), AT(kvmclock_state, line_gtsc, 96), AT(kvmclock_state, line_ns, 104),
	AT(kvmclock_state, width_ns, 112), AT(kvmclock_state, unknown, 120),
	AT(kvmclock_state, unknown_bytes, 128),
	SIZE(kvmclock_foreign, 48), AT(kvmclock_foreign, source, 4), AT(kvmclock_foreign, clock, 8),
	AT(kvmclock_foreign, clock_bytes, 16), AT(kvmclock_foreign, tsc_gtsc, 24),
	AT(kvmclock_foreign, tsc_khz, 32), AT(kvmclock_foreign, vcpu_count, 40),
	SIZE(kvmclock_request, 48), AT(kvmclock_request, policy, 4), AT(kvmclock_request, flags, 8),
	AT(kvmclock_request, lowest_tier, 12), AT(kvmclock_request, max_step_ns, 16),
	AT(kvmclock_request, max_step_cycles, 24), AT(kvmclock_request, max_rate_ppb, 32),
	AT(kvmclock_request, max_tries, 40), AT(kvmclock_request, max_time_us, 44),
	SIZE(kvmclock_plan, 64), AT(kvmclock_plan, verdict, 4), AT(kvmclock_plan, tier, 8),
	AT(kvmclock_plan, reasons, 12), AT(kvmclock_plan, step_ns, 16), AT(kvmclock_plan, step_cycles, 24),
	AT(kvmclock_plan, rate_error_ppb, 32), AT(kvmclock_plan, slope_error_ppb, 40),
	AT(kvmclock_plan, elapsed_ns, 48), AT(kvmclock_plan, elapsed_error_ns, 56),
	SIZE(kvmclock_restore, 296), AT(kvmclock_restore, phase, 4), AT(kvmclock_restore, state, 8),
	AT(kvmclock_restore, abilities, 16), AT(kvmclock_restore, request, 80), AT(kvmclock_restore, plan, 128),
	AT(kvmclock_restore, at, 192),
	AT(kvmclock_restore, next_vcpu, 232), AT(kvmclock_restore, line_mul, 236),
	AT(kvmclock_restore, line_shift, 240), AT(kvmclock_restore, tsc_khz, 244),
	AT(kvmclock_restore, line_gtsc, 248), AT(kvmclock_restore, line_ns, 256),
	AT(kvmclock_restore, tsc_ratio, 264), AT(kvmclock_restore, tsc_offset_gtsc, 272),
	AT(kvmclock_restore, residual_ns, 280), AT(kvmclock_restore, residual_error_ns, 288),
	SIZE(kvmclock_result, 32), AT(kvmclock_result, tier, 4), AT(kvmclock_result, tries, 8),
	AT(kvmclock_result, line_kept, 12), AT(kvmclock_result, residual_ns, 16),
	AT(kvmclock_result, residual_error_ns, 24),
	SIZE(kvmclock_verdict, 48), AT(kvmclock_verdict, vcpus, 4), AT(kvmclock_verdict, worst_cycles, 8),
	AT(kvmclock_verdict, worst_cycles_error, 16), AT(kvmclock_verdict, worst_ns, 24),
	AT(kvmclock_verdict, worst_ns_error, 32), AT(kvmclock_verdict, worst_vcpu, 40),
	AT(kvmclock_verdict, from_page, 44),
};

int main(void)
{
	size_t nr = sizeof(table) / sizeof(*table), wrong = 0;

	for (size_t i = 0; i < nr; i++)
		if (table[i].is != table[i].should) {
			printf("# %s.%s: %zu, should be %zu\n", table[i].type, table[i].member,
			       table[i].is, table[i].should);
			wrong++;
		}
	printf("%sok 0 - layout: %zu sizes and offsets\n", wrong ? "not " : "", nr);
	return wrong != 0;
}
