// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A state's fields, by name, unit and meaning: as JSON and as text. */
#include "state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OF_STATE(name, member, type, unit, flag, meaning) \
	{ name, offsetof(struct kvmclock_state, member), FIELD_##type, unit, meaning, flag, 0 }
#define OF_VCPU(name, member, type, unit, state_flag, flag, meaning) \
	{ name, offsetof(struct kvmclock_vcpu, member), FIELD_##type, unit, meaning, state_flag, flag }

const struct field state_fields[] = {
	OF_STATE("flags", flags, U32, "", 0, "what is known: below, by name"),
	OF_STATE("source", source, U32, "", 0, "who saved it: above, by name"),
	OF_STATE("host_khz", host_khz, U32, "kHz", 0, "frequency of the host's TSC"),
	OF_STATE("frac_bits", frac_bits, U32, "bits", 0, "F: behind the point of a TSC's ratio"),
	OF_STATE("vcpu_count", vcpu_count, U32, "", 0, "vCPUs"),
	OF_STATE("at.htsc", at.htsc, U64, "ticks", KVMCLOCK_STATE_HOST_TSC, "the host's TSC at the reading"),
	OF_STATE("at.realtime_ns", at.realtime_ns, I64, "ns", KVMCLOCK_STATE_REALTIME,
		 "the host's realtime at the reading, since 1970, UTC"),
	OF_STATE("at.tai_offset_s", at.tai_offset_s, I64, "s", KVMCLOCK_STATE_REALTIME, "TAI - UTC; 0 unknown"),
	OF_STATE("at.realtime_error_ns", at.realtime_error_ns, U64_OR_UNKNOWN, "ns",
		 KVMCLOCK_STATE_REALTIME, "that realtime's error, as the host stated it"),
	OF_STATE("at.width_ns", at.width_ns, U64, "ns", KVMCLOCK_STATE_HOST_TSC,
		 "host TSC and realtime were read so far apart"),
	OF_STATE("clock_ns", clock_ns, U64, "ns", 0, "the guest's clock at the reading, as KVM told it"),
	OF_STATE("line_gtsc", line_gtsc, U64, "cycles", KVMCLOCK_STATE_LINE, "the line's point: vCPU 0's TSC"),
	OF_STATE("line_ns", line_ns, U64, "ns", KVMCLOCK_STATE_LINE, "the line's point: the clock there"),
	OF_STATE("line_mul", line_mul, U32, "", KVMCLOCK_STATE_LINE,
		 "the line's slope: ns in a cycle * 2^32 / 2^line_shift"),
	OF_STATE("line_shift", line_shift, I32, "bits", KVMCLOCK_STATE_LINE, "the line's slope: its shift"),
	OF_STATE("width_ns", width_ns, U64_OR_UNKNOWN, "ns", 0, "TSC and clock can be so far apart of what they were"),
	{ 0 }
};

const struct field vcpu_fields[] = {
	OF_VCPU("tsc_khz", tsc_khz, U32, "kHz", 0, 0, "frequency of the TSC"),
	OF_VCPU("tsc_ratio", tsc_ratio, U64, "", KVMCLOCK_STATE_HOST_TSC, 0, "cycles for 2^F ticks of the host's TSC"),
	OF_VCPU("tsc_offset_gtsc", tsc_offset_gtsc, U64, "cycles", KVMCLOCK_STATE_HOST_TSC, 0,
		"beyond the host's TSC times the ratio, mod 2^64"),
	OF_VCPU("tsc_gtsc", tsc_gtsc, U64, "cycles", KVMCLOCK_STATE_TSC, 0, "the TSC at the reading"),
	OF_VCPU("tsc_adjust_gtsc", tsc_adjust_gtsc, U64, "cycles", 0, KVMCLOCK_VCPU_HAS_TSC_ADJUST, "MSR 0x3b"),
	OF_VCPU("deadline_gtsc", deadline_gtsc, U64, "cycles", 0, KVMCLOCK_VCPU_HAS_DEADLINE,
		"MSR 0x6e0: when the timer is due; 0 none"),
	OF_VCPU("vcpu_flags", flags, U32, "", 0, 0, "1 MSR 0x3b is saved, 2 MSR 0x6e0, 4 the TSC by itself"),
	{ 0 }
};

const struct named_bit state_flags[] = {
	{ KVMCLOCK_STATE_LINE, "line", "the clock is a line over the TSC" },
	{ KVMCLOCK_STATE_LINE_EXACT, "line_exact", "the line is KVM's own, by KVM_GET_CLOCK_GUEST" },
	{ KVMCLOCK_STATE_LINE_PAGE, "line_page", "the line is what the guest's page showed" },
	{ KVMCLOCK_STATE_HOST_TSC, "host_tsc", "the host's TSC, and each vCPU's offset and ratio" },
	{ KVMCLOCK_STATE_REALTIME, "realtime", "the host's realtime" },
	{ KVMCLOCK_STATE_TSC, "tsc", "every vCPU's TSC" },
	{ 0 }
};

const struct named_bit vcpu_flags[] = {
	{ KVMCLOCK_VCPU_HAS_TSC_ADJUST, "tsc_adjust", "MSR 0x3b" },
	{ KVMCLOCK_VCPU_HAS_DEADLINE, "deadline", "MSR 0x6e0" },
	{ KVMCLOCK_VCPU_HAS_GTSC, "gtsc", "the TSC by itself" },
	{ 0 }
};

static const char *const sources[] = { "own", "kvm", "qemu", "firecracker", "cloud-hypervisor" };

const char *source_name(uint32_t source)
{
	return source < sizeof(sources) / sizeof(*sources) ? sources[source] : "unknown";
}

int source_of(const char *name)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++)
		if (!strcmp(sources[i], name))
			return (int)i;
	return -1;
}

