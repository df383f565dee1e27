/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the parts of the verb share. */
#ifndef KVMCLOCK_WATCH_VERB_H
#define KVMCLOCK_WATCH_VERB_H

#include "watch_sum.h"
#include "watch_trace.h"
#include "watch_vms.h"

struct watch {
	struct watch_trace *trace;
	struct watch_model *model;
	struct watch_vms *vms;
	struct watch_sum *sum;
	uint64_t start_ns, lost;
};

uint64_t watch_now_ns(void);
/* What all of it came to. */
void watch_fill_in(const struct watch *watch, struct document *doc);

#endif
