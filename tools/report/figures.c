// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The plots on the page, and in words what is to be seen in each. */
#include "tools/report/report.h"

#include <math.h>
#include <string.h>

#define FLAT_NAMED_MAX 40

static const char *line_name(const struct plot *plot, int line)
{
	for (int i = 0; i < plot->lines; i++)
		if (i != line && !strcmp(plot->run[i]->kvm, plot->run[line]->kvm))
			return plot->run[line]->title;
	return *plot->run[line]->kvm ? plot->run[line]->kvm : plot->run[line]->title;
}

static void put_number(double number, FILE *to)
{
	if (number == floor(number) && fabs(number) < 1e15)
		html_number((int64_t)number, to);
	else
		fprintf(to, "<data value=\"%.12g\">%s%.6g</data>", number, number < 0 ? "−" : "", fabs(number));
}

static void put_with_unit(double number, const char *unit, FILE *to)
{
	put_number(number, to);
	fputs("\u00a0", to);
	html_text(unit, to);
}

/* "ours: 0 ns throughout, in 812 points." */
static void put_line_words(const struct plot *plot, int line, FILE *to)
{
	struct span span = series_span(plot->series[line]);
	const char *unit = text_in(plot->series[line], "y_unit");

	if (span.y_least == span.y_most) {
		put_with_unit(span.y_most, unit, to);
		fprintf(to, " throughout, in %zu points", span.count);
	} else {
		fputs("from ", to);
		put_number(span.y_least, to);
		fputs(" to ", to);
		put_with_unit(span.y_most, unit, to);
		fprintf(to, ", in %zu points, the last of them ", span.count);
		put_with_unit(span.y_last, unit, to);
	}
}

static void put_key(const struct plot *plot, FILE *to)
{
	fputs("<ul class=\"key\">", to);
	for (int i = 0; i < plot->lines; i++) {
		const struct run *run = plot->run[i];

		fprintf(to, "<li class=\"%s\"><b>", run->ours ? "ours" : strcmp(run->kvm, "stock") ? "other" : "stock");
		html_text(line_name(plot, i), to);
		fputs("</b>: ", to);
		put_line_words(plot, i, to);
		fputs("</li>", to);
	}
	fputs("</ul>", to);
}

/* What one who does not see the plot is told in its place; the list below it has the figures. */
static void put_label(const struct plot *plot, FILE *to)
{
	fputs("Plot: ", to);
	html_text(text_in(plot->series[0], "title"), to);
	fputs(", ", to);
	html_text(text_in(plot->series[0], "y_unit"), to);
	fputs(" over ", to);
	html_text(text_in(plot->series[0], "x_unit"), to);
	for (int i = 0; i < plot->lines; i++) {
		struct span span = series_span(plot->series[i]);

		fputs(". ", to);
		html_text(plot->run[i]->title, to);
		if (span.y_least == span.y_most)
			fprintf(to, ": %.12g throughout", span.y_least);
		else
			fprintf(to, ": from %.12g to %.12g, last %.12g", span.y_least, span.y_most, span.y_last);
	}
}

static void put_svg(const struct report *report, size_t which, bool narrow, FILE *to)
{
	fprintf(to, "<svg class=\"%s\" viewBox=\"0 0 %s\" role=\"img\" aria-label=\"", narrow ? "narrow" : "wide",
		narrow ? "350 230" : "540 270");
	put_label(&report->plots[which], to);
	fprintf(to, "\">%s</svg>\n", report->svg[narrow][which]);
}

static bool at_one_time(const struct plot *plot, const struct mark *mark)
{
	struct span span = plot_span(plot);
	double least = INFINITY, most = -INFINITY;

	for (int line = 0; line < plot->lines; line++) {
		if (isnan(mark->x[line]))
			return false;
		least = fmin(least, mark->x[line]);
		most = fmax(most, mark->x[line]);
	}
	return most - least < (span.x_most - span.x_least) * 0.01;
}

/* ", at 102.4 ms (stock), 113 ms (ours)"; once where it was nearly the same time. */
static void put_times(const struct plot *plot, const struct mark *mark, FILE *to)
{
	bool once = at_one_time(plot, mark);
	const char *before = ", at ";

	for (int line = 0; line < (once ? 1 : plot->lines); line++) {
		if (isnan(mark->x[line]))
			continue;
		fprintf(to, "%s%.4g\u00a0", before, mark->x[line]);
		html_text(text_in(plot->series[line], "x_unit"), to);
		if (!once) {
			fputs(" (", to);
			html_text(line_name(plot, line), to);
			fputc(')', to);
		}
		before = ", ";
	}
}

