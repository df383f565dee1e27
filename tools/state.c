// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "state.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"

#define CODE(name) [-KVMCLOCK_E_##name] = "KVMCLOCK_E_" #name

static const char *const code_names[] = {
	"0", CODE(SIZE), CODE(ARGUMENT), CODE(ORDER), CODE(SYSTEM), CODE(UNABLE), CODE(MOVING),
	CODE(ROOM), CODE(BUDGET_STEP), CODE(BUDGET_TSC), CODE(BUDGET_RATE), CODE(BUDGET_TIER),
	CODE(BACKWARDS), CODE(OTHER_HOST), CODE(FREQUENCY), CODE(RATIO), CODE(TRUNCATED),
	CODE(MAGIC), CODE(VERSION), CODE(CHECKSUM), CODE(FORMAT), CODE(INCOMPLETE),
};

const char *code_name(int code)
{
	int last = (int)(sizeof(code_names) / sizeof(*code_names)) - 1;

	return code <= 0 && code >= -last ? code_names[-code] : "?";
}

int library_failed(struct document *doc, const char *thing, const struct kvmclock_error *error)
{
	struct json_object *object = json_object_new_object();
	const char *says = kvmclock_strerror(error->code);

	object_int(object, "code", error->code);
	object_text(object, "name", code_name(error->code));
	object_text(object, "says", says);
	object_text(object, "advice", error->advice);
	object_text(object, "call", error->call);
	object_int(object, "errno", error->sys_errno);
	json_object_object_add(document_json(doc), "error", object);
	if (error->call)
		return fail(thing, "%s: %s: %s: %s", says, error->call, strerror(error->sys_errno),
			    error->advice);
	return fail(thing, "%s (%s): %s", says, code_name(error->code), error->advice);
}

int saved_room(struct saved *saved, uint32_t vcpus, struct document *doc)
{
	struct kvmclock_error error = { .size = sizeof(error), .code = KVMCLOCK_E_ROOM };

	saved->vcpus = calloc(vcpus ? vcpus : 1, sizeof(*saved->vcpus));
	if (!saved->vcpus) {
		error.advice = "there is no memory for so many vCPUs";
		return library_failed(doc, saved->path, &error);
	}
	saved->state = (struct kvmclock_state) {
		.size = sizeof(saved->state), .vcpus = saved->vcpus, .vcpu_room = vcpus,
	};
	return 0;
}

/* Only the library looks into the bytes. */
int saved_read(const char *path, struct saved *saved, struct document *doc)
{
	struct kvmclock_error error = { .size = sizeof(error) };
	int vcpus;

	*saved = (struct saved) { .path = strcmp(path, "-") ? path : "stdin" };
	saved->bytes = file_read(path, STATE_BYTES_MAX, &saved->length);
	if (!saved->bytes)
		return -1;
	vcpus = kvmclock_encoded_vcpus(saved->bytes, saved->length, &error);
	if (vcpus < 0)
		return library_failed(doc, saved->path, &error);
	if (saved_room(saved, (uint32_t)vcpus, doc))
		return -1;
	if (kvmclock_decode(saved->bytes, saved->length, &saved->state, &error))
		return library_failed(doc, saved->path, &error);
	return 0;
}

void saved_free(struct saved *saved)
{
	free(saved->vcpus);
	free(saved->bytes);
}

uint64_t gtsc_at(const struct kvmclock_state *state, uint32_t vcpu, uint64_t htsc)
{
	const struct kvmclock_vcpu *v = &state->vcpus[vcpu];
	unsigned __int128 product = (unsigned __int128)htsc * v->tsc_ratio;

	if (!(state->flags & KVMCLOCK_STATE_HOST_TSC))
		return v->tsc_gtsc;
	return (uint64_t)(product >> state->frac_bits) + v->tsc_offset_gtsc;
}

uint64_t line_at_ns(const struct kvmclock_state *state, uint64_t gtsc)
{
	uint64_t ticks = gtsc - state->line_gtsc;
	int shift = state->line_shift;

	ticks = shift < 0 ? ticks >> -shift : ticks << shift;
	return state->line_ns + (uint64_t)((unsigned __int128)ticks * state->line_mul >> 32);
}

int64_t apart_ppb(unsigned __int128 a, unsigned __int128 b)
{
	unsigned __int128 beyond = b > a ? b - a : a - b;
	unsigned __int128 ppb = (beyond * 1000000000 + a - 1) / a;

	if (ppb > INT64_MAX)
		ppb = INT64_MAX;
	return b > a ? (int64_t)ppb : -(int64_t)ppb;
}

struct json_object *figure_u64(struct document *doc, const char *name, uint64_t value,
			       const char *unit, const char *meaning, const char *why)
{
	if (value > INT64_MAX)
		return document_no_figure(doc, name, unit, meaning,
					  value == KVMCLOCK_UNKNOWN ? why : "it is above 2^63 - 1");
	return document_figure(doc, name, (int64_t)value, unit, meaning, NULL);
}
