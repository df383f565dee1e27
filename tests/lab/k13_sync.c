// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K13: what a TSC that the host writes is synchronised with, and what not. */
#include <stdio.h>

#include "scene.h"
#include "state.h"
#include "tap.h"

#define VCPUS 64
#define GAP_MS 200	/* 12.8 s in all */
#define APART_MS 1200
#define FAR_S 10

static const char *kind;
static struct vm vm;

static void figure(const char *name, int value, const char *unit)
{
	char text[64];

	snprintf(text, sizeof(text), "%s_%s", kind, name);
	tap_figure("K13", text, value, unit);
}

/* vCPUs whose TSC is the last one's. */
static int matched(void)
{
	uint64_t offset = vcpu_tsc_offset(&vm.vcpu[vm.count - 1]);
	int i, count = 0;

	for (i = 0; i < vm.count; i++)
		count += vcpu_tsc_offset(&vm.vcpu[i]) == offset;
	return count;
}

static int stable_pages(void)
{
	int i, count = 0;

	for (i = 0; i < vm.count; i++)
		count += vcpu_fresh_page(&vm.vcpu[i]).flags & PVCLOCK_TSC_STABLE_BIT;
	return count;
}

static void check_all_match(const char *what)
{
	int count = matched(), stable = stable_pages();

	tap_ok(count == vm.count, "K13 %s %s: all match", kind, what);
	tap_ok(stable == vm.count, "K13 %s %s: all are stable", kind, what);
	if (state_exists(&vm))
		tap_ok(state_number(&vm, "vcpus_matched") == (uint64_t)vm.count,
		       "K13 %s %s: and counted as matched", kind, what);
	figure(what, count, "vcpus");
}

/* Does the vCPU read value at some instant of the write? */
static bool write_is_kept(struct vcpu *vcpu, uint64_t value)
{
	uint64_t before = host_tsc(), after;
	struct exact_tsc tsc;

	vcpu_set_msr(vcpu, MSR_TSC, value);
	after = host_tsc();
	tsc = vcpu_tsc(vcpu);
	return exact_guest_tsc(&tsc, before) <= value && value <= exact_guest_tsc(&tsc, after);
}

static void check_burst(void)
{
	uint64_t value;
	bool kept;
	int i;

	vm_open_running(&vm, 0, VCPUS);
	value = vcpu_guest_tsc(&vm.vcpu[0]) + (uint64_t)vm.khz * 1000 * FAR_S;
	kept = write_is_kept(&vm.vcpu[0], value);
	for (i = 1; i < VCPUS; i++) {
		host_sleep_ms(GAP_MS);
		vcpu_set_msr(&vm.vcpu[i], MSR_TSC, value);
	}
	tap_ok(kept, "K13 %s one_value_to_64: the first write is kept", kind);
	check_all_match("one_value_to_64");
	vm_close(&vm);
}

static void check_creation(uint32_t khz)
{
	int i;

	vm_open(&vm, khz);
	for (i = 0; i < 3; i++) {
		struct vcpu *vcpu = vm_add_vcpu(&vm);

		vcpu_set_page(vcpu, MSR_CLOCK_NEW);
		host_sleep_ms(APART_MS);
	}
	check_all_match("created_apart");
	vm_close(&vm);
}

static void check_far_and_zero(uint32_t khz)
{
	uint64_t far, offset;

	vm_open_running(&vm, khz, 2);
	far = vcpu_guest_tsc(&vm.vcpu[1]) + (uint64_t)vm.khz * 1000 * FAR_S;
	tap_ok(write_is_kept(&vm.vcpu[1], far), "K13 %s far: the value is kept", kind);
	tap_ok(matched() == 1 && !stable_pages(), "K13 %s far: a generation of its own", kind);
	host_sleep_ms(GAP_MS);
	vcpu_set_msr(&vm.vcpu[0], MSR_TSC, far);
	check_all_match("far_and_the_other_follows");

	far += (uint64_t)vm.khz * 1000 * FAR_S;
	vcpu_set_msr(&vm.vcpu[1], MSR_TSC, far);
	offset = vcpu_tsc_offset(&vm.vcpu[1]);
	vcpu_set_msr(&vm.vcpu[0], MSR_TSC, 0);
	check_all_match("zero");
	tap_ok(vcpu_tsc_offset(&vm.vcpu[1]) == offset,
	       "K13 %s zero: the generation stays as it was", kind);
	vm_close(&vm);
}

int main(void)
{
	kind = "native";
	check_burst();
	check_creation(0);
	check_far_and_zero(0);
	if (host()->scaling) {
		kind = "scaled";
		check_creation(scene_scaled_khz());
		check_far_and_zero(scene_scaled_khz());
	}
	return tap_end();
}
