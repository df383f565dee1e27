// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K1: setting Xen's shared_info page writes its wall clock and nothing else. */
#include <stdio.h>
#include <string.h>

#include "provoke.h"
#include "tap.h"

static void check(const char *kind, uint32_t khz)
{
	struct pvclock_vcpu_time_info before, after, line_before, line_after;
	const volatile uint32_t *wall;
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
	wall = (const volatile void *)(scene.vm.clock_mem + (VM_XEN_GPA - VM_CLOCK_GPA) + 0x900);
	tap_ok(wall[0] && !(wall[0] & 1) && wall[1], "K1 %s: wall clock written", kind);
	scene_close(&scene);
}

int main(void)
{
	check("native", 0);
	if (host()->scaling)
		check("scaled", scene_scaled_khz());
	return tap_end();
}
