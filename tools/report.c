// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* kvmclock report: documents of other verbs as one page, and as a table of text. */
#include "tools/report/report.h"

#include "verbs.h"

#include <errno.h>
#include <stdlib.h>

#define DEFAULT_PAGE "report.html"

static struct {
	const char *page, *files[RUNS_MAX];
	int count;
} asked = { .page = DEFAULT_PAGE };

static struct report report = { .bounds = { .rows = 24, .groups = 120, .plots = 40, .points = 300 } };
static size_t page_bytes;

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "Write the page to FILE (default " DEFAULT_PAGE ")", 1 },
	{ 0 }
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case 'o':
		asked.page = argument;
		return 0;
	case ARGP_KEY_ARG:
		if (asked.count == RUNS_MAX)
			argp_error(state, "at most %d files on a page", RUNS_MAX);
		asked.files[asked.count++] = argument;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "name a file that kvmclock VERB --json was written to");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void add_runs(struct document *doc)
{
	for (int i = 0; i < report.count; i++) {
		const struct run *run = &report.runs[i];
		struct json_object *item = document_item(doc, "runs");

		object_text(item, "file", run->file);
		object_text(item, "verb", run->verb);
		object_text(item, "title", run->title);
		object_text(item, "kvm", run->kvm);
		object_text(item, "verdict", text_in(run->doc, "verdict"));
		object_uint(item, "figures", json_object_array_length(json_object_object_get(run->doc, "figures")));
		object_uint(item, "events", run->events);
	}
}

static void add_figures(struct document *doc)
{
	size_t rows = 0, left_out = 0;

	for (int i = 0; i < report.table_count; i++)
		for (size_t g = 0; g < report.tables[i]->count; g++) {
			struct group *group = &report.tables[i]->groups[g];
			size_t shown = g < report.tables[i]->shown ? group->shown : 0;

			rows += shown;
			left_out += group->count - shown;
		}
	document_figure(doc, "report_page", (int64_t)page_bytes, "bytes", "Size of the page", NULL);
	document_figure(doc, "report_rows", (int64_t)rows, "1", "Figures on the page, of all runs", NULL);
	document_figure(doc, "report_rows_left_out", (int64_t)left_out, "1", "Figures that are not on the page", NULL);
	document_figure(doc, "report_plots", (int64_t)report.plots_shown, "1", "Plots on the page", NULL);
	document_figure(doc, "report_plots_left_out", (int64_t)(report.plot_count - report.plots_shown), "1",
			"Plots that are not on the page, or 0 throughout", NULL);
}

static int run(struct document *doc)
{
	for (int i = 0; i < asked.count; i++) {
		progress("reading %s", asked.files[i]);
		if (report_read(&report, asked.files[i]) < 0)
			return -1;
	}
	report_name_runs(&report);
	report_make_tables(&report);
	report_make_plots(&report);
	report_judge(&report);
	if (report_page(&report, asked.page, &page_bytes) < 0)
		return -1;
	document_finding(doc, "report", report.verdict, report.verdict_says, NULL);
	object_text(document_json(doc), "page", asked.page);
	add_runs(doc);
	add_figures(doc);
	return 0;
}

static void print(struct document *doc, FILE *to)
{
	(void)doc;
	if (!page_bytes)
		return;
	report_print_text(&report, to);
	fputs("\npage: ", to);
	print_plain(asked.page, to);
	fputc('\n', to);
}

const struct verb verb_report = {
	.name = "report", .says = "One page of what other verbs printed: figures, plots, stock beside ours",
	.arguments = "FILE.json...",
	.explains = "Each FILE has what selftest, check or watch printed with --json, or the output of a lab's host "
		    "with that in it. The page is one file of HTML for a browser, offline, without scripts; "
		    "the same figures are printed as a table. The verdict is that of our KVM's figures, and of "
		    "all when there are none of it.",
	.options = options, .parse = parse, .run = run, .print = print,
};
