// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * K9, K16, law 5: the host's clocksource leaves the TSC and comes back while
 * VMs run.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "beside.h"
#include "host_life.h"
#include "load.h"
#include "scene.h"
#include "tap.h"

#define ROUNDS 10
#define STAY_MS 50
#define DISAGREE 50	/* by one part in so many, at most */
#define LOAD_READINGS 300	/* of KVM_GET_CLOCK */

/* Of all changes one way.  open_ns: what the measurement leaves open. */
struct way {
	const char *name;
	bool is_tsc;
	int wrong_stable, wrong_flags, wrong_line, back;
	int64_t page_step_ns, page_back_ns, clock_step_ns, open_ns;
};

static struct scene scene;

static unsigned int clock_flags(void)
{
	return vm_get_clock(&scene.vm).flags & VM_CLOCK_ALL_FLAGS;
}

static int get_line(void)
{
	struct pvclock_vcpu_time_info line;

	return vcpu_ioctl(&scene.vm.vcpu[0], KVM_GET_CLOCK_GUEST, &line);
}

/*
 * The change reaches VMs by way of a work queue, maybe between two vCPUs' readings:
 * once the pages are new, each reads its own, or its step is told of the next change.
 */
static void settle(bool stable)
{
	bool is_new = false;
	int tries;

	for (tries = 0; tries < 30 && !is_new; tries++) {
		is_new = scene_is_stable(&scene) == stable;
		scene_check(&scene);
		if (!is_new)
			host_sleep_ms(10);
	}
}

static void raise(int64_t *worst, int64_t value)
{
	if (value > *worst)
		*worst = value;
}

/* What vCPUs read from the new page beyond the one before, at one TSC. */
static void look_at_pages(struct way *way)
{
	int i;

	raise(&way->page_step_ns, (int64_t)scene.step_ns);
	for (i = 0; i < scene.vm.count; i++)
		raise(&way->page_back_ns, -(int64_t)scene.vm.vcpu[i].box->out[2]);
}

/*
 * When the TSC goes, KVM_GET_CLOCK is compared with the line that was; when it
 * comes back, with the host's CLOCK_MONOTONIC_RAW, which counted meanwhile.
 */
static struct beside other_clock(const struct way *way, const struct pvclock_vcpu_time_info *page)
{
	if (way->is_tsc)
		return beside_get_clock(&scene.vm, CLOCK_MONOTONIC_RAW);
	return beside_page_get_clock(&scene.vm.vcpu[0], page);
}

static void change(struct way *way)
{
	struct pvclock_vcpu_time_info page = vcpu_page(&scene.vm.vcpu[0]);
	struct beside from = other_clock(way, &page), to;
	uint64_t before_ns = vm_get_clock(&scene.vm).clock, after_ns;
	int64_t step_ns;

	scene.step_ns = 0;
	host_set_clocksource(way->name);
	settle(way->is_tsc);
	look_at_pages(way);
	to = other_clock(way, &page);
	after_ns = vm_get_clock(&scene.vm).clock;
	step_ns = llabs(beside_moved_ns(from, to));
	/* The HPET and the TSC disagree on how long that took. */
	if (!way->is_tsc)
		step_ns -= (int64_t)(after_ns - before_ns) / DISAGREE;
	raise(&way->clock_step_ns, step_ns);
	raise(&way->open_ns, from.within_ns + to.within_ns);
	way->wrong_stable += scene_is_stable(&scene) != way->is_tsc;
	way->wrong_flags += clock_flags() != (way->is_tsc ? VM_CLOCK_ALL_FLAGS : 0);
	way->wrong_line += host()->line && get_line() != (way->is_tsc ? 0 : -EINVAL);
	way->back += after_ns < before_ns;
}

static void figure(const struct way *way, const char *what, long long value)
{
	char name[64];

	snprintf(name, sizeof(name), "to_%s_%s", way->name, what);
	tap_figure("clocksource", name, value, "ns");
}

