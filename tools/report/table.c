// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Figures of all runs as tables: one for each verb, a column for each run, a row for each figure. */
#include "tools/report/report.h"

#include <stdlib.h>
#include <string.h>

bool figure_measured(struct json_object *figure)
{
	return figure && json_object_object_get(figure, "value");
}

int64_t figure_value(struct json_object *figure)
{
	return json_object_get_int64(json_object_object_get(figure, "value"));
}

bool beyond(const struct row *row, struct json_object *figure)
{
	return row->has_limit && figure_measured(figure) && magnitude(figure_value(figure)) > row->limit;
}

const char *why_unmeasured(struct json_object *figure)
{
	const char *why = text_in(figure, "unmeasured");

	if (!figure)
		return "no such figure";
	return *why ? why : "not measured";
}

/* With spaces for _, as words of labels have it. */
static void put_words(const char *text, FILE *to)
{
	for (; *text; text++)
		fputc(*text == '_' ? ' ' : *text, to);
}

static char *text_end(FILE *to, char **text)
{
	fclose(to);
	return *text;
}

static FILE *text_begin(char **text, size_t *length)
{
	FILE *to = open_memstream(text, length);

	if (!to)
		abort();
	return to;
}

/* A title that goes on from another row's is none here. */
static char *title_of(struct json_object *figure)
{
	const char *title = text_in(figure, "title");
	size_t length;
	char *text;
	FILE *to = text_begin(&text, &length);

	if (*title && strncmp(title, "...", 3))
		fputs(title, to);
	else
		put_words(text_in(json_object_object_get(figure, "labels"), "what"), to);
	return text_end(to, &text);
}

/* "MSR toggled old and new, guest scaled" */
static char *heading_of(struct json_object *figure, const char *title)
{
	size_t length;
	char *text;
	FILE *to = text_begin(&text, &length);

	fputs(title, to);
	json_object_object_foreach(json_object_object_get(figure, "labels"), key, value) {
		if (!strcmp(key, "what"))
			continue;
		fflush(to);
		fputs(length ? ", " : "", to);
		put_words(key, to);
		fprintf(to, " %s", json_object_get_string(value));
	}
	return text_end(to, &text);
}

/* The same figure has the same key in all runs; keys are found by json-c's hash. */
static char *key_of(struct json_object *figure, bool whole)
{
	char *key;
	const char *labels = !whole ? "" :
		json_object_to_json_string_ext(json_object_object_get(figure, "labels"), JSON_C_TO_STRING_PLAIN);

	if (asprintf(&key, "%s\n%s\n%s", text_in(figure, "name"), text_in(figure, "unit"), labels) < 0)
		abort();
	return key;
}

/* The place of KEY in what INDEX has, or the next free one. */
static size_t place_of(struct json_object *index, char *key, size_t next)
{
	struct json_object *place;

	if (json_object_object_get_ex(index, key, &place))
		next = (size_t)json_object_get_int64(place);
	else
		json_object_object_add(index, key, json_object_new_int64((int64_t)next));
	free(key);
	return next;
}

static void *grown(void *array, size_t count, size_t size)
{
	/* Doubled at each power of two. */
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? 2 * count : 1) * size);
	if (!array)
		abort();
	return array;
}

static struct group *group_of(struct table *table, struct json_object *index, struct json_object *figure)
{
	size_t place = place_of(index, key_of(figure, false), table->count);

	if (place == table->count) {
		table->groups = grown(table->groups, table->count, sizeof(*table->groups));
		table->groups[table->count++] = (struct group) { 0 };
	}
	return &table->groups[place];
}

static struct row *row_of(struct group *group, struct json_object *index, struct json_object *figure)
{
	size_t place = place_of(index, key_of(figure, true), group->count);
	struct row *row;

	if (place < group->count)
		return &group->rows[place];
	group->rows = grown(group->rows, group->count, sizeof(*group->rows));
	row = &group->rows[group->count++];
	*row = (struct row) {
		.name = text_in(figure, "name"), .unit = text_in(figure, "unit"),
		.meaning = text_in(figure, "meaning"),
		.title = title_of(figure),
	};
	row->heading = heading_of(figure, row->title);
	return row;
}

/* The limit that ours has goes before another's. */
static void put_figure(struct row *row, struct json_object *figure, int column, bool ours)
{
	struct json_object *limit;

	row->cell[column] = figure;
	if (figure_measured(figure) && magnitude(figure_value(figure)) > row->greatest)
		row->greatest = magnitude(figure_value(figure));
	if (json_object_object_get_ex(figure, "limit", &limit) && (ours || !row->has_limit)) {
		row->limit = magnitude(json_object_get_int64(limit));
		row->has_limit = true;
	}
}

static void fill_column(struct table *table, int column, struct json_object *groups, struct json_object *rows)
{
	struct run *run = table->column[column];
	struct json_object *figures = json_object_object_get(run->doc, "figures");
	size_t i, count = json_object_array_length(figures);

	for (i = 0; i < count; i++) {
		struct json_object *figure = json_object_array_get_idx(figures, i);
		struct group *group = group_of(table, groups, figure);

		put_figure(row_of(group, rows, figure), figure, column, run->ours);
	}
}

/* That of most figures first: its order is that of the rows. */
static void fill_columns(struct table *table, struct json_object *groups, struct json_object *rows)
{
	bool filled[RUNS_MAX] = { false };

	for (int times = 0; times < table->columns; times++) {
		int fullest = -1;
		size_t most = 0;

		for (int i = 0; i < table->columns; i++) {
			size_t count = json_object_array_length(json_object_object_get(table->column[i]->doc, "figures"));

			if (filled[i] || (fullest >= 0 && count <= most))
				continue;
			fullest = i;
			most = count;
		}
		filled[fullest] = true;
		fill_column(table, fullest, groups, rows);
	}
}

static struct table *make_table(struct report *report, const char *verb)
{
	struct table *table = calloc(1, sizeof(*table));
	struct json_object *groups = json_object_new_object(), *rows = json_object_new_object();
	int i;

	if (!table)
		abort();
	table->verb = verb;
	for (i = 0; i < report->count; i++)
		if (!strcmp(report->runs[i].verb, verb))
			table->column[table->columns++] = &report->runs[i];
	fill_columns(table, groups, rows);
	json_object_put(groups);
	json_object_put(rows);
	return table;
}

void report_make_tables(struct report *report)
{
	int i, j;

	for (i = 0; i < report->count; i++) {
		for (j = 0; j < report->table_count; j++)
			if (!strcmp(report->tables[j]->verb, report->runs[i].verb))
				break;
		if (j == report->table_count)
			report->tables[report->table_count++] = make_table(report, report->runs[i].verb);
	}
}

static int by_size(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	return (one->greatest < other->greatest) - (one->greatest > other->greatest);
}

static void bound_table(struct table *table, const struct bounds *bounds)
{
	table->shown = table->count < bounds->groups ? table->count : bounds->groups;
	for (size_t i = 0; i < table->count; i++) {
		struct group *group = &table->groups[i];

		group->shown = group->count;
		if (group->count <= bounds->rows)
			continue;
		qsort(group->rows, group->count, sizeof(*group->rows), by_size);
		group->shown = bounds->rows;
	}
}

void report_bound_tables(struct report *report)
{
	for (int i = 0; i < report->table_count; i++)
		bound_table(report->tables[i], &report->bounds);
}
