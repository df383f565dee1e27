// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * K16: one predicate decides master mode, and the reason for host mode can be
 * read: each is provoked and taken back.  That the TSC went back is K30's.
 */
#include <errno.h>

#include "host_life.h"
#include "scene.h"
#include "state.h"
#include "tap.h"

#define VCPUS 3
#define WAIT_MS 10
#define WAITS 50

static struct vm vm;
static int read_back;

static int stable_pages(void)
{
	int i, count = 0;

	for (i = 0; i < VCPUS; i++)
		count += vcpu_fresh_page(&vm.vcpu[i]).flags & PVCLOCK_TSC_STABLE_BIT;
	return count;
}

/* What else depends on the predicate says the same as the file. */
static bool all_agree(bool master)
{
	unsigned int flags = vm_get_clock(&vm).flags & VM_CLOCK_ALL_FLAGS;
	struct pvclock_vcpu_time_info line;
	int got = vcpu_ioctl(&vm.vcpu[0], KVM_GET_CLOCK_GUEST, &line), stable = stable_pages();
	bool agree = state_is(&vm, "mode", master ? "master" : "host") &&
		     state_is(&vm, "stable", master ? "1" : "0") &&
		     flags == (master ? VM_CLOCK_ALL_FLAGS : 0) &&
		     got == (master ? 0 : -EINVAL) && stable == (master ? VCPUS : 0);

	if (!agree)
		tap_diag("KVM_GET_CLOCK's flags %#x, the line's code %d, %d stable pages",
			 flags, got, stable);
	return agree;
}

static void check_reasons(const char *what, const char *reasons)
{
	char text[STATE_TEXT];
	bool right = state_is(&vm, "reasons", reasons);

	read_back += right;
	if (!tap_ok(right, "K16 %s: the reason is read back", what)) {
		state_text(&vm, "reasons", text);
		tap_diag("%s, not %s", text, reasons);
	}
	tap_ok(all_agree(false), "K16 %s: file, KVM_GET_CLOCK, pages and line agree", what);
}

static void check_gone(const char *what)
{
	tap_ok(state_is(&vm, "reasons", "none") && all_agree(true),
	       "K16 %s: gone, and all agree on master mode", what);
}

static void check_old_msr(void)
{
	vcpu_set_page(&vm.vcpu[0], MSR_CLOCK_OLD);
	check_reasons("old_msr", "old_msr");
	vcpu_set_page(&vm.vcpu[0], MSR_CLOCK_NEW);
	check_gone("old_msr");
	vcpu_set_page(&vm.vcpu[1], MSR_CLOCK_OLD);
	check_gone("old_msr of another vCPU");
	vcpu_set_page(&vm.vcpu[1], MSR_CLOCK_NEW);
}

static void check_unmatched(void)
{
	uint64_t offset = vcpu_tsc_offset(&vm.vcpu[1]);

	vcpu_set_tsc_offset(&vm.vcpu[1], offset - 1);
	check_reasons("unmatched", "unmatched");
	vcpu_set_page(&vm.vcpu[0], MSR_CLOCK_OLD);
	check_reasons("unmatched and old_msr", "old_msr unmatched");
	vcpu_set_tsc_offset(&vm.vcpu[1], offset);
	check_reasons("old_msr alone again", "old_msr");
	vcpu_set_page(&vm.vcpu[0], MSR_CLOCK_NEW);
	check_gone("unmatched");
}

/* Scaled, or caught up in software.  Back at the old rate it must be matched again. */
static void check_unequal_rates(void)
{
	struct vcpu *vcpu = &vm.vcpu[1];

	if (vcpu_set_khz(vcpu, host()->khz / 2 * 3))
		tap_bail("KVM_SET_TSC_KHZ");
	check_reasons("unequal_rates", "unequal_rates");
	if (vcpu_set_khz(vcpu, host()->khz))
		tap_bail("KVM_SET_TSC_KHZ");
	check_reasons("unmatched after unequal_rates", "unmatched");
	vcpu_set_tsc_offset(vcpu, vcpu_tsc_offset(&vm.vcpu[0]));
	check_gone("unequal_rates");
}

/* No vCPU runs meanwhile: the VM hears of it all the same. */
static void wait_for_mode(const char *mode)
{
	int waits;

	for (waits = 0; waits < WAITS && !state_is(&vm, "mode", mode); waits++)
		host_sleep_ms(WAIT_MS);
}

static void check_clocksource(void)
{
	if (!host_set_clocksource("hpet") && !host_set_clocksource("acpi_pm")) {
		tap_skip("no clocksource but the TSC", "K16 no_tsc_clocksource");
		return;
	}
	wait_for_mode("host");
	check_reasons("no_tsc_clocksource", "no_tsc_clocksource");
	vcpu_set_tsc_offset(&vm.vcpu[1], vcpu_tsc_offset(&vm.vcpu[0]) - 1);
	check_reasons("no_tsc_clocksource and unmatched", "no_tsc_clocksource unmatched");
	vcpu_set_tsc_offset(&vm.vcpu[1], vcpu_tsc_offset(&vm.vcpu[0]));
	host_set_clocksource("tsc");
	wait_for_mode("master");
	check_gone("no_tsc_clocksource");
}

int main(void)
{
	vm_open_running(&vm, 0, VCPUS);
	if (!state_exists(&vm)) {
		tap_skip("no file that says the mode", "K16");
		return tap_end();
	}
	check_gone("new VM");
	check_old_msr();
	check_unmatched();
	check_unequal_rates();
	check_clocksource();
	tap_figure("K16", "reasons_read_back", read_back, "times");
	vm_close(&vm);
	return tap_end();
}