static void put_marks(const struct plot *plot, FILE *to)
{
	struct mark marks[MARKS_MAX];
	size_t left_out, count = plot_marks(plot, marks, &left_out), i;

	if (count)
		fputs("<ol class=\"marks\">", to);
	for (i = 0; i < count; i++) {
		fputs("<li>", to);
		html_text(marks[i].says, to);
		put_times(plot, &marks[i], to);
		fputs("</li>", to);
	}
	if (count)
		fputs("</ol>", to);
	if (left_out)
		fprintf(to, "<p class=\"note\">%zu more marks are left out.</p>", left_out);
}

static void put_plot(const struct report *report, size_t which, FILE *to)
{
	const struct plot *plot = &report->plots[which];
	const char *cpu = text_in(plot->run[0]->host, "cpu");

	fputs("<figure><figcaption>", to);
	html_text(*plot->run[0]->vendor ? plot->run[0]->vendor : "a host", to);
	if (*cpu) {
		fputs(" <span class=\"unit\">", to);
		html_text(cpu, to);
		fputs("</span>", to);
	}
	fputs("</figcaption>\n", to);
	put_svg(report, which, false, to);
	put_svg(report, which, true, to);
	put_key(plot, to);
	put_marks(plot, to);
	fputs("</figure>\n", to);
}

static bool begins_name(const struct report *report, size_t which)
{
	return !which || !same_name(&report->plots[which], &report->plots[which - 1]);
}

static void put_heading(const struct plot *plot, FILE *to)
{
	struct json_object *series = plot->series[0];

	fputs("<h3>", to);
	html_text(text_in(series, "title"), to);
	fputs("</h3>\n<p class=\"note\">", to);
	html_text(text_in(series, "y_unit"), to);
	fputs(" over ", to);
	html_text(text_in(series, "x_unit"), to);
	fputs("</p>\n<div class=\"plots\">", to);
}

static void put_flat(const struct plot *plot, FILE *to)
{
	fputs("<li>", to);
	html_text(text_in(plot->series[0], "title"), to);
	fputs(" (", to);
	for (int i = 0; i < plot->lines; i++) {
		fputs(i ? ", " : "", to);
		html_text(plot->run[i]->title, to);
	}
	fputs(")</li>", to);
}

/* What is not drawn: it is 0 throughout, or there is no room. */
static void put_rest(const struct report *report, bool flat, const char *heading, FILE *to)
{
	size_t count = 0;

	for (size_t i = report->plots_shown; i < report->plot_count; i++) {
		if (report->plots[i].flat != flat)
			continue;
		if (!count++)
			fprintf(to, "<h3>%s</h3>\n<ul class=\"flat\">", heading);
		if (count <= FLAT_NAMED_MAX)
			put_flat(&report->plots[i], to);
	}
	if (count > FLAT_NAMED_MAX)
		fprintf(to, "<li>and %zu more</li>", count - FLAT_NAMED_MAX);
	if (count)
		fputs("</ul>\n", to);
}

static bool is_alone(const struct report *report, size_t which)
{
	return begins_name(report, which) && (which + 1 >= report->plots_shown || begins_name(report, which + 1));
}

/* Those of a name have a row of their own; one alone stands beside another. */
void html_plots(struct report *report, FILE *to)
{
	fputs("<div class=\"series\">", to);
	for (size_t i = 0; i < report->plots_shown; i++) {
		if (begins_name(report, i)) {
			fprintf(to, "%s<section class=\"plot%s\">", i ? "</div></section>\n" : "",
				is_alone(report, i) ? "" : " row");
			put_heading(&report->plots[i], to);
		}
		put_plot(report, i, to);
	}
	fputs(report->plots_shown ? "</div></section></div>\n" : "</div>\n", to);
	if (!report->plots_shown)
		fputs("<p class=\"note\">The documents have no series to draw.</p>\n", to);
	if (report->series_left_out)
		fprintf(to, "<p class=\"note\">%zu more series are in the documents.</p>\n", report->series_left_out);
	put_rest(report, false, "Left out, for the page not to be too large", to);
	put_rest(report, true, "Not drawn: 0 throughout, in all runs", to);
}
