/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What kvmclock_plan() says, by name; and a host's abilities. */
#ifndef KVMCLOCK_PLAN_H
#define KVMCLOCK_PLAN_H

#include "state.h"

enum { POLICIES = 4 };

/* Of KVMCLOCK_LIVE_UPDATE to KVMCLOCK_CLONE; 0 for no policy's name. */
const char *policy_name(uint32_t policy);
uint32_t policy_of(const char *name);

/*
 * Plans, and adds an object of it at the end of the document's array "plans".
 * The plan's verdict is returned.
 */
int document_plan(struct document *doc, const struct kvmclock_state *state,
		  const struct kvmclock_abilities *abilities,
		  const struct kvmclock_request *request, struct kvmclock_plan *plan,
		  struct kvmclock_error *error);
/* One line of such an object. */
void print_plan(struct json_object *plan, FILE *to);
/* The reasons, one a line, under a title if there are any. */
void print_reasons(const char *title, struct json_object *plan, FILE *to);

/* A request that refuses only what cannot be. */
struct kvmclock_request request_any(uint32_t policy);

/* ---- abilities ------------------------------------------------------------ */

/* Of this host, by a small VM of its own; 0, or -1: fail() has said why. */
int abilities_probe(struct kvmclock_abilities *abilities, struct document *doc);
/* Of another one, from the "abilities" of a document that was printed there. */
int abilities_read(const char *path, struct kvmclock_abilities *abilities);
struct json_object *abilities_json(const struct kvmclock_abilities *abilities);
void print_abilities(struct json_object *abilities, FILE *to);
/* A host that lacks nothing, of the state's frequency. */
struct kvmclock_abilities abilities_all(const struct kvmclock_state *state);

#endif
