// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "runstate.h"

u64 kc_runstate_left_ns(u64 time_ns[KC_NR_RUNSTATES], u32 state, u64 entry_ns,
			u64 clock_ns, u64 waited_ns)
{
	u64 passed_ns = clock_ns > entry_ns ? clock_ns - entry_ns : 0;
	u64 stolen_ns = 0;

	if (!entry_ns)
		state = KC_OFFLINE;
	if (state == KC_RUNNING)
		stolen_ns = waited_ns < passed_ns ? waited_ns : passed_ns;
	time_ns[KC_RUNNABLE] += stolen_ns;
	time_ns[state] += passed_ns - stolen_ns;
	return entry_ns + passed_ns;
}
