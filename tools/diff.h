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

/* A member as text, "unknown" for null. */
const char *known_in(struct json_object *object, const char *key);

#endif
