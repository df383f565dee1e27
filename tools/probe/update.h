/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A live update by libkvmclock, on one host, and what the guests saw of it. */
#ifndef PROBE_UPDATE_H
#define PROBE_UPDATE_H

#include "monitor.h"

struct update {
	int64_t step_ns;	/* the new guest beyond the old one, at one host TSC */
	int64_t stated_ns, stated_error_ns;	/* what the library says of it */
	uint64_t tsc_step_cycles;	/* of all vCPUs, as magnitudes */
	uint32_t tier, tries;
	bool same_page;		/* bit for bit, but version and flags */
};

/* Of a VM of count vCPUs at khz (0: the host's); settled as for monitor_move(). */
struct update update(uint32_t khz, int count, bool settled, const struct kvmclock_request *request);

#endif
