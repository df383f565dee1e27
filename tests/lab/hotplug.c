// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Law 5: a CPU of the host goes and comes while a VM's vCPUs run on both. */
#include "host_life.h"
#include "load.h"
#include "scene.h"
#include "tap.h"

#define ROUNDS 5
#define SPAN_MS 30
#define SETTLE_MS 150	/* stock writes again after 100 ms */

/* The most that a TSC is below what it was before, in a second look. */
static uint64_t tsc_back(struct vm *vm, uint64_t *last_gtsc)
{
	uint64_t back = 0, gtsc;
	int i;

	for (i = 0; i < vm->count; i++) {
		gtsc = vcpu_guest_tsc(&vm->vcpu[i]);
		if (gtsc < last_gtsc[i] && last_gtsc[i] - gtsc > back)
			back = last_gtsc[i] - gtsc;
		last_gtsc[i] = gtsc;
	}
	return back;
}

static uint64_t worst_tsc_back(struct scene *scene, struct load_vcpu *sum)
{
	uint64_t last_gtsc[2] = { 0 }, worst = 0, back;
	struct load load;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		load_start(&load, &scene->vm, true);
		host_sleep_ms(SPAN_MS);
		host_set_cpu1_online(false);
		host_sleep_ms(SPAN_MS);
		host_set_cpu1_online(true);
		host_sleep_ms(SPAN_MS);
		load_stop(&load, sum);
		scene_check(scene);
		back = tsc_back(&scene->vm, last_gtsc);
		worst = back > worst ? back : worst;
	}
	return worst;
}

static void check(struct scene *scene)
{
	struct vm *vm = &scene->vm;
	struct load_vcpu sum = { 0 };
	uint64_t back;
	uint32_t writes;

	host_sleep_ms(SETTLE_MS);
	scene_check(scene);
	writes = vcpu_page(&vm->vcpu[0]).version + vcpu_page(&vm->vcpu[1]).version;
	back = worst_tsc_back(scene, &sum);
	writes = vcpu_page(&vm->vcpu[0]).version + vcpu_page(&vm->vcpu[1]).version - writes;
	tap_ok(!scene->pair_ns, "hotplug: no step");
	tap_ok(!writes, "hotplug: no page write");
	tap_ok(!back, "hotplug: TSC not back");
	tap_ok(vcpu_tsc_offset(&vm->vcpu[0]) == vcpu_tsc_offset(&vm->vcpu[1]),
	       "hotplug: TSCs matched");
	tap_ok(scene_is_stable(scene), "hotplug: stable bit on");
	tap_ok(sum.stable && !sum.back, "hotplug: no reading goes back meanwhile");
	tap_figure("hotplug", "step", (long long)scene->pair_ns, "ns");
	tap_figure("hotplug", "page_writes", writes / 2, "writes");
	tap_figure("hotplug", "readings", (long long)sum.stable, "readings");
	tap_figure("hotplug", "readings_back", (long long)sum.back, "readings");
}

int main(void)
{
	static struct scene scene;

	if (!host_set_cpu1_online(true)) {
		tap_skip("one CPU", "hotplug");
		return tap_end();
	}
	scene_open(&scene, 0, 2);
	check(&scene);
	scene_close(&scene);
	return tap_end();
}
