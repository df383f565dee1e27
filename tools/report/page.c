// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The page: page.html with what is of this report put in, no larger than it may be, and whole or not at all. */
#include "tools/report/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "file.h"

/* embed.S */
extern const char report_page_html[], report_page_html_end[];
extern const char report_style_css[], report_style_css_end[];
extern const char report_style_hash[], report_style_hash_end[];

static void put_style(struct report *report, FILE *to)
{
	(void)report;
	fwrite(report_style_css, 1, (size_t)(report_style_css_end - report_style_css), to);
}

static void put_style_hash(struct report *report, FILE *to)
{
	(void)report;
	fwrite(report_style_hash, 1, (size_t)(report_style_hash_end - report_style_hash), to);
}

static void put_titles(struct report *report, FILE *to)
{
	for (int i = 0; i < report->count; i++) {
		fputs(i ? ", " : "", to);
		html_text(report->runs[i].title, to);
	}
}

static void put_verdict(struct report *report, FILE *to)
{
	static const char *const words[] = {
		[VERDICT_GOOD] = "Good", [VERDICT_BEYOND_BUDGET] = "Beyond a limit",
		[VERDICT_UNSAFE] = "Unsafe", [VERDICT_UNMEASURED] = "Not all was measured",
	};

	fprintf(to, "<p class=\"verdict %s\"><strong>%s</strong> ", verdict_word(report->verdict),
		words[report->verdict]);
	html_text(report->verdict_says, to);
	fputs("</p>", to);
}

static void put_time(struct report *report, FILE *to)
{
	time_t now = time(NULL);
	struct tm utc;
	char text[32];

	(void)report;
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &utc));
	fputs(text, to);
}

static void put_version(struct report *report, FILE *to)
{
	(void)report;
	fputs(KVMCLOCK_VERSION, to);
}

static const struct slot slots[] = {
	{ "style", put_style }, { "style_hash", put_style_hash }, { "titles", put_titles },
	{ "verdict", put_verdict }, { "time", put_time }, { "version", put_version },
	{ "tables", html_tables }, { "plots", html_plots }, { "moves", html_moves },
	{ "findings", html_findings }, { "hosts", html_hosts }, { "sources", html_sources },
	{ NULL, NULL },
};

static char *page_text(struct report *report, size_t *bytes)
{
	char *text;
	FILE *to = open_memstream(&text, bytes);

	if (!to)
		abort();
	html_fill(report_page_html, report_page_html_end, slots, report, to);
	fclose(to);
	return text;
}

/* Half of all, as often as it takes. */
static void tighten(struct bounds *bounds)
{
	bounds->rows = bounds->rows / 2 + 1;
	bounds->groups = bounds->groups / 2 + 1;
	bounds->plots /= 2;
	bounds->points = bounds->points / 2 + 2;
}

static char *page_that_fits(struct report *report, size_t *bytes)
{
	for (int times = 0; times < 10; times++) {
		char *text = NULL;

		report_bound_tables(report);
		if (!report_draw_plots(report))
			text = page_text(report, bytes);
		report_free_svg(report);
		if (!text || *bytes < PAGE_MAX)
			return text;
		free(text);
		tighten(&report->bounds);
	}
	fail("page", "not below %d bytes: make it of fewer documents", PAGE_MAX);
	return NULL;
}

int report_page(struct report *report, const char *file, size_t *bytes)
{
	char *text = page_that_fits(report, bytes);
	int result = text ? file_write(file, text, *bytes, true) : -1;

	free(text);
	return result;
}
