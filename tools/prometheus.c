// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Prometheus' text format: units are its base units (seconds, hertz, ratio),
 * exact, as decimals; a metric's samples stand together, under one HELP and TYPE.
 */
#include "tool.h"

#include <inttypes.h>
#include <string.h>

static const struct unit {
	const char *ours, *suffix;
	int digits;		/* after the point, of what is an integer with us */
	int zeros;		/* behind it */
} units[] = {
	{ "ns", "_seconds", 9, 0 }, { "kHz", "_hertz", 0, 3 }, { "ppb", "_ratio", 9, 0 },
	{ "ppm", "_ratio", 6, 0 }, { "cycles", "_cycles", 0, 0 }, { "bytes", "_bytes", 0, 0 },
	{ "bits", "", 0, 0 }, { "total", "_total", 0, 0 }, { "1", "", 0, 0 },
};

static const struct unit *unit_of(const char *ours)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(units[i].ours, ours))
			return &units[i];
	return &units[sizeof(units) / sizeof(units[0]) - 1];
}

static void print_value(int64_t value, const struct unit *unit, FILE *to)
{
	uint64_t size = magnitude(value), one = 1;
	int i;

	for (i = 0; i < unit->digits; i++)
		one *= 10;
	fprintf(to, "%s%" PRIu64, value < 0 ? "-" : "", size / one);
	if (unit->digits)
		fprintf(to, ".%0*" PRIu64, unit->digits, size % one);
	for (i = 0; i < unit->zeros && value; i++)
		fputc('0', to);
	fputc('\n', to);
}

/* As both HELP and label values want it; labels' quotes, too. */
static void print_escaped(const char *text, FILE *to)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", to);
		else if (*text == '\\' || *text == '"')
			fprintf(to, "\\%c", *text);
		else
			fputc(*text, to);
	}
}

static void print_name(struct json_object *figure, FILE *to)
{
	fprintf(to, "kvmclock_%s%s", text_in(figure, "name"), unit_of(text_in(figure, "unit"))->suffix);
}

static void print_sample(struct json_object *figure, FILE *to)
{
	char before = '{';

	print_name(figure, to);
	json_object_object_foreach(json_object_object_get(figure, "labels"), key, label) {
		fprintf(to, "%c%s=\"", before, key);
		print_escaped(json_object_get_string(label), to);
		fputc('"', to);
		before = ',';
	}
	fprintf(to, before == ',' ? "} " : " ");
	print_value(json_object_get_int64(json_object_object_get(figure, "value")),
		    unit_of(text_in(figure, "unit")), to);
}

static void print_head(struct json_object *figure, FILE *to)
{
	bool counter = !strcmp(text_in(figure, "unit"), "total");

	fputs("# HELP ", to);
	print_name(figure, to);
	fputc(' ', to);
	fprintf(to, "%s.\n# TYPE ", text_in(figure, "meaning"));
	print_name(figure, to);
	fprintf(to, " %s\n", counter ? "counter" : "gauge");
}

static bool same_metric(struct json_object *a, struct json_object *b)
{
	return !strcmp(text_in(a, "name"), text_in(b, "name")) &&
	       !strcmp(text_in(a, "unit"), text_in(b, "unit"));
}

static bool measured(struct json_object *figure)
{
	return json_object_object_get(figure, "value") != NULL;
}

/* The first of a metric brings all of it. */
static void print_metric(struct json_object *list, size_t first, FILE *to)
{
	struct json_object *figure = json_object_array_get_idx(list, first), *other;
	size_t i, count = json_object_array_length(list);

	if (!measured(figure))
		return;
	for (i = 0; i < first; i++) {
		other = json_object_array_get_idx(list, i);
		if (measured(other) && same_metric(other, figure))
			return;
	}
	print_head(figure, to);
	for (i = first; i < count; i++) {
		other = json_object_array_get_idx(list, i);
		if (measured(other) && same_metric(other, figure))
			print_sample(other, to);
	}
}

static void print_verdicts(struct document *doc, FILE *to)
{
	struct json_object *list = document_list(doc, "findings");
	size_t i, count = json_object_array_length(list);

	fprintf(to, "# HELP kvmclock_verdict What all comes to: 0 good, 1 beyond budget, 2 unsafe, 3 unmeasured.\n"
		"# TYPE kvmclock_verdict gauge\nkvmclock_verdict{verb=\"%s\"} %d\n", verb->name,
		document_verdict(doc));
	if (!count)
		return;
	fputs("# HELP kvmclock_finding_verdict What a finding comes to, as kvmclock_verdict.\n"
	      "# TYPE kvmclock_finding_verdict gauge\n", to);
	for (i = 0; i < count; i++) {
		struct json_object *finding = json_object_array_get_idx(list, i);

		fprintf(to, "kvmclock_finding_verdict{id=\"%s\"} %d\n", text_in(finding, "id"),
			verdict_of_word(text_in(finding, "verdict")));
	}
}

void print_prometheus(struct document *doc, FILE *to)
{
	struct json_object *list = document_list(doc, "figures");
	size_t i, count = json_object_array_length(list);

	print_verdicts(doc, to);
	for (i = 0; i < count; i++)
		print_metric(list, i, to);
}
