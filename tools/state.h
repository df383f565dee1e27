/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Saved states, for the verbs that read them: what is in one, by name. */
#ifndef KVMCLOCK_STATE_H
#define KVMCLOCK_STATE_H

#include <kvmclock.h>

#include "tool.h"

/* A state of KVMCLOCK_VCPUS_MAX vCPUs, and as much again of later versions' records. */
#define STATE_BYTES_MAX (8u << 20)

struct saved {
	const char *path;
	uint8_t *bytes;		/* as in the file; what is unknown in the state is in them */
	size_t length;
	struct kvmclock_vcpu *vcpus;
	struct kvmclock_state state;
};

/* 0, or -1: fail() has said why, and the document has it under "error". */
int saved_read(const char *path, struct saved *saved, struct document *doc);
void saved_free(struct saved *saved);

/* Room for vCPUs; 0 or -1, as above. */
int saved_room(struct saved *saved, uint32_t vcpus, struct document *doc);

/* A code of the library's, told on stderr and in the document; -1. */
int library_failed(struct document *doc, const char *thing, const struct kvmclock_error *error);
const char *code_name(int code);

/* ---- fields, by their names in doc/format.md ------------------------------ */

enum field_type { FIELD_U32, FIELD_I32, FIELD_U64, FIELD_I64, FIELD_U64_OR_UNKNOWN };

struct field {
	const char *name;
	size_t offset;
	enum field_type type;
	const char *unit;
	const char *meaning;
	uint32_t of_state, of_vcpu;	/* flags without which it says nothing */
};

extern const struct field state_fields[], vcpu_fields[];	/* end in a NULL name */

/* In 64 bits, signed ones extended. */
uint64_t field_value(const struct field *field, const void *of);
/* NULL, JSON's null, where the value stands for unknown. */
struct json_object *field_json(const struct field *field, const void *of);

/* Bits by name, those without one as their number. */
struct named_bit {
	uint32_t bit;
	const char *name, *meaning;
};
extern const struct named_bit state_flags[], vcpu_flags[];	/* end in a NULL name */
struct json_object *bits_json(uint32_t bits, const struct named_bit *names);

const char *source_name(uint32_t source);
/* KVMCLOCK_SOURCE_*, or -1. */
int source_of(const char *name);

/* The document's object KEY: the state with all of its vCPUs. */
void document_state(struct document *doc, const char *key, const struct saved *saved);
/* ... as text. */
void print_state(struct json_object *state, FILE *to);

/* ---- what a state says of an instant -------------------------------------- */

/* A vCPU's TSC at the host's TSC; without a host TSC, the one saved at the reading. */
uint64_t gtsc_at(const struct kvmclock_state *state, uint32_t vcpu, uint64_t htsc);
/* The line, as a guest reads it. */
uint64_t line_at_ns(const struct kvmclock_state *state, uint64_t gtsc);
/* By how many ppb b is above a, rounded away from 0; neither is 0, both are below 2^96. */
int64_t apart_ppb(unsigned __int128 a, unsigned __int128 b);

/* A figure of 64 bits without a sign; KVMCLOCK_UNKNOWN, or too great, is none, for why. */
struct json_object *figure_u64(struct document *doc, const char *name, uint64_t value,
			       const char *unit, const char *meaning, const char *why);

#endif
