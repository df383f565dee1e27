// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "update.h"

#include "measure.h"

/* The mean of several, for the guest's own formula loses bits, as the library's figure is one. */
static int64_t apart_ns(struct vcpu *a, struct vcpu *b)
{
	enum { READINGS = 8 };
	int64_t total = READINGS / 2;

	for (int i = 0; i < READINGS; i++)
		total += measure_apart_ns(a, b);
	return (total - (total < 0 ? READINGS - 1 : 0)) / READINGS;
}

static uint64_t apart_cycles(struct vcpu *a, struct vcpu *b)
{
	struct exact_tsc tsc_a = vcpu_tsc(a), tsc_b = vcpu_tsc(b);
	uint64_t htsc = host_tsc();
	int64_t apart = (int64_t)(exact_guest_tsc(&tsc_a, htsc) - exact_guest_tsc(&tsc_b, htsc));

	return apart < 0 ? -(uint64_t)apart : (uint64_t)apart;
}

struct update update(uint32_t khz, int count, bool settled, const struct kvmclock_request *request)
{
	static struct monitor from, to;
	struct pvclock_vcpu_time_info old, new;
	struct update seen;
	int i;

	monitor_open(&from);
	monitor_start(&from, khz, count);
	monitor_open(&to);
	monitor_move(&from, &to, request, settled);
	old = vcpu_fresh_page(&from.vm.vcpu[0]);
	new = vcpu_fresh_page(&to.vm.vcpu[0]);
	seen = (struct update) {
		.step_ns = apart_ns(&from.vm.vcpu[0], &to.vm.vcpu[0]),
		.stated_ns = to.result.residual_ns,
		.stated_error_ns = (int64_t)to.result.residual_error_ns,
		.tier = to.result.tier, .tries = to.result.tries,
		.same_page = exact_same_line(&old, &new),
	};
	for (i = 0; i < count; i++)
		seen.tsc_step_cycles += apart_cycles(&from.vm.vcpu[i], &to.vm.vcpu[i]);
	monitor_close(&to);
	monitor_close(&from);
	return seen;
}