uint64_t field_value(const struct field *field, const void *of)
{
	const uint8_t *at = (const uint8_t *)of + field->offset;
	uint32_t small;
	uint64_t value;

	if (field->type == FIELD_U32 || field->type == FIELD_I32) {
		memcpy(&small, at, sizeof(small));
		return field->type == FIELD_U32 ? small : (uint64_t)(int32_t)small;
	}
	memcpy(&value, at, sizeof(value));
	return value;
}

struct json_object *field_json(const struct field *field, const void *of)
{
	uint64_t value = field_value(field, of);

	if (field->type == FIELD_U64_OR_UNKNOWN && value == KVMCLOCK_UNKNOWN)
		return NULL;
	return field->type == FIELD_I32 || field->type == FIELD_I64 ?
		json_object_new_int64((int64_t)value) : json_object_new_uint64(value);
}

struct json_object *bits_json(uint32_t bits, const struct named_bit *names)
{
	struct json_object *list = json_object_new_array();
	char number[16];

	for (; names->name; names++) {
		if (bits & names->bit)
			json_object_array_add(list, json_object_new_string(names->name));
		bits &= ~names->bit;
	}
	for (uint32_t bit = 1; bits; bits &= ~bit, bit <<= 1)
		if (bits & bit) {
			snprintf(number, sizeof(number), "%#" PRIx32, bit);
			json_object_array_add(list, json_object_new_string(number));
		}
	return list;
}

static struct json_object *fields_json(const struct field *field, const void *of)
{
	struct json_object *object = json_object_new_object();

	for (; field->name; field++)
		json_object_object_add(object, field->name, field_json(field, of));
	return object;
}

/* Little-endian, of bytes that the library found sound. */
static uint64_t number(const uint8_t *at, int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

static struct json_object *unknown_json(const struct kvmclock_state *state)
{
	struct json_object *list = json_object_new_array();
	const uint8_t *at = state->unknown, *end = at ? at + state->unknown_bytes : NULL;

	while (at < end) {
		struct json_object *record = json_object_new_object();

		object_uint(record, "type", number(at, 4));
		object_uint(record, "bytes", number(at + 4, 4));
		json_object_array_add(list, record);
		at += 8 + number(at + 4, 4);
	}
	return list;
}

static struct json_object *vcpus_json(const struct kvmclock_state *state)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t i = 0; i < state->vcpu_count; i++) {
		struct json_object *vcpu = fields_json(vcpu_fields, &state->vcpus[i]);

		object_uint(vcpu, "index", i);
		json_object_object_add(vcpu, "flags", bits_json(state->vcpus[i].flags, vcpu_flags));
		if (state->flags & (KVMCLOCK_STATE_HOST_TSC | KVMCLOCK_STATE_TSC))
			object_uint(vcpu, "gtsc_at_reading", gtsc_at(state, i, state->at.htsc));
		json_object_array_add(list, vcpu);
	}
	return list;
}

/* What the file's header says; a state that was made here has none. */
static void add_header(struct json_object *object, const struct saved *saved)
{
	object_uint(object, "bytes", saved->length);
	object_uint(object, "version", number(saved->bytes + 8, 4));
	object_uint(object, "checksum", number(saved->bytes + 12, 4));
	object_uint(object, "compatible", number(saved->bytes + 24, 8));
}

void document_state(struct document *doc, const char *key, const struct saved *saved)
{
	const struct kvmclock_state *state = &saved->state;
	const uint32_t both = KVMCLOCK_STATE_LINE | KVMCLOCK_STATE_HOST_TSC;
	struct json_object *object = json_object_new_object();

	object_text(object, "file", saved->path);
	add_header(object, saved);
	object_text(object, "source", source_name(state->source));
	json_object_object_add(object, "flags", bits_json(state->flags, state_flags));
	json_object_object_add(object, "fields", fields_json(state_fields, state));
	json_object_object_add(object, "vcpus", vcpus_json(state));
	json_object_object_add(object, "unknown_records", unknown_json(state));
	if ((state->flags & both) == both && state->vcpu_count)
		object_uint(object, "line_at_reading_ns",
			    line_at_ns(state, gtsc_at(state, 0, state->at.htsc)));
	json_object_object_add(document_json(doc), key, object);
}
