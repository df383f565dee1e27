// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K9: KVM_GET_CLOCK is what the guest reads; flags and wall clock go with it. */
#include <linux/kvm_para.h>
#include <stdio.h>
#include <string.h>

#include "measure.h"
#include "scene.h"
#include "tap.h"

#define READINGS 20
#define OVER_MS 1000

static int64_t epoch_ns(const struct kvm_clock_data *clock)
{
	return (int64_t)(clock->realtime - clock->clock);
}

/*
 * What the guest was told between two readings of KVM_GET_CLOCK.  The clock
 * moves by ticks of the guest's TSC, so realtime minus clock can be up to one of
 * them higher than another time.
 */
static void check_epoch(const char *kind, const char *what, int64_t told_ns, uint32_t khz,
			const struct kvm_clock_data *before, const struct kvm_clock_data *after)
{
	int64_t tick_ns = 1000000 / (khz ? khz : host()->khz) + 1;
	int64_t a = epoch_ns(before), b = epoch_ns(after);
	int64_t low = a < b ? a : b, high = a < b ? b : a;

	if (!tap_ok(low - tick_ns <= told_ns && told_ns <= high + tick_ns,
		    "K9 %s: %s is realtime minus clock", kind, what))
		tap_diag("%lld ns from %lld to %lld", (long long)(told_ns - low), 0ll,
			 (long long)(high - low));
}

static void check_wall_clock(const char *kind, uint32_t khz)
{
	struct kvm_clock_data before, after;
	uint32_t data[3];
	struct vm vm;

	vm_open_running(&vm, khz, 1);
	host_sleep_ms(50);
	before = vm_get_clock(&vm);
	vcpu_run(&vm.vcpu[0], GUEST_WRMSR, MSR_WALL_CLOCK_NEW, VM_WALL_GPA);
	after = vm_get_clock(&vm);
	memcpy(data, vm.clock_mem + (VM_WALL_GPA - VM_CLOCK_GPA), sizeof(data));
	check_epoch(kind, "the wall clock", (int64_t)data[1] * 1000000000 + data[2], khz,
		    &before, &after);
	vm_close(&vm);
}

/* The pair of realtime and guest TSC that a guest asks for by hypercall. */
static void check_pairing(const char *kind, uint32_t khz)
{
	struct kvm_clock_data before, after;
	struct kvm_clock_pairing pair;
	struct pvclock_vcpu_time_info page;
	struct vcpu *vcpu;
	struct vm vm;

	vm_open_running(&vm, khz, 1);
	vcpu = &vm.vcpu[0];
	host_sleep_ms(50);
	before = vm_get_clock(&vm);
	vcpu->box->arg[2] = KVM_CLOCK_PAIRING_WALLCLOCK;
	vcpu->box->arg[3] = host()->svm;
	vcpu_run(vcpu, GUEST_HYPERCALL, KVM_HC_CLOCK_PAIRING, VM_WALL_GPA);
	after = vm_get_clock(&vm);
	memcpy(&pair, vm.clock_mem + (VM_WALL_GPA - VM_CLOCK_GPA), sizeof(pair));
	page = vcpu_page(vcpu);
	if (tap_ok(!vcpu->box->out[0], "K9 %s: the guest gets a clock pairing", kind))
		check_epoch(kind, "the clock pairing",
			    pair.sec * 1000000000 + pair.nsec -
			    (int64_t)exact_page_ns(&page, pair.tsc), khz, &before, &after);
	vm_close(&vm);
}

static void check(const char *kind, uint32_t khz)
{
	struct measure_get_clock result = measure_get_clock(khz, READINGS, OVER_MS, NULL);
	char figure[32];

	tap_ok(result.worst_ns == 0, "K9 %s: KVM_GET_CLOCK is the guest's reading", kind);
	snprintf(figure, sizeof(figure), "%s_worst_error", kind);
	tap_figure("K9", figure, (long long)result.worst_ns, "ns");
	tap_ok(result.flags_all_or_none, "K9 %s: flags all three or none", kind);
	tap_ok(result.flags_all, "K9 %s: flags are there", kind);
	check_wall_clock(kind, khz);
	check_pairing(kind, khz);
}

int main(void)
{
	check("native", 0);
	if (host()->scaling)
		check("scaled", scene_scaled_khz());
	return tap_end();
}
