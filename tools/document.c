// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tool.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/printbuf.h>

#define SCHEMA "kvmclock/1"

struct document {
	struct json_object *json;
	enum verdict verdict;
};

static const char *now_utc(char *text, size_t room)
{
	time_t now = time(NULL);
	struct tm utc;

	strftime(text, room, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	return text;
}

void object_int(struct json_object *object, const char *key, int64_t value)
{
	json_object_object_add(object, key, json_object_new_int64(value));
}

void object_uint(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

void object_text(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

void object_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

const char *text_in(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!object || !json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

struct document *document_new(const char *verb_name)
{
	struct document *doc = calloc(1, sizeof(*doc));
	char time_text[32];

	if (!doc)
		abort();
	doc->json = json_object_new_object();
	object_text(doc->json, "schema", SCHEMA);
	object_text(doc->json, "version", KVMCLOCK_VERSION);
	object_text(doc->json, "verb", verb_name);
	object_text(doc->json, "time", now_utc(time_text, sizeof(time_text)));
	document_judge(doc, VERDICT_GOOD);
	return doc;
}

void document_free(struct document *doc)
{
	json_object_put(doc->json);
	free(doc);
}

struct json_object *document_json(struct document *doc)
{
	return doc->json;
}

const char *verdict_word(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_GOOD:
		return "good";
	case VERDICT_BEYOND_BUDGET:
		return "beyond-budget";
	case VERDICT_UNSAFE:
		return "unsafe";
	case VERDICT_UNMEASURED:
		return "unmeasured";
	default:
		return "usage";
	}
}

enum verdict verdict_of_word(const char *word)
{
	int verdict = VERDICT_GOOD;

	while (verdict < VERDICT_UNMEASURED && strcmp(word, verdict_word((enum verdict)verdict)))
		verdict++;
	return (enum verdict)verdict;
}

uint64_t budget_in(const char *unit)
{
	return !strcmp(unit, "ns") ? settings.budget_ns : !strcmp(unit, "ppb") ? settings.budget_ppb : 0;
}

uint64_t magnitude(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static int badness(enum verdict verdict)
{
	static const int of[] = {
		[VERDICT_GOOD] = 0, [VERDICT_UNMEASURED] = 1, [VERDICT_BEYOND_BUDGET] = 2,
		[VERDICT_UNSAFE] = 3,
	};

	return of[verdict];
}

void document_judge(struct document *doc, enum verdict verdict)
{
	if (badness(verdict) > badness(doc->verdict))
		doc->verdict = verdict;
	object_text(doc->json, "verdict", verdict_word(doc->verdict));
	object_int(doc->json, "exit", doc->verdict);
}

enum verdict document_verdict(const struct document *doc)
{
	return doc->verdict;
}

static struct json_object *list_in(struct json_object *object, const char *key)
{
	struct json_object *list;

	if (!json_object_object_get_ex(object, key, &list)) {
		list = json_object_new_array();
		json_object_object_add(object, key, list);
	}
	return list;
}

struct json_object *document_list(struct document *doc, const char *key)
{
	return list_in(doc->json, key);
}

struct json_object *document_item(struct document *doc, const char *key)
{
	struct json_object *item = json_object_new_object();

	json_object_array_add(document_list(doc, key), item);
	return item;
}

void document_finding(struct document *doc, const char *id, enum verdict verdict,
		      const char *says, const char *cure)
{
	struct json_object *finding = document_item(doc, "findings");

	object_text(finding, "id", id);
	object_text(finding, "verdict", verdict_word(verdict));
	object_text(finding, "says", says);
	object_text(finding, "cure", cure);
	document_judge(doc, verdict);
}

static struct json_object *new_figure(struct document *doc, const char *name, const char *unit,
				      const char *meaning)
{
	struct json_object *figure = document_item(doc, "figures");

	object_text(figure, "name", name);
	object_text(figure, "unit", unit);
	object_text(figure, "meaning", meaning);
	return figure;
}

struct json_object *document_figure(struct document *doc, const char *name, int64_t value,
				    const char *unit, const char *meaning,
				    const char *const *label_pairs)
{
	struct json_object *figure = new_figure(doc, name, unit, meaning), *labels;

	object_int(figure, "value", value);
	labels = json_object_new_object();
	for (; label_pairs && *label_pairs; label_pairs += 2)
		object_text(labels, label_pairs[0], label_pairs[1]);
	json_object_object_add(figure, "labels", labels);
	return figure;
}

struct json_object *document_no_figure(struct document *doc, const char *name, const char *unit,
				       const char *meaning, const char *why)
{
	struct json_object *figure = new_figure(doc, name, unit, meaning);

	json_object_object_add(figure, "value", NULL);
	json_object_object_add(figure, "labels", json_object_new_object());
	object_text(figure, "unmeasured", why);
	return figure;
}

void figure_uncertainty(struct json_object *figure, uint64_t value)
{
	object_uint(figure, "uncertainty", value);
}

void figure_limit(struct document *doc, struct json_object *figure, uint64_t limit)
{
	int64_t value = json_object_get_int64(json_object_object_get(figure, "value"));

	object_uint(figure, "limit", limit);
	if (magnitude(value) > limit)
		document_judge(doc, VERDICT_BEYOND_BUDGET);
}

struct json_object *document_series(struct document *doc, const char *name, const char *title,
				    const char *x_unit, const char *y_unit)
{
	struct json_object *series = document_item(doc, "series");

	object_text(series, "name", name);
	object_text(series, "title", title);
	object_text(series, "x_unit", x_unit);
	object_text(series, "y_unit", y_unit);
	list_in(series, "points");
	return series;
}

/* On one line and without digits that say nothing, or plots would be most of a document. */
static int print_point(struct json_object *point, struct printbuf *to, int level, int flags)
{
	(void)level;
	(void)flags;
	return sprintbuf(to, "[%.12g, %.12g]",
			 json_object_get_double(json_object_array_get_idx(point, 0)),
			 json_object_get_double(json_object_array_get_idx(point, 1)));
}

void series_point(struct json_object *series, double x, double y)
{
	struct json_object *point = json_object_new_array();

	json_object_array_add(point, json_object_new_double(x));
	json_object_array_add(point, json_object_new_double(y));
	json_object_set_serializer(point, print_point, NULL, NULL);
	json_object_array_add(list_in(series, "points"), point);
}

void series_mark(struct json_object *series, double x, const char *says)
{
	struct json_object *mark = json_object_new_object();

	json_object_object_add(mark, "x", json_object_new_double(x));
	object_text(mark, "says", says);
	json_object_array_add(list_in(series, "marks"), mark);
}
