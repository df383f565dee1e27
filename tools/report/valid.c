// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the page takes from a document has the type that doc/schema/document.json says. */
#include "tools/report/report.h"

#include <math.h>
#include <string.h>

/* Beyond what 64 bits hold is no clock's; and gnuplot's own arithmetic stays finite. */
#define MOST 1e20

enum need { OPTIONAL, REQUIRED };

static const struct field {
	const char *list, *key;		/* list NULL: of the document itself */
	enum json_type type;
	enum need need;
	bool nullable;
} fields[] = {
	{ NULL, "version", json_type_string, REQUIRED, false },
	{ NULL, "verb", json_type_string, REQUIRED, false },
	{ NULL, "time", json_type_string, REQUIRED, false },
	{ NULL, "verdict", json_type_string, REQUIRED, false },
	{ NULL, "host", json_type_object, OPTIONAL, false },
	{ NULL, "findings", json_type_array, REQUIRED, false },
	{ NULL, "figures", json_type_array, REQUIRED, false },
	{ NULL, "series", json_type_array, OPTIONAL, false },
	{ NULL, "moves", json_type_array, OPTIONAL, false },
	{ "findings", "verdict", json_type_string, REQUIRED, false },
	{ "findings", "says", json_type_string, REQUIRED, false },
	{ "findings", "cure", json_type_string, OPTIONAL, true },
	{ "figures", "name", json_type_string, REQUIRED, false },
	{ "figures", "unit", json_type_string, REQUIRED, false },
	{ "figures", "meaning", json_type_string, REQUIRED, false },
	{ "figures", "value", json_type_int, REQUIRED, true },
	{ "figures", "labels", json_type_object, REQUIRED, false },
	{ "figures", "uncertainty", json_type_int, OPTIONAL, false },
	{ "figures", "limit", json_type_int, OPTIONAL, false },
	{ "figures", "unmeasured", json_type_string, OPTIONAL, false },
	{ "series", "name", json_type_string, REQUIRED, false },
	{ "series", "title", json_type_string, REQUIRED, false },
	{ "series", "x_unit", json_type_string, REQUIRED, false },
	{ "series", "y_unit", json_type_string, REQUIRED, false },
	{ "series", "points", json_type_array, REQUIRED, false },
	{ "series", "marks", json_type_array, OPTIONAL, false },
	{ "marks", "says", json_type_string, REQUIRED, false },
};

static bool fields_valid(struct json_object *object, const char *list, char *why, size_t room)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *field = &fields[i];
		struct json_object *value;
		bool there;

		if ((field->list && list) ? strcmp(field->list, list) : field->list != list)
			continue;
		there = json_object_object_get_ex(object, field->key, &value);
		if (!there && field->need == OPTIONAL)
			continue;
		if (there && (json_object_is_type(value, field->type) || (!value && field->nullable)))
			continue;
		snprintf(why, room, "%s: %s %s", field->key, there ? "is not of the type" : "is not there, a",
			 json_type_to_name(field->type));
		return false;
	}
	return true;
}

static bool number_valid(struct json_object *value)
{
	return (json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double)) &&
	       fabs(json_object_get_double(value)) <= MOST;
}

static bool points_valid(struct json_object *points)
{
	size_t i, count = json_object_array_length(points);

	for (i = 0; i < count; i++) {
		struct json_object *point = json_object_array_get_idx(points, i);

		if (!json_object_is_type(point, json_type_array) || json_object_array_length(point) != 2 ||
		    !number_valid(json_object_array_get_idx(point, 0)) ||
		    !number_valid(json_object_array_get_idx(point, 1)))
			return false;
	}
	return true;
}

static bool list_valid(struct json_object *object, const char *list, char *why, size_t room);

static bool item_valid(struct json_object *item, const char *list, char *why, size_t room)
{
	if (!json_object_is_type(item, json_type_object))
		return snprintf(why, room, "is no object"), false;
	if (!fields_valid(item, list, why, room))
		return false;
	if (!strcmp(list, "marks") && !number_valid(json_object_object_get(item, "x")))
		return snprintf(why, room, "x: is no number"), false;
	if (!strcmp(list, "series"))
		return (points_valid(json_object_object_get(item, "points")) ||
			(snprintf(why, room, "points: are not all two numbers, of 1e20 at most"), false)) &&
		       list_valid(item, "marks", why, room);
	if (!strcmp(list, "figures")) {
		json_object_object_foreach(json_object_object_get(item, "labels"), key, value) {
			if (!json_object_is_type(value, json_type_string))
				return snprintf(why, room, "labels: %.20s: is no string", key), false;
		}
	}
	return true;
}

static bool list_valid(struct json_object *object, const char *list, char *why, size_t room)
{
	struct json_object *items = json_object_object_get(object, list);
	size_t i, count = items ? json_object_array_length(items) : 0;
	char inner[120];

	for (i = 0; i < count; i++) {
		if (item_valid(json_object_array_get_idx(items, i), list, inner, sizeof(inner)))
			continue;
		snprintf(why, room, "%s %zu: %s", list, i + 1, inner);
		return false;
	}
	return true;
}

bool document_valid(struct json_object *doc, char *why, size_t room)
{
	char *c;
	bool valid = fields_valid(doc, NULL, why, room) && list_valid(doc, "findings", why, room) &&
		     list_valid(doc, "figures", why, room) && list_valid(doc, "series", why, room) &&
		     list_valid(doc, "moves", why, room);

	/* A label's key may be in it. */
	for (c = why; !valid && *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return valid;
}
