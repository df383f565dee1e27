// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Another selftest's figures beside this one's: they come from a file, which may be anything. */
#include "selftest.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"

#define MOST_BYTES (16 << 20)
#define MOST_DEPTH 16

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) &&
	       json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

struct json_object *selftest_read(const char *path)
{
	struct json_tokener *tokener = json_tokener_new_ex(MOST_DEPTH);
	struct json_object *json = NULL, *figures;
	size_t size;
	char *text = (char *)file_read(path, MOST_BYTES, &size);

	if (!tokener)
		abort();
	if (text)
		json = json_tokener_parse_ex(tokener, text, (int)size);
	json_tokener_free(tokener);
	if (text && (!json_object_is_type(json, json_type_object) ||
		     strcmp(text_of(json, "schema"), "kvmclock/1") ||
		     strcmp(text_of(json, "verb"), "selftest") ||
		     !json_object_object_get_ex(json, "figures", &figures) ||
		     !json_object_is_type(figures, json_type_array))) {
		fail(path, "no document of a selftest: name a file that kvmclock selftest --json printed");
		json_object_put(json);
		json = NULL;
	}
	free(text);
	return json;
}

static bool same_label(struct json_object *a, struct json_object *b, const char *key)
{
	struct json_object *in_a, *in_b;

	return json_object_object_get_ex(a, "labels", &in_a) &&
	       json_object_object_get_ex(b, "labels", &in_b) &&
	       json_object_is_type(in_b, json_type_object) &&
	       !strcmp(text_of(in_a, key), text_of(in_b, key));
}

static bool same_figure(struct json_object *a, struct json_object *b)
{
	return json_object_is_type(b, json_type_object) &&
	       !strcmp(text_of(a, "name"), text_of(b, "name")) &&
	       !strcmp(text_of(a, "unit"), text_of(b, "unit")) &&
	       same_label(a, b, "what") && same_label(a, b, "guest");
}

static void take_figure(struct json_object *figure, struct json_object *others)
{
	size_t i, count = json_object_array_length(others);
	struct json_object *other, *value;

	for (i = 0; i < count; i++) {
		other = json_object_array_get_idx(others, i);
		if (!same_figure(figure, other) || !json_object_object_get_ex(other, "value", &value))
			continue;
		if (json_object_is_type(value, json_type_int))
			object_int(figure, "against", json_object_get_int64(value));
		else
			json_object_object_add(figure, "against", NULL);
	}
}

/* Figures of another host are beside the point. */
static void compare_hosts(struct document *doc, const char *path, struct json_object *json)
{
	static const char *const keys[] = { "cpu", "vendor" };
	struct json_object *here, *there;
	char text[512];

	if (!json_object_object_get_ex(document_json(doc), "host", &here) ||
	    !json_object_object_get_ex(json, "host", &there) ||
	    !json_object_is_type(there, json_type_object))
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!strcmp(text_of(here, keys[i]), text_of(there, keys[i])))
			continue;
		snprintf(text, sizeof(text), "%.200s is of another host: its %s is \"%.60s\", here it is \"%.60s\".",
			 path, keys[i], text_of(there, keys[i]), text_of(here, keys[i]));
		document_finding(doc, "against_other_host", VERDICT_GOOD, text,
				 "compare with a selftest of this host under the other KVM");
		return;
	}
}

void selftest_add_against(struct document *doc, const char *path, struct json_object *json)
{
	struct json_object *against, *more;
	struct json_object *list = document_list(doc, "figures");
	size_t i, count = json_object_array_length(list);

	for (i = 0; i < count; i++)
		take_figure(json_object_array_get_idx(list, i), json_object_object_get(json, "figures"));
	against = json_object_new_object();
	object_text(against, "file", path);
	object_text(against, "time", text_of(json, "time"));
	if (json_object_object_get_ex(json, "host", &more) && json_object_is_type(more, json_type_object))
		json_object_object_add(against, "host", json_object_get(more));
	json_object_object_add(document_json(doc), "against", against);
	compare_hosts(doc, path, json);
}
