/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the watcher prints. */
#ifndef VMM_WATCH_PRINT_H
#define VMM_WATCH_PRINT_H

#include "watch.h"

void watch_fail(const char *what) __attribute__((noreturn));
void watch_print_start(const struct watch *watch);
void watch_print_step(const struct seen *seen, int64_t step_ns, int64_t off_ns, uint64_t gap_gtsc);
void watch_print_sum(const struct watch *watch, const char *word, double seconds);

#endif
