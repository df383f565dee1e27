// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "steal.h"

static u64 smaller(u64 a, u64 b)
{
	return a < b ? a : b;
}

u64 kc_thread_waited_ns(struct kc_thread *seen, struct kc_thread now)
{
	struct kc_thread was = *seen;

	*seen = now;
	if (!was.id || was.id != now.id || was.run_delay_ns > now.run_delay_ns)
		return 0;
	return now.run_delay_ns - was.run_delay_ns;
}

u64 kc_steal_ns(u64 shown_ns, u64 waited_ns, s64 passed_ns)
{
	u64 most_ns = smaller(~shown_ns, passed_ns > 0 ? passed_ns : 0);

	return shown_ns + smaller(waited_ns, most_ns);
}

void kc_runstate_entered(struct kc_runstate *r, u32 state, u64 clock_ns,
			 u64 waited_ns)
{
	u64 passed_ns = clock_ns > r->entry_ns ? clock_ns - r->entry_ns : 0;
	u64 stolen_ns = 0;

	if (!r->entry_ns)
		r->state = KC_OFFLINE;
	if (r->state == KC_RUNNING)
		stolen_ns = smaller(waited_ns, passed_ns);
	r->time_ns[KC_RUNNABLE] += stolen_ns;
	r->time_ns[r->state] += passed_ns - stolen_ns;
	r->entry_ns += passed_ns;
	r->state = state;
}
