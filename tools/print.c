// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool coloured(FILE *to)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fileno(to)) && !(no && *no);
}

const char *colour(FILE *to, enum verdict verdict)
{
	static const char *const of[] = {
		[VERDICT_GOOD] = "\033[32m", [VERDICT_BEYOND_BUDGET] = "\033[33m",
		[VERDICT_UNSAFE] = "\033[31m", [VERDICT_UNMEASURED] = "\033[36m",
	};

	return coloured(to) ? of[verdict] : "";
}

const char *colour_end(FILE *to)
{
	return coloured(to) ? "\033[0m" : "";
}

void print_findings(struct document *doc, FILE *to)
{
	struct json_object *list = document_list(doc, "findings");
	size_t i, count = json_object_array_length(list);

	for (i = 0; i < count; i++) {
		struct json_object *finding = json_object_array_get_idx(list, i);
		const char *word = text_in(finding, "verdict"), *cure = text_in(finding, "cure");

		fprintf(to, "%s%-13s%s %s\n", colour(to, verdict_of_word(word)), word, colour_end(to),
			text_in(finding, "says"));
		if (*cure)
			fprintf(to, "%-13s %s\n", "", cure);
	}
}

static void print_figure(struct json_object *figure, FILE *to)
{
	struct json_object *value = json_object_object_get(figure, "value"), *more;
	const char *unit = text_in(figure, "unit");

	if (value)
		fprintf(to, "%20" PRId64 " %-6s", json_object_get_int64(value),
			strcmp(unit, "1") && strcmp(unit, "total") ? unit : "");
	else
		fprintf(to, "%20s %-6s", "-", "");
	fprintf(to, " %s", text_in(figure, "meaning"));
	json_object_object_foreach(json_object_object_get(figure, "labels"), key, label)
		fprintf(to, ", %s %s", key, json_object_get_string(label));
	if (json_object_object_get_ex(figure, "uncertainty", &more))
		fprintf(to, ", to %s %s", json_object_get_string(more), unit);
	if (json_object_object_get_ex(figure, "limit", &more))
		fprintf(to, ", at most %s", json_object_get_string(more));
	if (json_object_object_get_ex(figure, "unmeasured", &more))
		fprintf(to, ": %s", json_object_get_string(more));
	fputc('\n', to);
}

void print_figures(struct document *doc, FILE *to)
{
	struct json_object *list = document_list(doc, "figures");
	size_t i, count = json_object_array_length(list);

	for (i = 0; i < count; i++)
		print_figure(json_object_array_get_idx(list, i), to);
}

void print_json_line(struct json_object *object, FILE *to)
{
	fprintf(to, "%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							   JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void print_text(struct document *doc, FILE *to)
{
	if (verb->print) {
		verb->print(doc, to);
		return;
	}
	print_findings(doc, to);
	print_figures(doc, to);
}

static void print_json(struct document *doc, FILE *to)
{
	if (verb->is_lines) {
		print_json_line(document_json(doc), to);
		return;
	}
	fprintf(to, "%s\n", json_object_to_json_string_ext(document_json(doc),
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
		JSON_C_TO_STRING_NOSLASHESCAPE));
}

void print_document(struct document *doc, FILE *to)
{
	/* Readers need not ask whether they are there. */
	document_list(doc, "findings");
	document_list(doc, "figures");
	switch (settings.format) {
	case FORMAT_TEXT:
		print_text(doc, to);
		break;
	case FORMAT_JSON:
		print_json(doc, to);
		break;
	case FORMAT_PROMETHEUS:
		print_prometheus(doc, to);
		break;
	}
}
