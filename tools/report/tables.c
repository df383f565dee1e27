// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The tables of figures, on the page.  Roles are said too: on a phone, style.css lays rows out as cards. */
#include "tools/report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Reasons for what is not measured, as notes under a table: 1, 2, ... */
struct notes {
	struct json_object *of;
};

static int note_number(struct notes *notes, const char *why)
{
	struct json_object *number;

	if (!json_object_object_get_ex(notes->of, why, &number)) {
		number = json_object_new_int(json_object_object_length(notes->of) + 1);
		json_object_object_add(notes->of, why, number);
	}
	return json_object_get_int(number);
}

static const char *kind_of(const struct run *run)
{
	return run->ours ? "ours" : strcmp(run->kvm, "stock") ? "other" : "stock";
}

static void put_column_heads(const struct table *table, FILE *to)
{
	fputs("<thead role=\"rowgroup\"><tr role=\"row\"><th scope=\"col\" role=\"columnheader\">Figure</th>", to);
	for (int i = 0; i < table->columns; i++) {
		fprintf(to, "<th scope=\"col\" role=\"columnheader\" class=\"%s\">", kind_of(table->column[i]));
		html_text(table->column[i]->title, to);
		fputs("</th>", to);
	}
	fputs("<th scope=\"col\" role=\"columnheader\">At most</th></tr></thead>\n", to);
}

static void put_unit(const char *unit, FILE *to)
{
	if (!strcmp(unit, "1") || !strcmp(unit, "total"))
		return;
	fputs(" <span class=\"unit\">", to);
	html_text(unit, to);
	fputs("</span>", to);
}

static void put_measured(const struct row *row, struct json_object *figure, FILE *to)
{
	struct json_object *uncertainty;

	html_number(figure_value(figure), to);
	if (json_object_object_get_ex(figure, "uncertainty", &uncertainty) && json_object_get_int64(uncertainty)) {
		fputs(" <span class=\"unit\">±\u202f", to);
		html_number(json_object_get_int64(uncertainty), to);
		fputs("</span>", to);
	}
	put_unit(row->unit, to);
	if (beyond(row, figure))
		fputs("<span class=\"over\"> over</span>", to);
}

static void put_cell(const struct table *table, const struct row *row, int column, struct notes *notes, FILE *to)
{
	struct json_object *figure = row->cell[column];
	const char *state = !figure ? "absent" : !figure_measured(figure) ? "none" :
		beyond(row, figure) ? "beyond" : row->has_limit ? "within" : "plain";

	fprintf(to, "<td role=\"cell\" class=\"%s %s\" data-run=\"", kind_of(table->column[column]), state);
	html_text(table->column[column]->title, to);
	fputs("\">", to);
	if (figure_measured(figure)) {
		put_measured(row, figure, to);
	} else if (figure) {
		int note = note_number(notes, why_unmeasured(figure));

		fprintf(to, "<span class=\"hide\">not measured, note </span><span aria-hidden=\"true\">–</span> "
			"<sup>%d</sup>", note);
	} else {
		fputs("<span class=\"hide\">no such figure</span>", to);
	}
	fputs("</td>", to);
}

static void put_limit(const struct row *row, FILE *to)
{
	fprintf(to, "<td role=\"cell\" class=\"limit%s\" data-run=\"At most\">", row->has_limit ? "" : " absent");
	if (row->has_limit) {
		html_number(row->limit > INT64_MAX ? INT64_MAX : (int64_t)row->limit, to);
		put_unit(row->unit, to);
	}
	fputs("</td></tr>\n", to);
}

static void put_row(const struct table *table, const struct row *row, const char *heading, struct notes *notes,
		    FILE *to)
{
	fputs("<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">", to);
	html_text(heading, to);
	fputs("</th>", to);
	for (int i = 0; i < table->columns; i++)
		put_cell(table, row, i, notes, to);
	put_limit(row, to);
}

static void put_group(const struct table *table, const struct group *group, struct notes *notes, FILE *to)
{
	fputs("<tbody role=\"rowgroup\">", to);
	if (group->count == 1 && !*group->rows[0].heading) {
		put_row(table, &group->rows[0], group->rows[0].meaning, notes, to);
		fputs("</tbody>\n", to);
		return;
	}
	fprintf(to, "<tr role=\"row\" class=\"group\"><th scope=\"rowgroup\" role=\"rowheader\" colspan=\"%d\">",
		table->columns + 2);
	html_text(group->rows[0].meaning, to);
	fputs("</th></tr>\n", to);
	for (size_t r = 0; r < group->shown; r++)
		put_row(table, &group->rows[r], *group->rows[r].heading ? group->rows[r].heading : "in all", notes, to);
	if (group->shown < group->count) {
		fprintf(to, "<tr role=\"row\" class=\"more\"><td role=\"cell\" colspan=\"%d\">The %zu greatest of %zu. "
			"None of the others is greater than ", table->columns + 2, group->shown, group->count);
		html_number((int64_t)(group->rows[group->shown].greatest & INT64_MAX), to);
		put_unit(group->rows[0].unit, to);
		fputs("; the documents have them.</td></tr>\n", to);
	}
	fputs("</tbody>\n", to);
}

static void put_notes(const struct notes *notes, FILE *to)
{
	if (!json_object_object_length(notes->of))
		return;
	fputs("<ol class=\"notes\" aria-label=\"Why figures were not measured\">", to);
	json_object_object_foreach(notes->of, why, unused) {
		(void)unused;
		fputs("<li>Not measured: ", to);
		html_text(why, to);
		fputs("</li>", to);
	}
	fputs("</ol>\n", to);
}

static void put_table(const struct table *table, FILE *to)
{
	struct notes notes = { json_object_new_object() };

	fputs("<h3>", to);
	html_text(table->verb, to);
	fputs("</h3>\n<div class=\"wrap\"><table role=\"table\"><caption>What <code>kvmclock ", to);
	html_text(table->verb, to);
	fprintf(to, "</code> measured, in %d run%s</caption>\n", table->columns, table->columns > 1 ? "s" : "");
	put_column_heads(table, to);
	for (size_t g = 0; g < table->shown; g++)
		put_group(table, &table->groups[g], &notes, to);
	fputs("</table></div>\n", to);
	if (table->shown < table->count)
		fprintf(to, "<p class=\"note\">%zu more kinds of figures are left out; the documents have them.</p>\n",
			table->count - table->shown);
	put_notes(&notes, to);
	json_object_put(notes.of);
}

void html_tables(struct report *report, FILE *to)
{
	bool any = false;

	for (int i = 0; i < report->table_count; i++)
		if (report->tables[i]->count) {
			put_table(report->tables[i], to);
			any = true;
		}
	if (!any)
		fputs("<p class=\"note\">The documents have no figures.</p>\n", to);
}
