/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the parts of kvmclock guest share. */
#ifndef KVMCLOCK_GUEST_VERB_H
#define KVMCLOCK_GUEST_VERB_H

#include "tool.h"

#define GUEST_NS_PER_S 1000000000ll

/* A figure: judged when its magnitude passes budget + what is not known of it. */
struct guest_figure {
	const char *name, *unit, *meaning;
	const char *source;		/* a label, or NULL */
	uint64_t uncertainty;
	bool judged;
};

void guest_figure(struct document *doc, const struct guest_figure *figure, int64_t value);
void guest_no_figure(struct document *doc, const struct guest_figure *figure, const char *why);

/* Clock and TSC for so many seconds; the verb has found that it is a guest. */
void guest_watch(struct document *doc, unsigned int seconds);
/* The guest's realtime against the host's, where a device tells that. */
void guest_ptp(struct document *doc);
void guest_vmclock(struct document *doc);

#endif
