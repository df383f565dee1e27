// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The tables as text, for a terminal or a log. */
#include "tools/report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEADING_MAX 72		/* what is wider stands on a line of its own */

void print_plain(const char *text, FILE *to)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, to);
}

/* What a terminal shows of it, in columns, as far as all signs are of one. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static int print_padded(const char *text, int width, FILE *to)
{
	print_plain(text, to);
	return fprintf(to, "%*s", width > width_of(text) ? width - width_of(text) : 0, "");
}

static void cell_text(struct json_object *figure, char *text, size_t room)
{
	if (figure_measured(figure))
		snprintf(text, room, "%" PRId64, figure_value(figure));
	else
		snprintf(text, room, "%s", figure ? "-" : "");
}

static const char *unit_text(const struct row *row)
{
	return strcmp(row->unit, "1") && strcmp(row->unit, "total") ? row->unit : "";
}

/* "Worst step of a guest's clock, ns" */
static char *title_of(const struct row *row)
{
	const char *unit = unit_text(row);
	char *text;

	if (asprintf(&text, "%s%s%s", row->meaning, *unit ? ", " : "", unit) < 0)
		abort();
	return text;
}

static bool stands_alone(const struct group *group)
{
	return group->count == 1 && !*group->rows[0].heading;
}

static int heading_width(const struct table *table)
{
	int width = 0;

	for (size_t g = 0; g < table->shown; g++) {
		const struct group *group = &table->groups[g];

		for (size_t r = 0; r < group->shown; r++) {
			char *title = stands_alone(group) ? title_of(&group->rows[r]) : NULL;
			int own = title ? width_of(title) : 2 + width_of(group->rows[r].heading);

			if (own > width && own <= HEADING_MAX)
				width = own;
			free(title);
		}
	}
	return width;
}

static int column_width(const struct table *table, int column)
{
	int width = width_of(table->column[column]->title);
	char text[32];

	for (size_t g = 0; g < table->shown; g++)
		for (size_t r = 0; r < table->groups[g].shown; r++) {
			cell_text(table->groups[g].rows[r].cell[column], text, sizeof(text));
			if (width_of(text) > width)
				width = width_of(text);
		}
	return width;
}

static void print_cells(const struct table *table, const struct row *row, const int *widths, FILE *to)
{
	char text[32];

	for (int i = 0; i < table->columns; i++) {
		cell_text(row->cell[i], text, sizeof(text));
		fprintf(to, "  %*s", widths[i], text);
	}
	if (row->has_limit)
		fprintf(to, "  %10" PRIu64, row->limit);
	fputc('\n', to);
}

static void print_row(const struct table *table, const struct row *row, const char *heading, int width,
		      const int *widths, FILE *to)
{
	print_padded(heading, width, to);
	if (width_of(heading) > width)
		fprintf(to, "\n%*s", width, "");
	print_cells(table, row, widths, to);
}

static void print_group(const struct table *table, const struct group *group, int width, const int *widths,
			FILE *to)
{
	char *title = title_of(&group->rows[0]), *heading;

	if (stands_alone(group)) {
		print_row(table, &group->rows[0], title, width, widths, to);
		free(title);
		return;
	}
	print_plain(title, to);
	fputc('\n', to);
	for (size_t r = 0; r < group->shown; r++) {
		if (asprintf(&heading, "  %s", *group->rows[r].heading ? group->rows[r].heading : "in all") < 0)
			abort();
		print_row(table, &group->rows[r], heading, width, widths, to);
		free(heading);
	}
	if (group->shown < group->count)
		fprintf(to, "  %zu more, none of them greater than %" PRIu64 "\n", group->count - group->shown,
			group->rows[group->shown].greatest);
	free(title);
}

/* "-: no TSC scaling here (amd stock, amd ours)", a line for each reason */
static void print_reasons(const struct table *table, FILE *to)
{
	struct json_object *reasons = json_object_new_object(), *runs;

	for (int i = 0; i < table->columns; i++)
		for (size_t g = 0; g < table->shown; g++)
			for (size_t r = 0; r < table->groups[g].shown; r++) {
				struct json_object *figure = table->groups[g].rows[r].cell[i];

				if (!figure || figure_measured(figure))
					continue;
				if (!json_object_object_get_ex(reasons, why_unmeasured(figure), &runs)) {
					runs = json_object_new_object();
					json_object_object_add(reasons, why_unmeasured(figure), runs);
				}
				object_bool(runs, table->column[i]->title, true);
			}
	json_object_object_foreach(reasons, why, of) {
		const char *before = " (";

		fputs("-: ", to);
		print_plain(why, to);
		json_object_object_foreach(of, title, unused) {
			(void)unused;
			fputs(before, to);
			print_plain(title, to);
			before = ", ";
		}
		fputs(")\n", to);
	}
	json_object_put(reasons);
}

static void print_table(const struct table *table, FILE *to)
{
	int width = heading_width(table), widths[RUNS_MAX];

	print_padded(table->verb, width, to);
	for (int i = 0; i < table->columns; i++) {
		widths[i] = column_width(table, i);
		fputs("  ", to);
		fprintf(to, "%*s", widths[i] - width_of(table->column[i]->title), "");
		print_plain(table->column[i]->title, to);
	}
	fputs("     at most\n", to);
	for (size_t g = 0; g < table->shown; g++)
		print_group(table, &table->groups[g], width, widths, to);
	if (table->shown < table->count)
		fprintf(to, "%zu more kinds of figures are left out\n", table->count - table->shown);
	print_reasons(table, to);
	fputc('\n', to);
}

void report_print_text(struct report *report, FILE *to)
{
	for (int i = 0; i < report->table_count; i++)
		if (report->tables[i]->count)
			print_table(report->tables[i], to);
	print_plain(report->verdict_says, to);
	fputc('\n', to);
}
