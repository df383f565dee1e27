// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K27: zero, over provocations, round trips and restores together. */
#include <stdio.h>

#include "measure.h"
#include "provoke.h"
#include "tap.h"

#define TRIPS 100
#define GAP_MS 50

static uint64_t worst_ns, total_ns;

static void add(uint64_t ns)
{
	total_ns += ns;
	if (ns > worst_ns)
		worst_ns = ns;
}

/* Get and set, the guest looking on. */
static void round_trips(struct scene *scene)
{
	struct vcpu *vcpu = &scene->vm.vcpu[0];
	struct pvclock_vcpu_time_info line;
	int i;

	for (i = 0; i < TRIPS; i++) {
		if (vcpu_ioctl(vcpu, KVM_GET_CLOCK_GUEST, &line) ||
		    vcpu_ioctl(vcpu, KVM_SET_CLOCK_GUEST, &line))
			tap_bail("a round trip of the line");
	}
	scene_check(scene);
}

static void check(const char *kind, uint32_t khz)
{
	uint64_t each_ns[PROVOKE_COUNT];
	struct scene scene;
	char figure[32];

	worst_ns = total_ns = 0;
	scene_open(&scene, khz, 3);
	provoke_all(&scene, 1, GAP_MS, each_ns);
	if (host()->line)
		round_trips(&scene);
	worst_ns = scene.pair_ns;
	total_ns = scene.sum_ns;
	scene_close(&scene);
	if (host()->line)
		add((uint64_t)measure_restore_by_line(khz));
	add(measure_get_clock(khz, 5, 100, NULL).worst_ns);
	tap_ok(worst_ns == 0, "K27 %s: the worst is 0 ns", kind);
	tap_ok(total_ns == 0, "K27 %s: the total is 0 ns", kind);
	snprintf(figure, sizeof(figure), "%s_worst", kind);
	tap_figure("K27", figure, (long long)worst_ns, "ns");
	snprintf(figure, sizeof(figure), "%s_total", kind);
	tap_figure("K27", figure, (long long)total_ns, "ns");
}

int main(void)
{
	check("native", 0);
	if (host()->scaling)
		check("scaled", scene_scaled_khz());
	return tap_end();
}