static void tell(const struct way *way)
{
	tap_ok(!way->wrong_stable, "clocksource to %s: stable bit %s", way->name,
	       way->is_tsc ? "on" : "off");
	tap_ok(!way->wrong_flags, "clocksource to %s: KVM_GET_CLOCK has %s flags", way->name,
	       way->is_tsc ? "all three" : "no");
	if (host()->line)
		tap_ok(!way->wrong_line, "clocksource to %s: %s line to get", way->name,
		       way->is_tsc ? "a" : "no");
	tap_ok(!way->back, "clocksource to %s: KVM_GET_CLOCK does not go back", way->name);
	tap_ok(way->clock_step_ns < 1000, "clocksource to %s: KVM_GET_CLOCK has no step",
	       way->name);
	figure(way, "clock_step", way->clock_step_ns);
	figure(way, "clock_step_open", way->open_ns);
	figure(way, "page_step", way->page_step_ns);
	/* A sample may be ahead of the raw base, from which the line goes on. */
	figure(way, "page_back", way->page_back_ns);
}

static void check_ways(void)
{
	struct way away = { .name = "hpet" }, home = { .name = "tsc", .is_tsc = true };
	int i;

	scene_open(&scene, 0, 2);
	for (i = 0; i < ROUNDS; i++) {
		host_sleep_ms(STAY_MS);
		change(&away);
		host_sleep_ms(STAY_MS);
		change(&home);
	}
	tell(&away);
	/* One for the floor: another point of the same line. */
	tap_ok(away.page_step_ns <= 1, "clocksource to hpet: the guest's page has no step");
	tell(&home);
	scene_close(&scene);
}

/* ---- under load ---- */

static void *toggle(void *arg)
{
	const struct load *load = arg;

	while (!load->is_over) {
		host_set_clocksource("hpet");
		host_sleep_ms(30);
		host_set_clocksource("tsc");
		host_sleep_ms(30);
	}
	return NULL;
}

struct seen {
	int none, some, all;
	uint64_t last_ns, worst_back_ns;
};

static void read_clock(struct seen *seen)
{
	struct kvm_clock_data data = vm_get_clock(&scene.vm);
	unsigned int flags = data.flags & VM_CLOCK_ALL_FLAGS;

	seen->none += !flags;
	seen->all += flags == VM_CLOCK_ALL_FLAGS;
	seen->some += flags && flags != VM_CLOCK_ALL_FLAGS;
	if (data.clock < seen->last_ns && seen->last_ns - data.clock > seen->worst_back_ns)
		seen->worst_back_ns = seen->last_ns - data.clock;
	seen->last_ns = data.clock;
}

static void check_under_load(void)
{
	struct load_vcpu sum = { 0 };
	struct seen seen = { 0 };
	struct load load;
	pthread_t thread;
	int i;

	scene_open(&scene, 0, 2);
	/* What a page without the bit showed must be past before one with it is. */
	load_start(&load, &scene.vm, true);
	if (pthread_create(&thread, NULL, toggle, &load))
		tap_bail("pthread_create");
	for (i = 0; i < LOAD_READINGS; i++) {
		read_clock(&seen);
		host_sleep_ms(5);
	}
	load_stop(&load, &sum);
	pthread_join(thread, NULL);
	scene_close(&scene);
	tap_ok(!seen.some, "clocksource under load: three flags or none");
	tap_ok(seen.all && seen.none, "clocksource under load: both were seen");
	tap_ok(!seen.worst_back_ns, "clocksource under load: KVM_GET_CLOCK does not go back");
	tap_ok(sum.stable && !sum.back, "clocksource under load: no guest reads back");
	tap_figure("clocksource", "load_get_clock_back", (long long)seen.worst_back_ns, "ns");
	tap_figure("clocksource", "load_readings", (long long)sum.stable, "readings");
	tap_figure("clocksource", "load_readings_back", (long long)sum.back, "readings");
	tap_figure("clocksource", "load_worst_back", (long long)sum.worst_back_ns, "ns");
}

int main(void)
{
	if (!host_set_clocksource("hpet")) {
		tap_skip("no HPET", "clocksource");
		return tap_end();
	}
	host_set_clocksource("tsc");
	check_ways();
	check_under_load();
	return tap_end();
}
