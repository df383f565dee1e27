/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The verb diff: the fields that differ, apart from what they come to. */
#ifndef KVMCLOCK_DIFF_H
#define KVMCLOCK_DIFF_H

#include "state.h"

/* So many vCPUs both have. */
uint32_t common_vcpus(const struct kvmclock_state *a, const struct kvmclock_state *b);

/* The document's arrays "differences", and how many are in it no more. */
void diff_fields(struct document *doc, const struct kvmclock_state *a, const struct kvmclock_state *b);
/* ... of a document, as text. */
void print_differences(struct json_object *document, FILE *to);

/* A step is good, beyond the budget, or back; known to uncertainty, it may not be to be told. */
void judge_step(struct document *doc, const char *id, const char *what, const char *unit,
		int64_t step, uint64_t uncertainty, uint64_t budget);
/* Beyond --budget-ppb it is told. */
void judge_rate(struct document *doc, const char *id, const char *what, int64_t ppb);

/* A member as text, "unknown" for null. */
const char *known_in(struct json_object *object, const char *key);

#endif
