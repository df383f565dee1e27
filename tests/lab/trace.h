/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* KVM's tracepoints, counted. */
#ifndef LAB_TRACE_H
#define LAB_TRACE_H

#include <stdbool.h>

void trace_enable(const char *event, bool on);
void trace_forget(void);
/* How often it was traced since. */
int trace_count(const char *event);

#endif
