// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Series of the same name from the same host, in one plot; those where something is to be seen first. */
#include "tools/report/report.h"

#include <stdlib.h>
#include <string.h>

#define FLAT_MAX 4		/* plots of nothing but 0, when there are no others */
#define POINTS_SHOWN 40		/* up to so many, each is drawn as a point, too */

/* style.css has what these look like */
enum colour { COLOUR_OURS = 0x010110, COLOUR_STOCK = 0x010120, COLOUR_OTHER = 0x010130 };

static bool same_series(struct json_object *a, struct json_object *b)
{
	return !strcmp(text_in(a, "name"), text_in(b, "name")) && !strcmp(text_in(a, "title"), text_in(b, "title"));
}

bool same_name(const struct plot *a, const struct plot *b)
{
	return !strcmp(a->verb, b->verb) && same_series(a->series[0], b->series[0]);
}

/* NULL when there are too many. */
static struct plot *plot_of(struct report *report, const struct run *run, struct json_object *series)
{
	struct plot *plot;

	for (size_t i = 0; i < report->plot_count; i++) {
		plot = &report->plots[i];
		if (!strcmp(plot->verb, run->verb) && same_series(plot->series[0], series) &&
		    same_host(plot->run[0], run) && plot->run[plot->lines - 1] != run)
			return plot;
	}
	if (report->plot_count == PLOTS_MAX)
		return NULL;
	report->plots = realloc(report->plots, (report->plot_count + 1) * sizeof(*plot));
	if (!report->plots)
		abort();
	plot = &report->plots[report->plot_count++];
	*plot = (struct plot) { .verb = run->verb };
	return plot;
}

static void add_series(struct report *report, struct run *run, struct json_object *series)
{
	struct plot *plot;

	if (!json_object_array_length(json_object_object_get(series, "points")))
		return;
	plot = plot_of(report, run, series);
	if (!plot) {
		report->series_left_out++;
		return;
	}
	plot->run[plot->lines] = run;
	plot->series[plot->lines++] = series;
}

/* What is 0 on one host is worth seeing beside another where it is not. */
static void find_flat(struct report *report)
{
	for (size_t i = 0; i < report->plot_count; i++) {
		struct span span = plot_span(&report->plots[i]);
		bool flat = farthest(&span) == 0;
		size_t first = 0;

		report->plots[i].greatest = farthest(&span);
		while (!same_name(&report->plots[first], &report->plots[i]))
			first++;
		if (first == i)
			report->plots[i].flat = flat;
		for (size_t j = first; j <= i; j++)
			if (same_name(&report->plots[j], &report->plots[i]))
				report->plots[j].flat = report->plots[first].flat && flat;
	}
}

static int by_size(const void *a, const void *b)
{
	const struct plot *one = a, *other = b;

	return (one->greatest < other->greatest) - (one->greatest > other->greatest);
}

/* Of the same name beside each other, in the order in which names came; flat ones behind. */
static void order_plots(struct report *report)
{
	struct plot *ordered = calloc(report->plot_count + 1, sizeof(*ordered));
	size_t count = 0, i, j;

	if (!ordered)
		abort();
	for (int flat = 0; flat < 2; flat++)
		for (i = 0; i < report->plot_count; i++)
			for (j = i; j < report->plot_count && report->plots[i].lines; j++) {
				struct plot *plot = &report->plots[j];

				if (plot->flat != flat || !plot->lines || !same_name(plot, &report->plots[i]))
					continue;
				ordered[count++] = *plot;
				if (j != i)
					plot->lines = 0;	/* it has its place */
			}
	free(report->plots);
	report->plots = ordered;
}

