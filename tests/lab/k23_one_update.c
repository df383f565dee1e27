// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K23: one event, one update: the clocksource of a host with 64 vCPUs changes. */
#include <stdio.h>

#include "host_life.h"
#include "state.h"
#include "tap.h"
#include "trace.h"
#include "vm.h"

#define VCPUS 64
#define SETTLE_MS 200	/* the host tells by way of a work queue */
#define UPDATES "kvm_update_master_clock"
#define WRITES "kvm_pvclock_update"

static struct vm vm;

static void run_all(void)
{
	int i;

	for (i = 0; i < VCPUS; i++)
		vcpu_run(&vm.vcpu[i], GUEST_TSC, 0, 0);
}

static void figure(const char *what, const char *name, int value, const char *unit)
{
	char text[64];

	snprintf(text, sizeof(text), "%s_%s", what, name);
	tap_figure("K23", text, value, unit);
}

static void check_change(const char *what, const char *clocksource, const char *mode)
{
	int early, updates, writes;

	run_all();
	trace_forget();
	host_set_clocksource(clocksource);
	host_sleep_ms(SETTLE_MS);
	early = trace_count(UPDATES);
	run_all();
	updates = trace_count(UPDATES);
	writes = trace_count(WRITES);
	tap_ok(early == 1, "K23 %s: the update waits for no vCPU", what);
	tap_ok(updates == 1, "K23 %s: one update", what);
	tap_ok(writes == VCPUS, "K23 %s: 64 page writes", what);
	if (state_exists(&vm))
		tap_ok(state_is(&vm, "mode", mode), "K23 %s: %s mode", what, mode);
	figure(what, "updates", updates, "updates");
	figure(what, "page_writes", writes, "writes");
	trace_forget();
	run_all();
	tap_ok(!trace_count(UPDATES) && !trace_count(WRITES), "K23 %s: nothing afterwards", what);
}

int main(void)
{
	if (!host_set_clocksource("hpet")) {
		tap_skip("no HPET", "K23");
		return tap_end();
	}
	host_set_clocksource("tsc");
	host_sleep_ms(SETTLE_MS);
	vm_open_running(&vm, 0, VCPUS);
	host_sleep_ms(SETTLE_MS);
	trace_enable(UPDATES, true);
	trace_enable(WRITES, true);
	check_change("to_hpet", "hpet", "host");
	check_change("to_tsc", "tsc", "master");
	trace_enable(UPDATES, false);
	trace_enable(WRITES, false);
	vm_close(&vm);
	return tap_end();
}
