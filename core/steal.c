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
