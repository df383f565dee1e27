/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the kernel's ring buffers hold, one for each CPU, as events in the order of their times. */
#ifndef KVMCLOCK_WATCH_READER_H
#define KVMCLOCK_WATCH_READER_H

#include <stddef.h>

#include "watch_model.h"

struct tep_handle;
struct tracefs_cpu;
struct watch_reader;

/*
 * The events are those that tep knows the format of; ioctls are those of the system
 * named, or NULL.  Takes over cpus, an array from malloc, and each of it; not tep.
 */
struct watch_reader *watch_reader_new(struct tep_handle *tep, const char *ioctls,
				      struct tracefs_cpu **cpus, int count);
void watch_reader_free(struct watch_reader *reader);

/*
 * The next events, up to until_ns of the trace's clock: what is later may have other events
 * before it that are not there yet, and is kept.  They are valid until the next call.  *more: not
 * all that is there was read, call again.
 */
size_t watch_reader_read(struct watch_reader *reader, uint64_t until_ns, const struct watch_event **events,
			 bool *more);
/* Events that were overwritten before they were read, as the buffers tell. */
uint64_t watch_reader_lost(const struct watch_reader *reader);

#endif
