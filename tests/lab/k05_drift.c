// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K5: the guest compares its pages across every kind of update. */
#include <stdio.h>

#include "provoke.h"
#include "tap.h"

#define ROUNDS 2
#define GAP_MS 60
#define VCPUS 3
#define ADJUST_GTSC 123456789ull

static void check(const char *kind, uint32_t khz)
{
	uint64_t worst_ns[PROVOKE_COUNT], worst = 0;
	struct scene scene;
	char figure[48];
	int id;

	scene_open(&scene, khz, VCPUS);
	provoke_all(&scene, ROUNDS, GAP_MS, worst_ns);
	for (id = 0; id < PROVOKE_COUNT; id++) {
		tap_ok(worst_ns[id] == 0, "K5 %s %s: no step", kind, provocation_name[id]);
		snprintf(figure, sizeof(figure), "%s_%s", kind, provocation_name[id]);
		tap_figure("K5", figure, (long long)worst_ns[id], "ns");
		if (worst_ns[id] > worst)
			worst = worst_ns[id];
	}
	tap_ok(scene.pair_ns == 0, "K5 %s: any two pages read the same", kind);
	tap_ok(scene.sum_ns == 0, "K5 %s: steps sum to nothing", kind);
	tap_ok(scene_is_stable(&scene), "K5 %s: stable in the end", kind);
	snprintf(figure, sizeof(figure), "%s_worst_step", kind);
	tap_figure("K5", figure, (long long)worst, "ns");
	snprintf(figure, sizeof(figure), "%s_worst_pair", kind);
	tap_figure("K5", figure, (long long)scene.pair_ns, "ns");
	snprintf(figure, sizeof(figure), "%s_sum", kind);
	tap_figure("K5", figure, (long long)scene.sum_ns, "ns");
	scene_close(&scene);
}

/* The guest moves its TSCs by itself, one after another. */
static void check_adjust(const char *kind, uint32_t khz)
{
	struct scene scene;
	int i;

	scene_open(&scene, khz, VCPUS);
	for (i = 0; i < VCPUS; i++) {
		struct vcpu *vcpu = &scene.vm.vcpu[i];
		uint64_t offset = vcpu_tsc_offset(vcpu);

		vcpu_run(vcpu, GUEST_WRMSR, MSR_TSC_ADJUST, ADJUST_GTSC);
		tap_ok(vcpu_tsc_offset(vcpu) - offset == ADJUST_GTSC,
		       "K5 %s TSC_ADJUST of vCPU %d: its TSC moves by that", kind, i);
		scene_moved(vcpu, ADJUST_GTSC);
		scene_check(&scene);
	}
	tap_ok(!scene.pair_ns, "K5 %s TSC_ADJUST: no step", kind);
	tap_ok(scene_is_stable(&scene), "K5 %s TSC_ADJUST: matched again, and stable", kind);
	scene_close(&scene);
}

int main(void)
{
	check("native", 0);
	check_adjust("native", 0);
	if (host()->scaling) {
		check("scaled", scene_scaled_khz());
		check_adjust("scaled", scene_scaled_khz());
	}
	return tap_end();
}
