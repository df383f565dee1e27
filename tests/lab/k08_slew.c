// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * K8: NTP slews the host's clocks by 500 ppm; what KVM_GET_CLOCK and the guest
 * read stays with the host's CLOCK_MONOTONIC_RAW, in master mode and, with the
 * clocksource changed, in host mode.
 */
#include <stdio.h>
#include <stdlib.h>

#include "beside.h"
#include "host_life.h"
#include "tap.h"

#define SLEW_PPM 500	/* the most that NTP does */
#define SLEW_MS 1500
#define SAMPLES 5
/* What the measurement leaves open counts as error. */
#define BOUND_PPB 50000

struct readings {
	struct beside host, get_clock, page;
	uint64_t raw_ns;
};

/* In host mode a page is a sample: a new one, from either KVM. */
static struct beside sampled_page(struct vcpu *vcpu)
{
	vcpu_set_tsc_offset(vcpu, vcpu_tsc_offset(vcpu) + 1);
	vcpu_set_page(vcpu, MSR_CLOCK_NEW);
	vcpu_fresh_page(vcpu);
	return beside_page(vcpu, CLOCK_MONOTONIC_RAW);
}

/* A sample is late by what passes between its reads of raw and TSC: the best. */
static struct beside best_page(struct vcpu *vcpu)
{
	struct beside best = sampled_page(vcpu);
	int i;

	for (i = 1; i < SAMPLES; i++) {
		struct beside next = sampled_page(vcpu);

		if (next.ahead_ns > best.ahead_ns)
			best = next;
	}
	return best;
}

static struct readings look(struct vm *vm, bool in_host_mode)
{
	struct vcpu *vcpu = &vm->vcpu[0];
	struct readings now;

	now.page = in_host_mode ? best_page(vcpu) : beside_page(vcpu, CLOCK_MONOTONIC_RAW);
	now.get_clock = beside_get_clock(vm, CLOCK_MONOTONIC_RAW);
	now.host = beside_host_clock(CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW);
	now.raw_ns = host_clock_ns(CLOCK_MONOTONIC_RAW);
	return now;
}

static int64_t rate_ppb(int64_t ns, uint64_t over_ns)
{
	return ns * 1000000000 / (int64_t)over_ns;
}

static void tell(const char *mode, const char *what, struct beside from, struct beside to,
		 uint64_t over_ns)
{
	int64_t error_ns = beside_moved_ns(from, to), open_ns = from.within_ns + to.within_ns;
	int64_t at_most_ppb = rate_ppb(llabs(error_ns) + open_ns, over_ns);
	char name[64];

	tap_ok(at_most_ppb < BOUND_PPB, "K8 %s: %s is not slewed", mode, what);
	snprintf(name, sizeof(name), "%s_%s_error", mode, what);
	tap_figure("K8", name, error_ns, "ns");
	snprintf(name, sizeof(name), "%s_%s_error_at_most", mode, what);
	tap_figure("K8", name, at_most_ppb, "ppb");
}

static void check(struct vm *vm, const char *mode, bool in_host_mode, int ppm)
{
	struct readings from, to;
	uint64_t over_ns;
	int64_t slewed_ppb;

	host_slew_ppm(ppm);
	from = look(vm, in_host_mode);
	host_sleep_ms(SLEW_MS);
	to = look(vm, in_host_mode);
	host_slew_ppm(0);
	over_ns = to.raw_ns - from.raw_ns;
	slewed_ppb = rate_ppb(to.host.ahead_ns - from.host.ahead_ns, over_ns);
	tap_ok(llabs(slewed_ppb - ppm * 1000) < BOUND_PPB, "K8 %s: the host's clock is slewed", mode);
	tap_figure("K8", mode, slewed_ppb, "ppb");
	tell(mode, "KVM_GET_CLOCK", from.get_clock, to.get_clock, over_ns);
	tell(mode, "page", from.page, to.page, over_ns);
}

int main(void)
{
	static struct vm vm;

	vm_open_running(&vm, 0, 1);
	check(&vm, "master_fast", false, SLEW_PPM);
	check(&vm, "master_slow", false, -SLEW_PPM);
	if (host_set_clocksource("hpet")) {
		host_sleep_ms(100);
		check(&vm, "host_fast", true, SLEW_PPM);
		check(&vm, "host_slow", true, -SLEW_PPM);
		host_set_clocksource("tsc");
	} else {
		tap_skip("no HPET", "K8 host_fast");
	}
	vm_close(&vm);
	return tap_end();
}
