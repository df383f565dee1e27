// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K1: setting Xen's shared_info page writes its wall clock and nothing else. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "provoke.h"
#include "tap.h"

#define WALL_BOUND_NS 50
#define SHIFT_S 3000000000ll
#define XEN_TIME_GPA (VM_CLOCK_GPA + 0x800)	/* no vCPU's clock page is there */

static void check(const char *kind, uint32_t khz)
{
	struct pvclock_vcpu_time_info before, after, line_before, line_after;
	struct scene scene;
	uint64_t step_ns;
	char figure[32];

	scene_open(&scene, khz, 1);
	/* Past what stock does 100 ms after an MSR was written. */
	host_sleep_ms(150);
	before = vcpu_fresh_page(&scene.vm.vcpu[0]);
	if (host()->line && vcpu_ioctl(&scene.vm.vcpu[0], KVM_GET_CLOCK_GUEST, &line_before))
		tap_bail("KVM_GET_CLOCK_GUEST");
	step_ns = provoke(&scene, PROVOKE_XEN, 50);
	after = vcpu_fresh_page(&scene.vm.vcpu[0]);
	tap_ok(!memcmp(&before, &after, sizeof(before)), "K1 %s: page the same to the byte", kind);
	tap_ok(step_ns == 0, "K1 %s: no step", kind);
	snprintf(figure, sizeof(figure), "%s_step", kind);
	tap_figure("K1", figure, (long long)step_ns, "ns");
	if (host()->line) {
		if (vcpu_ioctl(&scene.vm.vcpu[0], KVM_GET_CLOCK_GUEST, &line_after))
			tap_bail("KVM_GET_CLOCK_GUEST");
		tap_ok(!memcmp(&line_before, &line_after, sizeof(line_before)),
		       "K1 %s: line the same", kind);
	} else {
		tap_skip("no line ioctls", "K1 %s: line the same", kind);
	}
	scene_close(&scene);
}

/* A realtime whose seconds need more than 32 bits; once more, and it is as before. */
static void shift_realtime(int64_t seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += seconds;
	if (clock_settime(CLOCK_REALTIME, &now))
		tap_bail("clock_settime");
}

/* The realtime at which the clock was 0, by one reading of both. */
static uint64_t epoch_ns(struct vm *vm)
{
	struct kvm_clock_data data = vm_get_clock(vm);

	if (!(data.flags & KVM_CLOCK_REALTIME))
		tap_bail("KVM_GET_CLOCK has no realtime");
	return data.realtime - data.clock;
}

static void check_wall(const char *layout, bool long_mode, int64_t shift_s)
{
	struct kvm_xen_hvm_attr mode = {
		.type = KVM_XEN_ATTR_TYPE_LONG_MODE, .u.long_mode = long_mode };
	const volatile struct {
		uint32_t version, sec, nsec, sec_hi;
	} *wall;
	const volatile uint32_t *sec_hi;
	uint64_t wall_ns, is_ns;
	char figure[32];
	struct vm vm;

	vm_open_running(&vm, 0, 1);
	wall = (const volatile void *)(vm.clock_mem + (VM_XEN_GPA - VM_CLOCK_GPA) +
				       (long_mode ? 0xc00 : 0x900));
	sec_hi = long_mode ? &wall->sec_hi : &wall->version + 9;
	shift_realtime(shift_s);
	if (vm_ioctl(&vm, KVM_XEN_HVM_SET_ATTR, &mode) || vm_set_xen_page(&vm))
		tap_bail("Xen shared_info");
	is_ns = epoch_ns(&vm);
	shift_realtime(-shift_s);
	wall_ns = ((uint64_t)*sec_hi << 32 | wall->sec) * 1000000000 + wall->nsec;
	is_ns = wall_ns > is_ns ? wall_ns - is_ns : is_ns - wall_ns;
	tap_ok(wall->version && !(wall->version & 1), "K1 %s: version even", layout);
	tap_ok(wall->nsec < 1000000000 && is_ns < WALL_BOUND_NS,
	       "K1 %s: wall clock within %d ns of realtime less clock", layout, WALL_BOUND_NS);
	tap_ok(!*sec_hi == !shift_s, "K1 %s: the seconds' high half", layout);
	snprintf(figure, sizeof(figure), "%s_error", layout);
	tap_figure("K1", figure, (long long)is_ns, "ns");
	vm_close(&vm);
}

/* Both kinds of page in one guest: that it was stopped is told on KVM's, by which it was asked for. */
static void check_stopped(void)
{
	struct kvm_xen_vcpu_attr place = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO, .u.gpa = XEN_TIME_GPA };
	struct vm vm;
	const volatile struct pvclock_vcpu_time_info *xen_page;

	vm_open_running(&vm, 0, 1);
	xen_page = (const volatile void *)(vm.clock_mem + (XEN_TIME_GPA - VM_CLOCK_GPA));
	if (vm_set_xen_page(&vm) || vcpu_ioctl(&vm.vcpu[0], KVM_XEN_VCPU_SET_ATTR, &place))
		tap_bail("Xen's vcpu_time_info");
	vcpu_fresh_page(&vm.vcpu[0]);
	if (vcpu_ioctl(&vm.vcpu[0], KVM_KVMCLOCK_CTRL, NULL))
		tap_bail("KVM_KVMCLOCK_CTRL");
	tap_ok(vcpu_fresh_page(&vm.vcpu[0]).flags & PVCLOCK_GUEST_STOPPED,
	       "K1 stopped: KVM's page says so");
	tap_ok(xen_page->version && !(xen_page->flags & PVCLOCK_GUEST_STOPPED),
	       "K1 stopped: Xen's page does not");
	vm_close(&vm);
}

int main(void)
{
	check("native", 0);
	if (host()->scaling)
		check("scaled", scene_scaled_khz());
	check_wall("wall_32", false, 0);
	check_wall("wall_64", true, 0);
	check_wall("wall_32_late", false, SHIFT_S);
	check_wall("wall_64_late", true, SHIFT_S);
	check_stopped();
	return tap_end();
}
