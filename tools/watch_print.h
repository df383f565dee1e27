/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What watch prints as it comes: lines of text, or JSON objects, doc/schema/watch.json. */
#ifndef KVMCLOCK_WATCH_PRINT_H
#define KVMCLOCK_WATCH_PRINT_H

#include <stdio.h>

#include "watch_model.h"

void watch_print_step(const struct watch_step *step, FILE *to);
void watch_print_vm(struct watch_vm_id vm, bool is_there, FILE *to);
void watch_print_lost(uint64_t events, FILE *to);
/* From here on nothing is missed. */
void watch_print_begin(uint32_t vms, FILE *to);

#endif
