// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Two states field by field. */
#include "diff.h"

#include <inttypes.h>

/* Differences that are listed; of more only the number is told. */
enum { LISTED = 4096 };

static struct json_object *add_difference(struct document *doc, const struct field *field,
					  const void *a, const void *b)
{
	struct json_object *list = document_list(doc, "differences"), *item;

	if (json_object_array_length(list) >= LISTED)
		return NULL;
	item = document_item(doc, "differences");
	object_text(item, "field", field->name);
	json_object_object_add(item, "a", field_json(field, a));
	json_object_object_add(item, "b", field_json(field, b));
	/* Clocks and TSCs wrap: the shorter way round. */
	object_int(item, "difference", (int64_t)(field_value(field, b) - field_value(field, a)));
	object_text(item, "unit", field->unit);
	object_text(item, "meaning", field->meaning);
	return item;
}

static bool differs(const struct field *field, const void *a, const void *b)
{
	return field_value(field, a) != field_value(field, b);
}

uint32_t common_vcpus(const struct kvmclock_state *a, const struct kvmclock_state *b)
{
	return a->vcpu_count < b->vcpu_count ? a->vcpu_count : b->vcpu_count;
}

/* vCPUs one after another that differ by the same stand once; their number is returned. */
static uint32_t alike(const struct field *field, const struct kvmclock_vcpu *a,
		      const struct kvmclock_vcpu *b, uint32_t most)
{
	uint32_t count = 1;

	while (count < most && !differs(field, a, a + count) && !differs(field, b, b + count))
		count++;
	return count;
}

static void diff_vcpus(struct document *doc, const struct field *field, const struct kvmclock_state *a,
		       const struct kvmclock_state *b, uint64_t *unlisted)
{
	uint32_t i, most = common_vcpus(a, b), count;

	for (i = 0; i < most; i += count) {
		struct json_object *item;

		count = alike(field, &a->vcpus[i], &b->vcpus[i], most - i);
		if (!differs(field, &a->vcpus[i], &b->vcpus[i]))
			continue;
		item = add_difference(doc, field, &a->vcpus[i], &b->vcpus[i]);
		if (item) {
			object_uint(item, "vcpu", i);
			object_uint(item, "vcpus", count);
		} else {
			*unlisted += count;
		}
	}
}

void diff_fields(struct document *doc, const struct kvmclock_state *a,
		     const struct kvmclock_state *b)
{
	const struct field *field;
	uint64_t unlisted = 0;

	document_list(doc, "differences");
	for (field = state_fields; field->name; field++)
		if (differs(field, a, b))
			add_difference(doc, field, a, b);
	for (field = vcpu_fields; field->name; field++)
		diff_vcpus(doc, field, a, b, &unlisted);
	object_uint(document_json(doc), "differences_unlisted", unlisted);
}

const char *known_in(struct json_object *object, const char *key)
{
	struct json_object *value = json_object_object_get(object, key);

	return value ? json_object_get_string(value) : "unknown";
}

static void print_difference(struct json_object *item, FILE *to)
{
	struct json_object *vcpus = json_object_object_get(item, "vcpus");

	fprintf(to, "  %-18s %20s -> %20s  %s%s %s", known_in(item, "field"), known_in(item, "a"),
		known_in(item, "b"), *known_in(item, "difference") == '-' ? "" : "+",
		known_in(item, "difference"), known_in(item, "unit"));
	if (vcpus)
		fprintf(to, "%svCPU %s", *known_in(item, "unit") ? ", " : "", known_in(item, "vcpu"));
	if (vcpus && json_object_get_int64(vcpus) > 1)
		fprintf(to, " and %" PRId64 " behind it", json_object_get_int64(vcpus) - 1);
	fputc('\n', to);
}

void print_differences(struct json_object *json, FILE *to)
{
	struct json_object *list = json_object_object_get(json, "differences");
	struct json_object *unlisted = json_object_object_get(json, "differences_unlisted");
	size_t i, count = json_object_array_length(list);

	fprintf(to, "fields that differ:%s\n", count ? "" : " none");
	for (i = 0; i < count; i++)
		print_difference(json_object_array_get_idx(list, i), to);
	if (json_object_get_uint64(unlisted))
		fprintf(to, "  and %s more\n", json_object_get_string(unlisted));
}