void report_make_plots(struct report *report)
{
	for (int i = 0; i < report->count; i++) {
		struct json_object *list;
		size_t s, count;

		if (!json_object_object_get_ex(report->runs[i].doc, "series", &list))
			continue;
		count = json_object_array_length(list);
		for (s = 0; s < count; s++)
			add_series(report, &report->runs[i], json_object_array_get_idx(list, s));
	}
	find_flat(report);
	/* Where not all have room, the greatest. */
	if (report->plot_count > report->bounds.plots)
		qsort(report->plots, report->plot_count, sizeof(*report->plots), by_size);
	order_plots(report);
}

static enum colour colour_of(const struct run *run)
{
	if (run->ours)
		return COLOUR_OURS;
	return strcmp(run->kvm, "stock") ? COLOUR_OTHER : COLOUR_STOCK;
}

/* Ours is wide and drawn first, so that both are seen where they are one. */
static void print_line(const struct plot *plot, int line, const char *before, FILE *script)
{
	const struct run *run = plot->run[line];
	bool points = json_object_array_length(json_object_object_get(plot->series[line], "points")) <= POINTS_SHOWN;
	int same = 1;

	for (int i = 0; i < line; i++)
		same += colour_of(plot->run[i]) == colour_of(run);
	fprintf(script, "%s$line%d using 1:2 with %s lc rgb '#%06x' lw %s dt %d %s title '%s'", before, line,
		points ? "linespoints" : "lines", colour_of(run), run->ours ? "4" : "1.6", same,
		points ? run->ours ? "pt 6 ps 0.5" : "pt 6 ps 0.3" : "", run->ours ? "ours" : "stock");
}

static char *script_of(const struct plot *plot, size_t points, bool narrow)
{
	size_t room;
	char *script;
	FILE *to = open_memstream(&script, &room);
	const char *before = "plot ";
	int i, ours;

	if (!to)
		abort();
	fprintf(to, "set terminal svg size %s dynamic font 'system-ui,%d' noenhanced\nset encoding utf8\nset minussign\n"
		"set border 1 lc rgb '#010102'\nset grid ytics lt 1 lc rgb '#010103' lw 1\nunset key\n"
		"set tics nomirror tc rgb '#010101' scale 0.5\nset ytics scale 0\nset tmargin 2\nset rmargin 2\n",
		narrow ? "350,230" : "540,270", narrow ? 12 : 13);
	print_axes(plot, to);
	print_marks(plot, to);
	for (i = 0; i < plot->lines; i++) {
		fprintf(to, "$line%d << END\n", i);
		print_points(plot->series[i], points, to);
		fputs("END\n", to);
	}
	for (ours = 1; ours >= 0; ours--)
		for (i = 0; i < plot->lines; i++)
			if (plot->run[i]->ours == ours) {
				print_line(plot, i, before, to);
				before = ", ";
			}
	fputc('\n', to);
	fclose(to);
	return script;
}

/* All that are not flat, as far as they may be; flat ones when there is little else. */
static void choose_plots(struct report *report)
{
	size_t shown = 0;

	while (shown < report->plot_count && shown < report->bounds.plots &&
	       (!report->plots[shown].flat || shown < FLAT_MAX))
		shown++;
	report->plots_shown = shown;
}

int report_draw_plots(struct report *report)
{
	choose_plots(report);
	for (int narrow = 0; narrow < 2; narrow++) {
		report->svg[narrow] = calloc(report->plots_shown + 1, sizeof(char *));
		if (!report->svg[narrow])
			abort();
		for (size_t i = 0; i < report->plots_shown; i++) {
			progress("plot %zu of %zu", i + 1, report->plots_shown);
			report->svg[narrow][i] = gnuplot_svg(script_of(&report->plots[i], report->bounds.points, narrow));
			if (!report->svg[narrow][i])
				return -1;
		}
	}
	return 0;
}

void report_free_svg(struct report *report)
{
	for (int narrow = 0; narrow < 2; narrow++) {
		for (size_t i = 0; report->svg[narrow] && i < report->plots_shown; i++)
			free(report->svg[narrow][i]);
		free(report->svg[narrow]);
		report->svg[narrow] = NULL;
	}
}
