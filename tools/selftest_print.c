// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What a selftest comes to, in sentences and as a table. */
#include "selftest.h"

#include <inttypes.h>
#include <string.h>

#include "scene.h"

#define CURE_STOCK "install kvmclock-dkms, whose KVM keeps the clock; or allow it by --budget-ns"
#define CURE_OURS "this KVM is not to do that: report it with what --json prints"

static const char *cure(void)
{
	return host()->line ? CURE_OURS : CURE_STOCK;
}

static void find_back(struct selftest *test)
{
	char text[512];
	struct json_object *figure;

	figure = document_figure(test->doc, "clock_back", (int64_t)test->back_ns, "ns",
				 "Worst that a reading of a guest's clock was less than one before it", NULL);
	object_text(figure, "title", "a guest's clock went back");
	object_uint(figure, "limit", 0);
	if (test->back_ns) {
		snprintf(text, sizeof(text), "A guest's clock went back by up to %" PRIu64
			 " ns: what waits by it may hang, and what orders by it is wrong.", test->back_ns);
		document_finding(test->doc, "clock_back", VERDICT_UNSAFE, text, cure());
	}
	if (test->back_cycles) {
		snprintf(text, sizeof(text), "A guest's TSC went back by up to %" PRIu64
			 " cycles when its frequency was set late: the guest's kernel gives up on it, or hangs.",
			 test->back_cycles);
		document_finding(test->doc, "tsc_back", VERDICT_UNSAFE, text, host()->line ? CURE_OURS :
				 "have the monitor set the frequency before the vCPU first runs, or install kvmclock-dkms");
	}
}

void selftest_find(struct selftest *test)
{
	char text[512];

	find_back(test);
	if (test->worst_ns) {
		snprintf(text, sizeof(text), "The worst figure of a guest's clock was %" PRIu64 " ns: %s%s.",
			 test->worst_ns, test->worst_title,
			 strcmp(test->worst_guest, "unscaled") ? ", guest's TSC scaled" : "");
		document_finding(test->doc, "steps", test->worst_ns >= SELFTEST_WATCHDOG_NS ?
				 VERDICT_UNSAFE : VERDICT_BEYOND_BUDGET, text, cure());
	} else if (document_verdict(test->doc) == VERDICT_GOOD) {
		document_finding(test->doc, "steps", VERDICT_GOOD,
				 "No step or error of a guest's clock was beyond its limit.", NULL);
	}
	if (test->unmeasured) {
		snprintf(text, sizeof(text), "Not all was measured: %s.", test->unmeasured);
		document_finding(test->doc, "unmeasured", VERDICT_UNMEASURED, text,
				 "try again, and report it when it stays so");
	}
}

/* ---- the table ------------------------------------------------------------ */

enum { COLUMNS = 4, WIDTH = 14, TITLE = 56 };

struct row {
	const char *title, *unit, *limit;
	char cell[COLUMNS][24];		/* against same, scaled; this same, scaled */
};

static const char *text_of(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

static void put_cell(char *cell, size_t room, struct json_object *value)
{
	snprintf(cell, room, "%s", value ? json_object_get_string(value) : "-");
}

static int find_row(const struct row *rows, int count, const char *title, const char *unit)
{
	int i;

	for (i = 0; i < count; i++)
		if (!strcmp(rows[i].title, title) && !strcmp(rows[i].unit, unit))
			break;
	return i;
}

static void fill_row(struct row *row, struct json_object *figure)
{
	const char *guest = text_of(json_object_object_get(figure, "labels"), "guest");
	int scaled = guest && !strcmp(guest, "scaled");
	struct json_object *against;

	if (json_object_object_get_ex(figure, "against", &against))
		put_cell(row->cell[scaled], sizeof(row->cell[0]), against);
	put_cell(row->cell[2 + scaled], sizeof(row->cell[0]), json_object_object_get(figure, "value"));
	row->limit = text_of(figure, "limit");
}

static const char *kvm_word(struct json_object *document)
{
	const char *word = text_of(json_object_object_get(document, "host"), "kvm");

	return word ? word : "";
}

static void print_heading(struct document *doc, bool beside, FILE *to)
{
	const char *kvm = kvm_word(document_json(doc)), *other = "";
	char text[COLUMNS][24];

	if (beside)
		other = kvm_word(json_object_object_get(document_json(doc), "against"));
	if (!*other)
		other = "other";
	snprintf(text[0], sizeof(text[0]), "%.9s", other);
	snprintf(text[1], sizeof(text[1]), "%.9s scaled", other);
	snprintf(text[2], sizeof(text[2]), "%.9s", kvm);
	snprintf(text[3], sizeof(text[3]), "%.9s scaled", kvm);
	fprintf(to, "\n%-*s", TITLE, "worst step or error that a guest saw");
	for (int i = beside ? 0 : 2; i < COLUMNS; i++)
		fprintf(to, "  %*s", WIDTH, text[i]);
	fprintf(to, "  %9s\n", "at most");
}

static void print_row(const struct row *row, bool beside, FILE *to)
{
	char title[256];

	snprintf(title, sizeof(title), "%s%s%s", row->title, strcmp(row->unit, "1") ? ", " : "",
		 strcmp(row->unit, "1") ? row->unit : "");
	fprintf(to, "%-*s", TITLE, title);
	for (int i = beside ? 0 : 2; i < COLUMNS; i++)
		fprintf(to, "  %*s", WIDTH, row->cell[i]);
	fprintf(to, "  %9s\n", row->limit ? row->limit : "");
}

static void print_reasons(struct document *doc, FILE *to)
{
	struct json_object *list = document_list(doc, "figures");
	size_t i, j, count = json_object_array_length(list);
	const char *why, *other;

	for (i = 0; i < count; i++) {
		why = text_of(json_object_array_get_idx(list, i), "unmeasured");
		for (j = 0; why && j < i; j++) {
			other = text_of(json_object_array_get_idx(list, j), "unmeasured");
			if (other && !strcmp(other, why))
				why = NULL;
		}
		if (why)
			fprintf(to, "-: %s\n", why);
	}
}

void selftest_print(struct document *doc, FILE *to)
{
	struct json_object *list = document_list(doc, "figures");
	size_t i, count = json_object_array_length(list);
	struct row rows[64] = { 0 };
	bool beside = json_object_object_get(document_json(doc), "against");
	int row, used = 0;

	print_findings(doc, to);
	for (i = 0; i < count; i++) {
		struct json_object *figure = json_object_array_get_idx(list, i);
		const char *title = text_of(figure, "title"), *unit = text_of(figure, "unit");

		row = find_row(rows, used, title, unit);
		if (row == (int)(sizeof(rows) / sizeof(*rows)))
			continue;
		rows[row].title = title;
		rows[row].unit = unit;
		used += row == used;
		fill_row(&rows[row], figure);
	}
	if (used)
		print_heading(doc, beside, to);
	for (row = 0; row < used; row++)
		print_row(&rows[row], beside, to);
	print_reasons(doc, to);
}
