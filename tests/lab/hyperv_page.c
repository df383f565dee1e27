// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Hyper-V's reference TSC page and counter are the clock, in units of 100 ns.
 * The page's formula adds two numbers that are each rounded down, so it may be
 * one unit beside the clock's own rounding down; nothing more, nor growing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "scene.h"
#include "tap.h"

#define MSR_GUEST_OS_ID	0x40000000
#define MSR_REFERENCE_TSC 0x40000021
#define GPA 0x9000u
#define UNIT_NS 100
#define READINGS 20
#define GAP_MS 50
#define WALK 200
#define MOVE_MS 20
#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

static const char *kind;
static uint64_t worst_units;	/* page against clock, of all readings */
static uint64_t outside_units;	/* counter against the clock before and after */

static void set_cpuid(struct vcpu *vcpu)
{
	struct vm_cpuid all = vm_cpuid(), own = { .head.nent = 0 };
	uint32_t i;

	for (i = 0; i < all.head.nent; i++)
		if (all.entry[i].function >> 8 != 0x400000)
			vm_cpuid_add(&own, all.entry[i]);
	all.head.nent = VM_CPUID_ENTRIES;
	if (ioctl(host()->kvm, KVM_GET_SUPPORTED_HV_CPUID, &all))
		tap_bail("KVM_GET_SUPPORTED_HV_CPUID");
	for (i = 0; i < all.head.nent; i++)
		vm_cpuid_add(&own, all.entry[i]);
	vcpu_set_cpuid(vcpu, &own);
}

static uint32_t sequence(const struct vm *vm)
{
	const volatile struct guest_hyperv_page *page = (const void *)(vm->mem + GPA);

	return page->sequence;
}

static void open_hyperv(struct scene *scene, uint32_t khz)
{
	struct vm *vm = &scene->vm;
	int i;

	memset(scene, 0, sizeof(*scene));
	vm_open(vm, khz);
	for (i = 0; i < 2; i++)
		set_cpuid(vm_add_vcpu(vm));
	for (i = 0; i < 2; i++)
		vcpu_set_page(&vm->vcpu[i], MSR_CLOCK_NEW);
	vcpu_set_msr(&vm->vcpu[0], MSR_GUEST_OS_ID, 1);
	vcpu_set_msr(&vm->vcpu[0], MSR_REFERENCE_TSC, GPA | 1);
	scene_check(scene);
}

static uint64_t magnitude(uint64_t value)
{
	return (int64_t)value < 0 ? -value : value;
}

/* Of both vCPUs, at one TSC each. */
static bool page_is_clock(struct scene *scene)
{
	int i;

	scene_check(scene);
	for (i = 0; i < scene->vm.count; i++) {
		struct vcpu *vcpu = &scene->vm.vcpu[i];
		const uint64_t *out = vcpu->box->out;
		uint64_t apart;

		vcpu_run(vcpu, GUEST_HYPERV, vcpu_page_gpa(vcpu), GPA);
		if (!out[3])
			return false;
		apart = magnitude(out[2] - out[1] / UNIT_NS);
		if (apart > worst_units)
			worst_units = apart;
		if (apart > 1)
			return false;
	}
	return true;
}

static uint64_t guests_clock(struct vcpu *vcpu)
{
	vcpu_run(vcpu, GUEST_READ, vcpu_page_gpa(vcpu), 0);
	return vcpu->box->out[1] / UNIT_NS;
}

static uint64_t monitors_clock(struct vcpu *vcpu)
{
	return vm_get_clock(vcpu->vm).clock / UNIT_NS;
}

/* Between two readings of the clock. */
static bool counter_is_within(struct vcpu *vcpu, uint64_t (*clock)(struct vcpu *))
{
	uint64_t before = clock(vcpu), count, after, beside;

	vcpu_run(vcpu, GUEST_RDMSR, GUEST_HYPERV_COUNTER, 0);
	count = vcpu->box->out[0];
	after = clock(vcpu);
	if (count >= before && count <= after)
		return true;
	beside = count < before ? before - count : count - after;
	if (beside > outside_units)
		outside_units = beside;
	return false;
}

static bool counter_is_clock(struct vcpu *vcpu)
{
	return counter_is_within(vcpu, guests_clock);
}

