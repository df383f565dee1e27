// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What a host can do: asked of this one's KVM, or read from what another one printed. */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "host.h"

#define ABILITIES_BYTES_MAX (1u << 20)

static const struct named_bit abilities_bits[] = {
	{ KVMCLOCK_HAS_CLOCK, "clock", "" }, { KVMCLOCK_HAS_REALTIME, "realtime", "" },
	{ KVMCLOCK_HAS_HOST_TSC, "host_tsc", "" }, { KVMCLOCK_HAS_OFFSET, "offset", "" },
	{ KVMCLOCK_HAS_SCALE, "scale", "" }, { KVMCLOCK_HAS_LINE, "line", "" },
	{ KVMCLOCK_HAS_VM_KHZ, "vm_khz", "" }, { KVMCLOCK_HAS_SCALING, "scaling", "" },
	{ KVMCLOCK_HAS_EXACT, "exact", "" }, { KVMCLOCK_IS_MASTER, "master", "" },
	{ KVMCLOCK_HAS_READING, "reading", "" }, { 0 }
};

#define OF(name, member, type) { name, offsetof(struct kvmclock_abilities, member), FIELD_##type, "", "", 0, 0 }

static const struct field abilities_fields[] = {
	OF("tier", tier, U32), OF("host_khz", host_khz, U32), OF("frac_bits", frac_bits, U32),
	OF("tolerance_ppm", tolerance_ppm, U32), { 0 }
};

static const struct field reading_fields[] = {
	OF("htsc", now.htsc, U64), OF("realtime_ns", now.realtime_ns, I64),
	OF("tai_offset_s", now.tai_offset_s, I64),
	OF("realtime_error_ns", now.realtime_error_ns, U64_OR_UNKNOWN),
	OF("width_ns", now.width_ns, U64_OR_UNKNOWN), { 0 }
};

struct kvmclock_abilities abilities_all(const struct kvmclock_state *state)
{
	return (struct kvmclock_abilities) {
		.size = sizeof(struct kvmclock_abilities), .frac_bits = state->frac_bits,
		.bits = KVMCLOCK_HAS_CLOCK | KVMCLOCK_HAS_REALTIME | KVMCLOCK_HAS_HOST_TSC |
			KVMCLOCK_HAS_OFFSET | KVMCLOCK_HAS_SCALE | KVMCLOCK_HAS_LINE |
			KVMCLOCK_HAS_VM_KHZ | KVMCLOCK_HAS_SCALING | KVMCLOCK_HAS_EXACT,
		.host_khz = state->host_khz, .tolerance_ppm = 250,
	};
}

struct json_object *abilities_json(const struct kvmclock_abilities *abilities)
{
	struct json_object *object = json_object_new_object(), *reading;
	const struct field *field;

	json_object_object_add(object, "has", bits_json(abilities->bits, abilities_bits));
	for (field = abilities_fields; field->name; field++)
		json_object_object_add(object, field->name, field_json(field, abilities));
	if (!(abilities->bits & KVMCLOCK_HAS_READING))
		return object;
	reading = json_object_new_object();
	for (field = reading_fields; field->name; field++)
		json_object_object_add(reading, field->name, field_json(field, abilities));
	json_object_object_add(object, "reading", reading);
	return object;
}

void print_abilities(struct json_object *abilities, FILE *to)
{
	struct json_object *has = json_object_object_get(abilities, "has");

	fputs("host:   ", to);
	for (const struct field *field = abilities_fields; field->name; field++)
		fprintf(to, "%s%s %s", field == abilities_fields ? "" : ", ", field->name,
			json_object_get_string(json_object_object_get(abilities, field->name)));
	fputs("\n        has", to);
	for (size_t i = 0; i < json_object_array_length(has); i++)
		fprintf(to, " %s", json_object_get_string(json_object_array_get_idx(has, i)));
	fputc('\n', to);
}

/* ---- reading -------------------------------------------------------------- */

static int read_bits(struct json_object *names, uint32_t *bits)
{
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));
		const struct named_bit *bit = abilities_bits;

		while (bit->name && strcmp(bit->name, name ? name : ""))
			bit++;
		if (!bit->name)
			return -1;
		*bits |= bit->bit;
	}
	return 0;
}

