// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K18: a vCPU that moves between the host's CPUs updates nothing. */
#include "host_life.h"
#include "scene.h"
#include "tap.h"
#include "trace.h"

#define MOVES 1000
#define SETTLE_MS 150	/* stock asks for one more write after 100 ms */

static void check(struct scene *scene)
{
	struct vcpu *vcpu = &scene->vm.vcpu[0];
	uint32_t version;
	int i, updates;

	host_sleep_ms(SETTLE_MS);
	host_run_on(0);
	version = vcpu_fresh_page(vcpu).version;
	trace_function(trace_pass());
	trace_forget();
	for (i = 0; i < MOVES; i++) {
		host_run_on(i % 2);
		vcpu_run(vcpu, GUEST_TSC, 0, 0);
	}
	updates = trace_count_lines(" <-", "");
	trace_function(NULL);
	version = vcpu_page(vcpu).version - version;
	scene_check(scene);
	tap_ok(!updates, "K18: 1000 moves, no request for an update");
	tap_ok(!version, "K18: 1000 moves, no page write");
	tap_ok(!scene->pair_ns, "K18: 1000 moves, no step");
	tap_figure("K18", "requests", updates, "requests");
	tap_figure("K18", "page_writes", version / 2, "writes");
	tap_figure("K18", "step", (long long)scene->pair_ns, "ns");
}

int main(void)
{
	static struct scene scene;

	scene_open(&scene, 0, 2);
	if (host_run_on(1))
		check(&scene);
	else
		tap_skip("one CPU", "K18");
	scene_close(&scene);
	return tap_end();
}
