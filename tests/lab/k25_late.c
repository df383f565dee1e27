// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K25: a vCPU that has run gets another frequency: TSC and clock go on. */
#include <stdio.h>

#include "measure.h"
#include "scene.h"
#include "tap.h"

#define RUN_MS 30
#define BOUND_CYCLES 100000
#define SVM_RUNS 10

/* On hardware that cannot scale the law of another TSC is not known, and so no step. */
static bool is_off(const struct measure_late_khz *late, bool is_known)
{
	return late->error || late->back_cycles || late->jump_cycles >= BOUND_CYCLES ||
	       late->clock_back_ns || (is_known && late->clock_step_ns);
}

/*
 * Where the machine's other work comes between the readings, what it takes hides a
 * jump: there it is done again, until something is seen.
 */
static struct measure_late_khz measure(uint32_t from_khz, uint32_t to_khz)
{
	struct measure_late_khz late = measure_late_khz(from_khz, to_khz, RUN_MS);
	int i;

	for (i = 1; host()->svm && i < SVM_RUNS && !is_off(&late, from_khz == to_khz); i++)
		late = measure_late_khz(from_khz, to_khz, RUN_MS);
	return late;
}

static void check(const char *kind, uint32_t from_khz, uint32_t to_khz)
{
	struct measure_late_khz late = measure(from_khz, to_khz);
	char figure[64];

	tap_ok(!late.error, "K25 %s: set", kind);
	tap_ok(late.back_cycles == 0, "K25 %s: TSC not back", kind);
	tap_ok(late.jump_cycles < BOUND_CYCLES, "K25 %s: TSC not ahead", kind);
	snprintf(figure, sizeof(figure), "%s_tsc_back", kind);
	tap_figure("K25", figure, (long long)late.back_cycles, "cycles");
	snprintf(figure, sizeof(figure), "%s_tsc_jump", kind);
	tap_figure("K25", figure, (long long)late.jump_cycles, "cycles");
	tap_diag("from %u to %u kHz: %llu cycles from reading to reading", from_khz, to_khz,
		 (unsigned long long)late.forward_cycles);
	tap_ok(late.clock_back_ns == 0, "K25 %s: clock not back", kind);
	if (!host()->scaling && from_khz != to_khz)
		return;
	tap_ok(late.clock_step_ns == 0, "K25 %s: clock goes on", kind);
	snprintf(figure, sizeof(figure), "%s_clock_step", kind);
	tap_figure("K25", figure, (long long)late.clock_step_ns, "ns");
	/* Every instruction is a tick there, so the way itself fits the bound. */
	if (host()->scaling)
		tap_ok(late.forward_cycles < BOUND_CYCLES,
		       "K25 %s: next TSC within 100000 cycles", kind);
}

int main(void)
{
	uint32_t khz = host()->khz;

	check("same", khz, khz);
	if (host()->scaling) {
		check("slower", khz, scene_scaled_khz());
		check("faster", khz, khz / 2 * 3);
		check("home", khz * 2, khz);
	} else {
		check("catch-up", khz, khz / 2 * 3);
	}
	return tap_end();
}