static void check_steady(struct scene *scene)
{
	bool page = true, counter = true;
	uint64_t *out = scene->vm.vcpu[0].box->out;
	int i;

	for (i = 0; i < READINGS; i++) {
		page &= page_is_clock(scene);
		counter &= counter_is_clock(&scene->vm.vcpu[0]);
		counter &= counter_is_clock(&scene->vm.vcpu[1]);
		host_sleep_ms(GAP_MS);
	}
	tap_ok(page, "hyperv %s: the page is the clock, over one second", kind);
	tap_ok(counter, "hyperv %s: the counter is the clock, over one second", kind);
	vcpu_run(&scene->vm.vcpu[0], GUEST_HYPERV_WALK, GPA, WALK);
	tap_ok(!out[0], "hyperv %s: neither page nor counter goes back behind the other", kind);
	tap_diag("back %llu times, by %llu units; at most %llu and %llu units on",
		 (unsigned long long)out[0], (unsigned long long)out[1],
		 (unsigned long long)out[2], (unsigned long long)out[3]);
}

/* The stable bit was ended.  A page without it may be behind the clock. */
static void check_withdrawn(struct scene *scene, const char *what)
{
	scene_check(scene);
	tap_ok(!scene_is_stable(scene) && !sequence(&scene->vm),
	       "hyperv %s %s: page withdrawn", kind, what);
	tap_ok(counter_is_within(&scene->vm.vcpu[0], monitors_clock),
	       "hyperv %s %s: the counter is the clock", kind, what);
}

/* It is back. */
static void check_back(struct scene *scene, const char *what)
{
	scene_check(scene);
	tap_ok(page_is_clock(scene), "hyperv %s %s: page back, and the clock", kind, what);
	tap_ok(counter_is_clock(&scene->vm.vcpu[0]), "hyperv %s %s: the counter is the clock", kind,
	       what);
}

static void check_msr(struct scene *scene)
{
	vcpu_set_page(&scene->vm.vcpu[0], MSR_CLOCK_OLD);
	check_withdrawn(scene, "old MSR");
	vcpu_set_page(&scene->vm.vcpu[0], MSR_CLOCK_NEW);
	check_back(scene, "new MSR");
}

static void move_offset(struct vcpu *vcpu, uint64_t delta)
{
	vcpu_set_tsc_offset(vcpu, vcpu_tsc_offset(vcpu) + delta);
}

static void check_offsets(struct scene *scene)
{
	uint64_t delta = (uint64_t)scene->vm.khz * MOVE_MS;

	move_offset(&scene->vm.vcpu[1], delta);
	check_withdrawn(scene, "offset unmatched");
	move_offset(&scene->vm.vcpu[0], delta);
	check_back(scene, "offsets moved");
}

static void check_clock_set(struct scene *scene)
{
	struct kvm_clock_data data = { .clock = vm_get_clock(&scene->vm).clock + 3000000000ull };

	if (vm_ioctl(&scene->vm, KVM_SET_CLOCK, &data))
		tap_bail("KVM_SET_CLOCK");
	check_back(scene, "clock set");
}

static bool set_clocksource(const char *name)
{
	int fd = open(CLOCKSOURCE, O_RDWR);
	char text[32] = "";
	bool is_set;

	if (fd < 0 || write(fd, name, strlen(name)) < 0)
		tap_bail(CLOCKSOURCE);
	is_set = pread(fd, text, sizeof(text) - 1, 0) > 0 && !strncmp(text, name, strlen(name));
	close(fd);
	host_sleep_ms(GAP_MS);
	return is_set;
}

static void check_clocksource(struct scene *scene)
{
	if (!set_clocksource("hpet")) {
		tap_skip("no HPET here", "hyperv %s HPET: page withdrawn", kind);
		return;
	}
	check_withdrawn(scene, "HPET");
	set_clocksource("tsc");
	check_back(scene, "TSC again");
}

static void check(const char *as, uint32_t khz)
{
	struct scene scene;
	char figure[48];

	kind = as;
	worst_units = outside_units = 0;
	open_hyperv(&scene, khz);
	check_steady(&scene);
	check_clock_set(&scene);
	check_msr(&scene);
	check_offsets(&scene);
	check_clocksource(&scene);
	scene_close(&scene);
	snprintf(figure, sizeof(figure), "%s_page_error", kind);
	tap_figure("hyperv", figure, (long long)worst_units * UNIT_NS, "ns");
	snprintf(figure, sizeof(figure), "%s_counter_error", kind);
	tap_figure("hyperv", figure, (long long)outside_units * UNIT_NS, "ns");
}

int main(void)
{
	check("native", 0);
	if (host()->scaling)
		check("scaled", scene_scaled_khz());
	return tap_end();
}
