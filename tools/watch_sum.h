/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What all steps come to, for each VM, and for the document at the end. */
#ifndef KVMCLOCK_WATCH_SUM_H
#define KVMCLOCK_WATCH_SUM_H

#include "watch_model.h"

struct document;
struct watch_sum;

struct watch_sum *watch_sum_new(uint64_t start_ns);
void watch_sum_free(struct watch_sum *sum);
/* A step of a clock or of a TSC offset. */
void watch_sum_add(struct watch_sum *sum, const struct watch_step *step);
/* Into the document: how all steps stand to the budget; each VM's figures; the clock's error over time. */
void watch_sum_document(const struct watch_sum *sum, const struct watch_counts *counts, struct document *doc);

const char *watch_cause_word(enum watch_cause cause);
const char *watch_cause_says(enum watch_cause cause);
/* "PID-FD", or "PID" where the VM of a process is not known. */
const char *watch_vm_name(struct watch_vm_id vm, char text[24]);

#endif
