// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * K15: TSC offsets that differ mean host mode, or with offset_master_clock
 * master mode without the stable bit; the bit comes back with the match, and
 * the clock goes on through it.  As "k15_unmatched+on" it wants the parameter.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "scene.h"
#include "tap.h"

#define VCPUS 3
#define MOVE_MS 20
#define GAP_MS 30
#define ROUNDS 5
#define PARAMETER "/sys/module/kvm/parameters/offset_master_clock"

static struct scene scene;
static bool is_on;
static const char *mode, *kind;

static bool parameter_is_on(void)
{
	FILE *file = fopen(PARAMETER, "r");
	int first = 0;

	if (file) {
		first = fgetc(file);
		fclose(file);
	}
	return first == 'Y';
}

static unsigned int clock_flags(void)
{
	return vm_get_clock(&scene.vm).flags & VM_CLOCK_ALL_FLAGS;
}

static int get_line(int id)
{
	struct pvclock_vcpu_time_info line;

	return vcpu_ioctl(&scene.vm.vcpu[id], KVM_GET_CLOCK_GUEST, &line);
}

static int stable_pages(void)
{
	int i, count = 0;

	for (i = 0; i < VCPUS; i++)
		count += vcpu_page(&scene.vm.vcpu[i]).flags & PVCLOCK_TSC_STABLE_BIT;
	return count;
}

static void move(uint64_t delta)
{
	struct vcpu *vcpu = &scene.vm.vcpu[1];

	vcpu_set_tsc_offset(vcpu, vcpu_tsc_offset(vcpu) + delta);
	scene_moved(vcpu, delta);
}

static void check_unmatched(void)
{
	int i, lines = 0;

	scene_check(&scene);
	tap_ok(!stable_pages(), "K15 %s %s: unmatched, no page is stable", mode, kind);
	tap_ok(clock_flags() == (is_on ? VM_CLOCK_ALL_FLAGS : 0),
	       "K15 %s %s: unmatched, %s mode", mode, kind, is_on ? "master" : "host");
	for (i = 0; host()->line && i < VCPUS; i++)
		lines += get_line(i) == (is_on ? 0 : -EINVAL);
	if (host()->line)
		tap_ok(lines == VCPUS, "K15 %s %s: unmatched, the line %s", mode, kind,
		       is_on ? "is got by all" : "is refused to all");
}

/* vCPU 0 alone enters: no page may be left for a guest to read without the bit. */
static void check_matched(void)
{
	int stable;

	vcpu_fresh_page(&scene.vm.vcpu[0]);
	stable = stable_pages();
	tap_ok(stable == VCPUS, "K15 %s %s: matched, one entry makes all pages stable", mode, kind);
	scene_check(&scene);
	tap_ok(stable_pages() == VCPUS, "K15 %s %s: matched, all pages are stable", mode, kind);
	tap_ok(clock_flags() == VM_CLOCK_ALL_FLAGS, "K15 %s %s: matched, master mode", mode, kind);
}

static void figure(const char *name, uint64_t value, const char *unit)
{
	char text[64];

	snprintf(text, sizeof(text), "%s_%s_%s", mode, kind, name);
	tap_figure("K15", text, (long long)value, unit);
}

static void check(uint32_t khz)
{
	uint64_t delta;
	int round;

	scene_open(&scene, khz, VCPUS);
	delta = (uint64_t)scene.vm.khz * MOVE_MS;
	host_sleep_ms(GAP_MS);
	move(-delta);
	check_unmatched();
	host_sleep_ms(GAP_MS);
	move(delta);
	check_matched();
	for (round = 0; round < ROUNDS; round++) {
		host_sleep_ms(GAP_MS);
		move(round % 2 ? delta : -delta);
		scene_check(&scene);
	}
	move(delta);
	scene_check(&scene);
	tap_ok(!scene.pair_ns, "K15 %s %s: any two pages of a vCPU read the same", mode, kind);
	figure("stable_pages", (uint64_t)stable_pages(), "pages");
	figure("worst_step", scene.pair_ns, "ns");
	scene_close(&scene);
}

int main(int argc, char **argv)
{
	bool wants_on = argc > 0 && strstr(argv[0], "+on");

	is_on = parameter_is_on();
	mode = is_on ? "on" : "off";
	if (wants_on && !is_on) {
		tap_skip("no parameter offset_master_clock", "K15 on");
		return tap_end();
	}
	kind = "native";
	check(0);
	kind = "scaled";
	if (host()->scaling)
		check(scene_scaled_khz());
	return tap_end();
}
