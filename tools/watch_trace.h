/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A tracefs instance of our own with KVM's clock events, and probes for what monitors ask of KVM. */
#ifndef KVMCLOCK_WATCH_TRACE_H
#define KVMCLOCK_WATCH_TRACE_H

#include "watch_reader.h"

struct watch_trace;

/*
 * Begins to trace, in buffers of ring_kb for each CPU.  What runs that were killed left behind is
 * removed first.  NULL when fail() has said why not.
 */
struct watch_trace *watch_trace_open(unsigned int ring_kb);
/* Removes all of it. */
void watch_trace_close(struct watch_trace *trace);
struct watch_reader *watch_trace_reader(struct watch_trace *trace);
/* Are the monitors' ioctls seen?  Without kprobes they are not. */
bool watch_trace_has_ioctls(const struct watch_trace *trace);
/* The trace's clock, now, in ns. */
uint64_t watch_trace_now_ns(const struct watch_trace *trace);
/* Bytes of all buffers; how many runs' leftovers were removed. */
uint64_t watch_trace_ring_bytes(const struct watch_trace *trace);
unsigned int watch_trace_removed(const struct watch_trace *trace);

#endif
