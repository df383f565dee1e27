// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * K30: the host sleeps with VMs alive; afterwards each gets one more vCPU.  On
 * amd the TSC goes on through the sleep.  On intel it restarts at 0, if booted
 * with "clearcpuid=tsc_adjust": else the kernel restores it, before KVM looks.
 */
#include <stdio.h>
#include <stdlib.h>

#include "beside.h"
#include "host_life.h"
#include "measure.h"
#include "scene.h"
#include "state.h"
#include "tap.h"

#define ASLEEP_S 5
#define VCPUS 2
/*
 * The host learns how long it slept from a clock that counts seconds, and
 * corrects one sleep's error by the next: its own clock is off by so much.
 */
#define WHOLE_SECONDS_NS 2500000000
#define BOUND_NS 10000	/* where the VM's clock goes by the host's */

struct subject {
	const char *kind;
	struct scene scene;
	struct beside get_clock, page;
	uint64_t gtsc[VCPUS];
};

static bool restarted;

static void look_before(struct subject *s)
{
	int i;

	host_sleep_ms(150);
	scene_check(&s->scene);
	s->scene.pair_ns = 0;
	s->get_clock = beside_get_clock(&s->scene.vm, CLOCK_BOOTTIME);
	s->page = beside_page(&s->scene.vm.vcpu[0], CLOCK_BOOTTIME);
	for (i = 0; i < VCPUS; i++)
		s->gtsc[i] = vcpu_guest_tsc(&s->scene.vm.vcpu[i]);
}

static void figure(const struct subject *s, const char *what, long long value, const char *unit)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%s", s->kind, what);
	tap_figure("K30", name, value, unit);
}

static void tell_clock(const struct subject *s, const char *what, struct beside from,
		       struct beside to)
{
	int64_t error_ns = beside_moved_ns(from, to);
	char name[64];

	tap_ok(llabs(error_ns) < (restarted ? BOUND_NS : WHOLE_SECONDS_NS),
	       "K30 %s: %s goes on by the time asleep", s->kind, what);
	snprintf(name, sizeof(name), "%s_against_host", what);
	figure(s, name, error_ns, "ns");
}

/* The most that a vCPU's TSC is below or above what it was, in guest ticks. */
static void check_tscs(struct subject *s)
{
	uint64_t second_gtsc = s->scene.vm.khz * 1000ull;
	int64_t back = 0, ahead = 0, gone;
	int i;

	for (i = 0; i < VCPUS; i++) {
		gone = (int64_t)(vcpu_guest_tsc(&s->scene.vm.vcpu[i]) - s->gtsc[i]);
		back = -gone > back ? -gone : back;
		ahead = gone > ahead ? gone : ahead;
	}
	tap_ok(!back, "K30 %s: no TSC goes back", s->kind);
	if (restarted)
		tap_ok((uint64_t)ahead < second_gtsc, "K30 %s: TSCs go on from where they were",
		       s->kind);
	figure(s, "tsc_back", back, "cycles");
	figure(s, "tsc_gone", ahead, "cycles");
}

static void check_matched(struct subject *s)
{
	struct vm *vm = &s->scene.vm;
	struct vcpu *added = vm_add_vcpu(vm);
	int64_t apart_ns;
	int i, unmatched = 0;

	vcpu_set_page(added, MSR_CLOCK_NEW);
	for (i = 1; i < vm->count; i++)
		unmatched += vcpu_tsc_offset(&vm->vcpu[i]) != vcpu_tsc_offset(&vm->vcpu[0]);
	tap_ok(!unmatched, "K30 %s: TSCs matched, a new vCPU's too", s->kind);
	apart_ns = measure_apart_ns(&vm->vcpu[0], added);
	tap_ok(!apart_ns, "K30 %s: a new vCPU reads the same clock", s->kind);
	figure(s, "unmatched", unmatched, "vCPUs");
	figure(s, "new_vcpu_apart", apart_ns, "ns");
}

/* A TSC that went on is trusted further, one that restarted never again. */
static void check_mode(struct subject *s)
{
	bool stable;

	scene_check(&s->scene);
	stable = scene_is_stable(&s->scene);
	tap_ok(stable == !restarted, "K30 %s: stable bit %s", s->kind, restarted ? "off" : "on");
	if (!restarted) {
		tap_ok(!s->scene.pair_ns, "K30 %s: no step", s->kind);
		figure(s, "step", (long long)s->scene.pair_ns, "ns");
	}
	if (state_exists(&s->scene.vm))
		tap_ok(state_is(&s->scene.vm, "reasons", restarted ? "tsc_backwards" : "none"),
		       "K30 %s: the reason is told", s->kind);
}

/* KVM_GET_CLOCK first, before any vCPU runs. */
static void look_after(struct subject *s)
{
	struct vm *vm = &s->scene.vm;

	tell_clock(s, "KVM_GET_CLOCK", s->get_clock, beside_get_clock(vm, CLOCK_BOOTTIME));
	vcpu_fresh_page(&vm->vcpu[0]);
	tell_clock(s, "page", s->page, beside_page(&vm->vcpu[0], CLOCK_BOOTTIME));
	check_tscs(s);
	check_matched(s);
	check_mode(s);
	scene_close(&s->scene);
}

int main(void)
{
	static struct subject native = { .kind = "native" }, scaled = { .kind = "scaled" };
	uint64_t slept_ns, htsc;

	scene_open(&native.scene, 0, VCPUS);
	if (host()->scaling)
		scene_open(&scaled.scene, scene_scaled_khz(), VCPUS);
	look_before(&native);
	if (host()->scaling)
		look_before(&scaled);
	slept_ns = host_clock_ns(CLOCK_BOOTTIME);
	htsc = host_tsc();
	if (!host_suspend(ASLEEP_S)) {
		tap_skip("the host cannot sleep", "K30");
		return tap_end();
	}
	restarted = host_tsc() < htsc;
	slept_ns = host_clock_ns(CLOCK_BOOTTIME) - slept_ns;
	tap_figure("K30", "host_clock_gone", (long long)slept_ns, "ns");
	tap_figure("K30", "host_tsc_gone", (long long)(host_tsc() - htsc), "ticks");
	look_after(&native);
	if (host()->scaling)
		look_after(&scaled);
	return tap_end();
}