static bool fits(enum field_type type, struct json_object *value)
{
	errno = 0;
	if (type == FIELD_I64)
		return json_object_get_int64(value), !errno;
	if (json_object_get_int64(value) < 0)
		return false;
	errno = 0;
	return json_object_get_uint64(value) <= (type == FIELD_U32 ? UINT32_MAX : UINT64_MAX) && !errno;
}

static int read_field(const struct field *field, struct json_object *object,
		      struct kvmclock_abilities *abilities)
{
	uint8_t *at = (uint8_t *)abilities + field->offset;
	uint64_t value = KVMCLOCK_UNKNOWN;
	struct json_object *found;

	if (!json_object_object_get_ex(object, field->name, &found))
		return -1;
	if (found || field->type != FIELD_U64_OR_UNKNOWN) {
		if (!json_object_is_type(found, json_type_int) || !fits(field->type, found))
			return -1;
		value = field->type == FIELD_I64 ? (uint64_t)json_object_get_int64(found) :
			json_object_get_uint64(found);
	}
	/* Little-endian, as all that has KVM's clock. */
	memcpy(at, &value, field->type == FIELD_U32 ? 4 : 8);
	return 0;
}

/* Of these kvmclock_plan() makes conditions. */
static bool is_in_domain(const struct kvmclock_abilities *abilities)
{
	return abilities->tier <= KVMCLOCK_TIER_3 && abilities->host_khz &&
	       abilities->frac_bits >= 32 && abilities->frac_bits <= 62 &&
	       abilities->tolerance_ppm <= 1000000;
}

/* The first member that is not as it should be, or NULL. */
static const char *read_object(struct json_object *object, struct kvmclock_abilities *abilities)
{
	struct json_object *names, *reading = json_object_object_get(object, "reading");
	const struct field *field;

	if (!json_object_object_get_ex(object, "has", &names) ||
	    !json_object_is_type(names, json_type_array) || read_bits(names, &abilities->bits))
		return "has";
	for (field = abilities_fields; field->name; field++)
		if (read_field(field, object, abilities))
			return field->name;
	if (!is_in_domain(abilities))
		return "a number is outside its domain";
	if (!(abilities->bits & KVMCLOCK_HAS_READING))
		return NULL;
	for (field = reading_fields; field->name; field++)
		if (!json_object_is_type(reading, json_type_object) ||
		    read_field(field, reading, abilities))
			return field->name;
	return NULL;
}

int abilities_read(const char *path, struct kvmclock_abilities *abilities)
{
	enum json_tokener_error error = json_tokener_success;
	struct json_object *document = NULL, *object = NULL;
	size_t length;
	char *text = (char *)file_read(path, ABILITIES_BYTES_MAX, &length);
	const char *wrong;

	if (!text)
		return -1;
	document = json_tokener_parse_verbose(text, &error);
	free(text);
	if (json_object_is_type(document, json_type_object))
		object = json_object_object_get(document, "abilities");
	*abilities = (struct kvmclock_abilities) { .size = sizeof(*abilities) };
	wrong = json_object_is_type(object, json_type_object) ? read_object(object, abilities) : "abilities";
	json_object_put(document);
	if (wrong)
		return fail(path, "%s: not as kvmclock predict --abilities prints it: print it anew on that host",
			    error ? json_tokener_error_desc(error) : wrong);
	return 0;
}

/* ---- asking --------------------------------------------------------------- */

static int no_answer(struct document *doc, const struct device_facts *device)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/dev/kvm", settings.root);
	if (device->library.code)
		return library_failed(doc, path, &device->library);
	if (strcmp(device->call, "open"))
		return fail(path, "%s: %s: end what else holds the processor's virtualization, or give a host's abilities by --host",
			    device->call, strerror(device->error));
	if (device->error == ENOENT)
		return fail(path, "there is no KVM: load kvm_intel or kvm_amd, or give another host's abilities by --host");
	return fail(path, "%s: become root or a member of its group, or give a host's abilities by --host",
		    strerror(device->error));
}

int abilities_probe(struct kvmclock_abilities *abilities, struct document *doc)
{
	const struct host_facts *host = host_facts();

	if (host->device.error)
		return no_answer(doc, &host->device);
	*abilities = host->device.abilities;
	/* As it is, where it can be read: KVM tells it nowhere else. */
	if (host->tolerance_ppm != HOST_UNKNOWN && host->tolerance_ppm <= 1000000)
		abilities->tolerance_ppm = (uint32_t)host->tolerance_ppm;
	if (host->device.offset_ignored)
		find_offset_ignored(doc);
	return 0;
}
