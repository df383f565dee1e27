/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the host's kernel traces, counted. */
#ifndef LAB_TRACE_H
#define LAB_TRACE_H

#include <stdbool.h>
#include <stddef.h>

/* event: one of KVM's, or "GROUP/EVENT". */
void trace_enable(const char *event, bool on);
/* Calls of this function of the kernel; NULL: of none. */
void trace_function(const char *name);
/* Where vCPUs' requests for pages are served: in ours, or on stock. */
const char *trace_pass(void);

void trace_forget(void);
/* How often it was traced since. */
int trace_count(const char *event);
/* Lines since then that hold both words. */
int trace_count_lines(const char *word, const char *other);

/* A file of the tracer's, by its name there; the first tells whether it took it. */
bool trace_try_put(const char *file, const char *text, int flags);
void trace_put(const char *file, const char *text);

#endif
