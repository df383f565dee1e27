// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * K10: without scaling hardware a guest faster than the host is caught up in
 * software.  usage: k10_catchup [SECONDS]
 */
#include <stdlib.h>

#include "beside.h"
#include "tap.h"

#define BOUND_PPM 500
#define LOOK_MS 10
#define TOGETHER_MS 100
#define EARLY_S 5
#define EARLY_PPM 10000	/* a TSC that is off by this, this early, needs no minute */

struct watch {
	uint64_t first_gtsc, last_gtsc, first_htsc, last_htsc, last_ns, tsc_back, clock_back_ns;
	long stable;
};

static void look(struct vcpu *vcpu, struct watch *watch)
{
	const uint64_t *out = vcpu->box->out;

	vcpu_run(vcpu, GUEST_READ, vcpu_page_gpa(vcpu), 0);
	watch->last_htsc = host_tsc();
	if (out[0] < watch->last_gtsc && watch->last_gtsc - out[0] > watch->tsc_back)
		watch->tsc_back = watch->last_gtsc - out[0];
	if (out[1] < watch->last_ns && watch->last_ns - out[1] > watch->clock_back_ns)
		watch->clock_back_ns = watch->last_ns - out[1];
	watch->last_gtsc = out[0];
	watch->last_ns = out[1];
	watch->stable += vcpu->box->page.flags & PVCLOCK_TSC_STABLE_BIT;
}

/* Of the rate that was asked for, three halves of the host's. */
static int64_t error_ppm(const struct watch *watch)
{
	exact_u128 gone_gtsc = watch->last_gtsc - watch->first_gtsc;

	return (int64_t)(gone_gtsc * 2000000 / (3 * (watch->last_htsc - watch->first_htsc))) - 1000000;
}

static struct watch watch_for(struct vcpu *vcpu, long seconds)
{
	struct watch watch = { 0 };
	long i;

	look(vcpu, &watch);
	watch.first_htsc = watch.last_htsc;
	watch.first_gtsc = watch.last_gtsc;
	for (i = 0; i < seconds * 1000 / LOOK_MS; i++) {
		host_sleep_ms(LOOK_MS);
		look(vcpu, &watch);
		if (i == EARLY_S * 1000 / LOOK_MS && llabs(error_ppm(&watch)) > EARLY_PPM)
			break;
	}
	return watch;
}

/* How far apart two vCPUs' TSCs are at one instant, as time; both are caught up at entry. */
static uint64_t apart_us(struct vm *vm)
{
	uint64_t first, second, then_htsc, now_htsc, gone;

	first = vcpu_guest_tsc(&vm->vcpu[0]);
	then_htsc = host_tsc();
	second = vcpu_guest_tsc(&vm->vcpu[1]);
	now_htsc = host_tsc();
	gone = (now_htsc - then_htsc) / 2 * 3;
	return (uint64_t)llabs((int64_t)(second - first - gone)) * 1000 / vm->khz;
}

/* Made, or given their frequency, one long after the other. */
static void check_together(bool by_vcpu)
{
	const char *how = by_vcpu ? "given its frequency" : "made";
	uint32_t khz = host()->khz / 2 * 3;
	static struct vm vm;
	uint64_t us;
	int i;

	vm_open(&vm, by_vcpu ? 0 : khz);
	for (i = 0; i < 2; i++) {
		vm_add_vcpu(&vm);
		if (by_vcpu && vcpu_set_khz(&vm.vcpu[i], khz))
			tap_bail("KVM_SET_TSC_KHZ");
		host_sleep_ms(TOGETHER_MS);
	}
	vm.khz = khz;
	us = apart_us(&vm);
	tap_ok(us < TOGETHER_MS * 1000 / 10, "K10: each vCPU %s %d ms after the other: together",
	       how, TOGETHER_MS);
	tap_figure("K10", by_vcpu ? "apart_by_frequency" : "apart_by_making", (long long)us, "us");
	for (i = 0; i < 2; i++) {
		vcpu_set_msr(&vm.vcpu[i], MSR_TSC, 0);
		host_sleep_ms(TOGETHER_MS);
	}
	us = apart_us(&vm);
	tap_ok(us < TOGETHER_MS * 1000 / 10, "K10: each vCPU %s, then set to 0: together", how);
	vm_close(&vm);
}

int main(int argc, char **argv)
{
	long seconds = argc > 1 ? strtol(argv[1], NULL, 0) : 60;
	struct beside from, to;
	static struct vm vm;
	struct watch watch;
	int64_t ppm;

	if (host()->scaling) {
		tap_skip("this host scales TSCs", "K10");
		return tap_end();
	}
	vm_open_running(&vm, host()->khz / 2 * 3, 1);
	from = beside_get_clock(&vm, CLOCK_MONOTONIC_RAW);
	watch = watch_for(&vm.vcpu[0], seconds);
	ppm = error_ppm(&watch);
	to = beside_get_clock(&vm, CLOCK_MONOTONIC_RAW);
	tap_ok(!watch.tsc_back, "K10: TSC not back");
	tap_ok(llabs(ppm) < BOUND_PPM, "K10: TSC keeps the rate asked for");
	tap_ok(!watch.stable, "K10: no stable bit");
	tap_ok(!watch.clock_back_ns, "K10: the guest's clock not back");
	tap_ok(llabs(beside_moved_ns(from, to)) < 10000, "K10: KVM_GET_CLOCK keeps time");
	tap_figure("K10", "rate_error", ppm, "ppm");
	tap_figure("K10", "tsc_back", (long long)watch.tsc_back, "cycles");
	tap_figure("K10", "readings_with_stable_bit", watch.stable, "readings");
	tap_figure("K10", "clock_back", (long long)watch.clock_back_ns, "ns");
	tap_figure("K10", "get_clock_error", beside_moved_ns(from, to), "ns");
	vm_close(&vm);
	check_together(false);
	check_together(true);
	return tap_end();
}
