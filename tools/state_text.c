// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A state as text, from its JSON; vCPUs that are equal stand once. */
#include "state.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define COUNT(list) ((unsigned int)json_object_array_length(list))

static struct json_object *get(struct json_object *object, const char *key)
{
	return json_object_object_get(object, key);
}

static bool has(struct json_object *names, const char *name)
{
	for (unsigned int i = 0; i < COUNT(names); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(names, i)), name))
			return true;
	return false;
}

static uint32_t bits_of(struct json_object *names, const struct named_bit *bits)
{
	uint32_t found = 0;

	for (; bits->name; bits++)
		if (has(names, bits->name))
			found |= bits->bit;
	return found;
}

/* All 64 bits of ns: years 1677 to 2262. */
static void print_utc(int64_t ns, FILE *to)
{
	int64_t part = ns % 1000000000;
	time_t s = (time_t)(ns / 1000000000 - (part < 0));
	struct tm utc;
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&s, &utc));
	fprintf(to, " (%s.%09" PRId64 "Z)", text, part < 0 ? part + 1000000000 : part);
}

static void print_field(const struct field *field, struct json_object *of, bool known, FILE *to)
{
	struct json_object *value = get(of, field->name);

	if (!known)
		fprintf(to, "  %-22s %20s %-6s %s: not saved", field->name, "-", "", field->meaning);
	else
		fprintf(to, "  %-22s %20s %-6s %s", field->name,
			value ? json_object_get_string(value) : "unknown", value ? field->unit : "",
			field->meaning);
	if (known && !strcmp(field->name, "at.realtime_ns"))
		print_utc(json_object_get_int64(value), to);
	/* As people write what wraps. */
	if (known && !strcmp(field->name, "tsc_offset_gtsc") && json_object_get_uint64(value) >> 63)
		fprintf(to, ": %" PRId64, (int64_t)json_object_get_uint64(value));
	fputc('\n', to);
}


static void print_flags(struct json_object *names, FILE *to)
{
	const struct named_bit *bit = state_flags;

	fputs("known:\n", to);
	for (; bit->name; bit++)
		fprintf(to, "  %-10s %-3s %s\n", bit->name, has(names, bit->name) ? "yes" : "no",
			bit->meaning);
	for (unsigned int i = 0; i < COUNT(names); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));

		if (!strncmp(name, "0x", 2))
			fprintf(to, "  %-10s %-3s a later version's: this one does not know it\n", name, "yes");
	}
}

static bool is_same_vcpu(struct json_object *a, struct json_object *b)
{
	for (const struct field *field = vcpu_fields; field->name; field++)
		if (json_object_get_uint64(get(a, field->name)) !=
		    json_object_get_uint64(get(b, field->name)))
			return false;
	return true;
}

static void print_vcpu(struct json_object *vcpu, uint32_t flags, FILE *to)
{
	uint32_t own = (uint32_t)json_object_get_uint64(get(vcpu, "vcpu_flags"));
	struct json_object *gtsc = get(vcpu, "gtsc_at_reading");

	for (const struct field *field = vcpu_fields; field->name; field++)
		print_field(field, vcpu, (flags & field->of_state) == field->of_state &&
			    (own & field->of_vcpu) == field->of_vcpu, to);
	if (gtsc && flags & KVMCLOCK_STATE_HOST_TSC)
		fprintf(to, "  %-22s %20s %-6s %s\n", "= TSC", json_object_get_string(gtsc), "cycles",
			"at the reading, by ratio and offset");
}

static void print_vcpus(struct json_object *list, uint32_t flags, FILE *to)
{
	unsigned int first, next, count = COUNT(list);

	for (first = 0; first < count; first = next) {
		struct json_object *vcpu = json_object_array_get_idx(list, first);

		next = first + 1;
		while (next < count && is_same_vcpu(vcpu, json_object_array_get_idx(list, next)))
			next++;
		if (next > first + 1)
			fprintf(to, "vCPUs %u to %u, all %u equal:\n", first, next - 1, next - first);
		else
			fprintf(to, "vCPU %u:\n", first);
		print_vcpu(vcpu, flags, to);
	}
}

static void print_unknown(struct json_object *state, FILE *to)
{
	struct json_object *list = get(state, "unknown_records");
	unsigned int i;

	if (json_object_get_uint64(get(state, "compatible")))
		fprintf(to, "features of a later version that this one need not know: %#" PRIx64 "\n",
			json_object_get_uint64(get(state, "compatible")));
	for (i = 0; i < COUNT(list); i++) {
		struct json_object *record = json_object_array_get_idx(list, i);

		fprintf(to, "record of a later version: type %s, %s bytes; kept as it is\n",
			json_object_get_string(get(record, "type")),
			json_object_get_string(get(record, "bytes")));
	}
}

void print_state(struct json_object *state, FILE *to)
{
	struct json_object *names = get(state, "flags"), *line = get(state, "line_at_reading_ns");
	uint32_t flags = bits_of(names, state_flags);

	fprintf(to, "%s: %s bytes, version %s, checksum %#010" PRIx64 " (right)\n",
		json_object_get_string(get(state, "file")), json_object_get_string(get(state, "bytes")),
		json_object_get_string(get(state, "version")),
		json_object_get_uint64(get(state, "checksum")));
	fprintf(to, "source: %s\n", json_object_get_string(get(state, "source")));
	print_flags(names, to);
	fputs("state:\n", to);
	for (const struct field *field = state_fields; field->name; field++)
		print_field(field, get(state, "fields"), (flags & field->of_state) == field->of_state, to);
	if (line)
		fprintf(to, "  %-22s %20s %-6s %s\n", "= line", json_object_get_string(line), "ns",
			"at vCPU 0's TSC at the reading");
	print_vcpus(get(state, "vcpus"), flags, to);
	print_unknown(state, to);
}
