// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * K19: in master mode nothing is refreshed now and then; it begins when master
 * mode is left, and ends when it is back.  Wants kvm.ko's parameter
 * kvmclock_sync_period_ms; the stock KVM's period is 300 s, too long to wait
 * for, but it can be seen to start the timer.
 */
#include <stdio.h>

#include "beside.h"
#include "host_life.h"
#include "scene.h"
#include "state.h"
#include "tap.h"
#include "trace.h"

#define PARAMETER "/sys/module/kvm/parameters/kvmclock_sync_period_ms"
#define STOCK_PERIOD_MS 300000
#define PERIODS 20
#define HOST_HZ 250	/* Debian's */
#define TIMERS "timer/timer_start"
#define NOWHERE_GPA 0x10000000u	/* the VM has no memory there */
#define LOST_S 4

static unsigned int period_ms(void)
{
	FILE *file = fopen(PARAMETER, "r");
	unsigned int ms = STOCK_PERIOD_MS;

	if (file && fscanf(file, "%u", &ms) != 1)
		tap_bail(PARAMETER);
	if (file)
		fclose(file);
	return ms;
}

/* Timers of the period that the making and running of a VM started. */
static int timers_started(struct scene *scene)
{
	unsigned int ticks = (period_ms() * HOST_HZ + 999) / 1000, late;
	char timeout[32];
	int count = 0;

	trace_enable(TIMERS, true);
	trace_forget();
	scene_open(scene, 0, 2);
	/* A tick or more may pass between the reckoning and the trace of a long one. */
	for (late = 0; late <= ticks / 10000; late++) {
		snprintf(timeout, sizeof(timeout), "[timeout=%u]", ticks - late);
		count += trace_count_lines("function=delayed_work_timer_fn", timeout);
	}
	trace_enable(TIMERS, false);
	return count;
}

/* Refreshes over PERIODS or somewhat more, after the mode has settled. */
static int refreshes(struct scene *scene, uint64_t *periods)
{
	uint64_t begin_ns;
	int i, count;

	for (i = 0; i < 2; i++) {
		scene_check(scene);
		host_sleep_ms(2 * period_ms());
	}
	trace_function("kvmclock_sync_fn");
	trace_forget();
	begin_ns = host_clock_ns(CLOCK_MONOTONIC);
	for (i = 0; i < PERIODS; i++) {
		host_sleep_ms(period_ms());
		scene_check(scene);
	}
	count = trace_count_lines("kvmclock_sync_fn", "");
	*periods = (host_clock_ns(CLOCK_MONOTONIC) - begin_ns) / 1000000 / period_ms();
	trace_function(NULL);
	return count;
}

static void tell(struct scene *scene, const char *mode, bool wanted)
{
	uint64_t periods;
	int count = refreshes(scene, &periods);
	char name[64];

	if (wanted)
		tap_ok(count >= PERIODS / 2 && (uint64_t)count <= 2 * periods,
		       "K19 %s: refreshed each period", mode);
	else
		tap_ok(!count, "K19 %s: no refresh", mode);
	snprintf(name, sizeof(name), "%s_refreshes", mode);
	tap_figure("K19", name, count, "refreshes");
}

/* A page that can never be written is asked for all the time; others may wait for the retry. */
static void check_lost_page(struct scene *scene)
{
	uint64_t begin_ns = host_clock_ns(CLOCK_MONOTONIC), gone_ns;
	struct vcpu *vcpu = &scene->vm.vcpu[1];
	uint64_t count;

	host_run_on(0);		/* an idle CPU of the emulator's may miss its timer */
	trace_function("kvmclock_sync_fn");
	trace_forget();
	do {
		vcpu_set_msr(vcpu, MSR_CLOCK_NEW, NOWHERE_GPA | 1);
		vcpu_run(vcpu, GUEST_TSC, 0, 0);
		host_sleep_ms(10);
		gone_ns = host_clock_ns(CLOCK_MONOTONIC) - begin_ns;
	} while (gone_ns < LOST_S * 1000000000ull);
	count = (uint64_t)trace_count_lines("kvmclock_sync_fn", "");
	trace_function(NULL);
	tap_ok(count && count <= gone_ns / 1000000000, "K19 lost page: tried again each second");
	tap_figure("K19", "lost_page_retries", (long long)count, "retries");
}

static void check_modes(struct scene *scene)
{
	tell(scene, "master", false);
	vcpu_set_page(&scene->vm.vcpu[0], MSR_CLOCK_OLD);
	tell(scene, "old_msr", true);
	vcpu_set_page(&scene->vm.vcpu[0], MSR_CLOCK_NEW);
	tell(scene, "master_again", false);
	if (!host_set_clocksource("hpet"))
		return tap_skip("no HPET", "K19 hpet");
	tell(scene, "hpet", true);
	host_set_clocksource("tsc");
	tell(scene, "tsc_again", false);
}

int main(void)
{
	static struct scene scene;
	int count = timers_started(&scene);

	tap_ok(!count, "K19: a new VM starts no timer for it");
	tap_figure("K19", "timers_started", count, "timers");
	if (period_ms() < 1000)
		check_modes(&scene);
	else
		tap_skip("the period is 300 s", "K19 master: no refresh");
	if (state_exists(&scene.vm))
		check_lost_page(&scene);
	scene_close(&scene);
	return tap_end();
}
