// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "steal.h"

/* By so much, as a part of 1, the clocks of a guest and its host never differ. */
#define CLOCKS_DIFFER_SHR	6

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

/* A step back is growth by nearly 2^64, which no time that passed allows. */
static u64 believable_ns(u64 grown_ns, u64 passed_ns)
{
	if (grown_ns <= passed_ns)
		return grown_ns;
	return grown_ns - passed_ns <= passed_ns >> CLOCKS_DIFFER_SHR ? passed_ns : 0;
}

u64 kc_steal_record_read_ns(struct kc_steal_view *view, u64 record_ns, u64 clock_ns)
{
	struct kc_steal_view was = *view;
	s64 passed_ns = clock_ns - was.clock_ns;

	if (!was.is_begun)
		was.shown_ns = record_ns;
	else if (passed_ns > 0)
		was.shown_ns += believable_ns(record_ns - was.record_ns, passed_ns);
	*view = (struct kc_steal_view){ true, record_ns, clock_ns, was.shown_ns };
	return was.shown_ns;
}
