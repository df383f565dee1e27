/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The verb report: documents that other verbs printed, as one page and as a table of text.
 * What is in them is hostile: read.c and valid.c let nothing through whose type is not
 * that of doc/schema/document.json, and html_text() writes all strings.
 */
#ifndef KVMCLOCK_REPORT_H
#define KVMCLOCK_REPORT_H

#include "tools/tool.h"

#define RUNS_MAX 16
#define PAGE_MAX 500000		/* bytes; what does not fit is left out, and that is said */
#define FILE_MAX (64 << 20)
#define MARKS_MAX 12
#define PLOTS_MAX 2000		/* that are looked at */
#define EVENTS_MAX 20		/* the greatest are kept */

/* One document, and the events that were printed before it. */
struct run {
	struct json_object *doc, *host;
	const char *file, *verb, *kvm, *vendor;
	char title[80];			/* "amd stock" */
	bool ours;
	size_t events;
	struct json_object *greatest;	/* array of events */
	size_t other_lines;		/* of the file, that were no JSON */
};

/* A figure, in all runs. */
struct row {
	const char *name, *unit, *meaning;
	char *title, *heading;		/* what it is of, and that with all labels; "" */
	struct json_object *cell[RUNS_MAX];	/* the figure, or NULL */
	uint64_t limit, greatest;	/* magnitudes */
	bool has_limit;
};

/* Rows of one name stand together. */
struct group {
	struct row *rows;
	size_t count, shown;		/* what is not shown, is less than what is */
};

struct table {
	const char *verb;
	struct run *column[RUNS_MAX];
	int columns;
	struct group *groups;
	size_t count, shown;
};

/* A series of one host, in the runs that have it. */
struct plot {
	const char *verb;
	struct run *run[RUNS_MAX];
	struct json_object *series[RUNS_MAX];
	int lines;
	double greatest;		/* magnitude of its points */
	bool flat;			/* all of it is 0, on all hosts */
};

/* What the page is allowed to have, so that it does not become too large. */
struct bounds {
	size_t rows, groups, plots, points;
};

struct report {
	struct run runs[RUNS_MAX];
	int count;
	struct table *tables[RUNS_MAX];
	int table_count;
	struct plot *plots;
	size_t plot_count, plots_shown;	/* first what is shown */
	size_t series_left_out;		/* of no plot: there are too many */
	struct bounds bounds;
	char *verdict_says;
	enum verdict verdict;
	char **svg[2];			/* of each plot that is shown: wide, narrow; free() */
};

/* read.c: 0, or -1 when fail() has said why not. */
int report_read(struct report *report, const char *file);
/* valid.c: true, or why not, into why. */
bool document_valid(struct json_object *doc, char *why, size_t room);
/* runs.c */
void report_name_runs(struct report *report);
/* Of a move or an event: its magnitude, 0 when it has none; for json_object_array_sort(), greatest first. */
uint64_t step_of(struct json_object *item);
int by_step(const void *a, const void *b);
bool same_host(const struct run *a, const struct run *b);

/* table.c */
void report_make_tables(struct report *report);
void report_bound_tables(struct report *report);
bool figure_measured(struct json_object *figure);
int64_t figure_value(struct json_object *figure);
bool beyond(const struct row *row, struct json_object *figure);
const char *why_unmeasured(struct json_object *figure);

/* verdict.c: one sentence, with figures */
void report_judge(struct report *report);
/* text.c */
void report_print_text(struct report *report, FILE *to);
/* Without what a terminal would obey. */
void print_plain(const char *text, FILE *to);

/* plot.c */
void report_make_plots(struct report *report);
bool same_name(const struct plot *a, const struct plot *b);	/* of the same series, maybe of two hosts */
/* Runs gnuplot for what is shown; -1 when fail() has said why not. */
int report_draw_plots(struct report *report);
void report_free_svg(struct report *report);
/* scale.c: what is in a series, and the parts of gnuplot's script that follow from it */
struct span {
	double x_least, x_most, y_least, y_most, y_last;
	double smallest;	/* magnitude of a y that is not 0; 0: all are */
	size_t count;
};
struct span series_span(struct json_object *series);
struct span plot_span(const struct plot *plot);
double farthest(const struct span *span);	/* from 0 */
bool plot_is_even(const struct plot *plot);	/* a linear scale shows all of it */
void print_axes(const struct plot *plot, FILE *script);
/* At most so many: of each stretch the least and the greatest. */
void print_points(struct json_object *series, size_t most, FILE *script);
/* marks.c: what was done, by numbers that stand in the plot */
struct mark {
	const char *says;
	double x[RUNS_MAX];	/* NaN: not in that line */
};
size_t plot_marks(const struct plot *plot, struct mark *marks, size_t *left_out);
void print_marks(const struct plot *plot, FILE *script);
/* gnuplot.c: what it draws for a script; NULL when fail() has said why not. Frees script. */
char *gnuplot_svg(char *script);

/* html.c */
void html_text(const char *text, FILE *to);
void html_number(int64_t value, FILE *to);
struct slot {
	const char *name;
	void (*put)(struct report *report, FILE *to);
};
/* Copies the text, and has what {{NAME}} stands for put in; slots ends in a NULL name. */
void html_fill(const char *text, const char *end, const struct slot *slots, struct report *report, FILE *to);
/* tables.c, figures.c, facts.c: sections of the page */
void html_tables(struct report *report, FILE *to);
void html_plots(struct report *report, FILE *to);
void html_moves(struct report *report, FILE *to);
void html_findings(struct report *report, FILE *to);
void html_hosts(struct report *report, FILE *to);
void html_sources(struct report *report, FILE *to);
/* page.c: the whole of it; 0, or -1 when fail() has said why not. */
int report_page(struct report *report, const char *file, size_t *bytes);

#endif
