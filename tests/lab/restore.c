// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A clock restored on a second VM: by KVM_SET_CLOCK, and by the line. */
#include <stdio.h>

#include "measure.h"
#include "scene.h"
#include "tap.h"

#define TRIES 10
#define BOUND_NS 50

static void check(const char *kind, uint32_t khz)
{
	uint64_t by_set_clock = measure_restore_by_set_clock(khz, TRIES);
	int64_t by_line = measure_restore_by_line(khz);
	char figure[32];

	tap_ok(by_set_clock < BOUND_NS, "restore %s: by KVM_SET_CLOCK under 50 ns", kind);
	snprintf(figure, sizeof(figure), "%s_by_set_clock", kind);
	tap_figure("restore", figure, (long long)by_set_clock, "ns");
	if (by_line < 0) {
		tap_skip("no line ioctls", "restore %s: by the line 0 ns", kind);
		return;
	}
	tap_ok(by_line == 0, "restore %s: by the line 0 ns", kind);
	snprintf(figure, sizeof(figure), "%s_by_line", kind);
	tap_figure("restore", figure, (long long)by_line, "ns");
}

int main(void)
{
	check("native", 0);
	if (host()->scaling)
		check("scaled", scene_scaled_khz());
	return tap_end();
}
