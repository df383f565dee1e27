// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* One sentence that says what came out, from the figures: nothing in it is known beforehand. */
#include "tools/report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TOLD_MAX 5
#define OWN_LIMITS_MAX 1000	/* rows of one name */

/* What is told of some rows: "amd ours, MSR toggled: 3 ns, at most 0; ...". */
struct told {
	char *text;
	size_t room, count;
	FILE *to;
};

struct tally {
	struct told faults, own_limits;
	size_t judged, hosts, stock_judged, stock_beyond;
	bool ours, stock;
	uint64_t stock_worst;
	const struct row *stock_row;
	const struct run *stock_run;
};

static void told_open(struct told *told)
{
	told->to = open_memstream(&told->text, &told->room);
	if (!told->to)
		abort();
}

static bool tell_next(struct told *told)
{
	if (++told->count > TOLD_MAX)
		return false;
	if (told->count > 1)
		fputs("; ", told->to);
	return true;
}

static void told_close(struct told *told)
{
	if (told->count > TOLD_MAX)
		fprintf(told->to, "; and %zu more", told->count - TOLD_MAX);
	fclose(told->to);
}

static const char *called(const struct row *row)
{
	return *row->heading ? row->heading : row->meaning;
}

static void fault(struct tally *tally, const struct run *run, const struct row *row, const char *why)
{
	if (tell_next(&tally->faults))
		fprintf(tally->faults.to, "%s, %.120s: %.120s", run->title, called(row), why);
}

/* The stock KVM's figure on the same host. */
static struct json_object *stock_cell(const struct table *table, const struct row *row, int column, bool *run)
{
	*run = false;
	for (int i = 0; i < table->columns; i++) {
		if (table->column[i]->ours || !same_host(table->column[i], table->column[column]))
			continue;
		*run = true;
		if (row->cell[i])
			return row->cell[i];
	}
	return NULL;
}

/* Where neither KVM can, for the same reason, it is no fault of ours. */
static void judge_missing(struct tally *tally, const struct table *table, const struct row *row, int column)
{
	bool stock;
	struct json_object *other = stock_cell(table, row, column, &stock);
	const char *why = why_unmeasured(row->cell[column]);

	if (!row->cell[column] && (!other || !figure_measured(other)))
		return;
	if (row->cell[column] && (!stock || (other && !figure_measured(other) &&
					     !strcmp(why_unmeasured(other), why))))
		return;
	fault(tally, table->column[column], row, why);
}

static void judge_ours(struct tally *tally, const struct table *table, const struct row *row, int column)
{
	struct json_object *figure = row->cell[column];
	char why[80];

	tally->ours = true;
	if (!figure_measured(figure)) {
		judge_missing(tally, table, row, column);
		return;
	}
	tally->judged++;
	if (!beyond(row, figure))
		return;
	snprintf(why, sizeof(why), "%" PRId64 " %.20s, at most %" PRIu64, figure_value(figure), row->unit, row->limit);
	fault(tally, table->column[column], row, why);
}

static void judge_stock(struct tally *tally, const struct row *row, const struct run *run, struct json_object *figure)
{
	uint64_t size;

	tally->stock = true;
	if (!figure_measured(figure))
		return;
	tally->stock_judged++;
	tally->stock_beyond += beyond(row, figure);
	size = magnitude(figure_value(figure));
	if (strcmp(row->unit, "ns") || size < tally->stock_worst)
		return;
	tally->stock_worst = size;
	tally->stock_row = row;
	tally->stock_run = run;
}

static uint64_t worst_of_ours(const struct table *table, const struct row *row)
{
	uint64_t worst = 0;

	for (int i = 0; i < table->columns; i++)
		if (table->column[i]->ours && figure_measured(row->cell[i]) &&
		    magnitude(figure_value(row->cell[i])) > worst)
			worst = magnitude(figure_value(row->cell[i]));
	return worst;
}

/* Rows that differ in the guest alone are told once. */
static void tell_own_limits(struct tally *tally, const struct table *table, const struct group *group)
{
	for (size_t r = 0; r < group->count; r++) {
		const struct row *row = &group->rows[r];
		uint64_t worst = 0;
		bool before = false;

		for (size_t i = 0; row->has_limit && row->limit && i < group->count; i++) {
			if (strcmp(row->title, group->rows[i].title) || row->limit != group->rows[i].limit)
				continue;
			before |= i < r;
			if (worst_of_ours(table, &group->rows[i]) > worst)
				worst = worst_of_ours(table, &group->rows[i]);
		}
		if (worst && !before && tell_next(&tally->own_limits))
			fprintf(tally->own_limits.to, "%.120s: %" PRIu64 " %.20s, at most %" PRIu64,
				*row->title ? row->title : row->meaning, worst, row->unit, row->limit);
	}
}

static void judge_row(struct tally *tally, const struct table *table, const struct row *row)
{
	if (!row->has_limit)
		return;
	for (int i = 0; i < table->columns; i++) {
		if (table->column[i]->ours)
			judge_ours(tally, table, row, i);
		else if (!strcmp(table->column[i]->kvm, "stock"))
			judge_stock(tally, row, table->column[i], row->cell[i]);
	}
}

static void judge_table(struct tally *tally, const struct table *table)
{
	for (size_t g = 0; g < table->count; g++) {
		for (size_t r = 0; r < table->groups[g].count; r++)
			judge_row(tally, table, &table->groups[g].rows[r]);
		if (table->groups[g].count < OWN_LIMITS_MAX)
			tell_own_limits(tally, table, &table->groups[g]);
	}
}

static size_t count_hosts(const struct report *report)
{
	size_t hosts = 0;

	for (int i = 0; i < report->count; i++) {
		int j = 0;

		while (j < i && !(report->runs[j].ours && same_host(&report->runs[i], &report->runs[j])))
			j++;
		hosts += report->runs[i].ours && j == i;
	}
	return hosts;
}

static void say_ours(const struct tally *tally, FILE *to)
{
	if (tally->faults.count) {
		fprintf(to, "Our clock is NOT within its limits: %s", tally->faults.text);
	} else {
		if (tally->hosts > 2)
			fprintf(to, "On all %zu hosts", tally->hosts);
		else
			fputs(tally->hosts == 2 ? "On both hosts" : "On this host", to);
		fprintf(to, " every step and error of our clock was 0");
		if (tally->own_limits.count)
			fprintf(to, ", but for what has a limit of its own (%s)", tally->own_limits.text);
	}
	if (tally->stock_row)
		fprintf(to, "; the worst figure of the stock clock was %" PRIu64 " ns", tally->stock_worst);
	fputc('.', to);
}

static void say_stock(const struct tally *tally, FILE *to)
{
	fprintf(to, "Of the stock clock, %zu of %zu figures are beyond their limits", tally->stock_beyond,
		tally->stock_judged);
	if (tally->stock_row && tally->stock_worst)
		fprintf(to, "; the worst was %" PRIu64 " ns (%s, %.120s)", tally->stock_worst,
			tally->stock_run->title, called(tally->stock_row));
	fputs(". No run of our clock is beside it.", to);
}

static enum verdict verdict_of(const struct run *run)
{
	for (int verdict = VERDICT_GOOD; verdict < VERDICT_UNMEASURED; verdict++)
		if (!strcmp(text_in(run->doc, "verdict"), verdict_word((enum verdict)verdict)))
			return (enum verdict)verdict;
	return VERDICT_UNMEASURED;
}

/* Without figures that have a limit: what the runs found themselves. */
static void say_findings(const struct report *report, FILE *to)
{
	for (int i = 0; i < report->count; i++) {
		const struct run *run = &report->runs[i];
		struct json_object *list = json_object_object_get(run->doc, "findings");
		size_t f, count = json_object_array_length(list);

		fprintf(to, "%s%s of %s: %s", i ? "; " : "", run->verb, run->title, text_in(run->doc, "verdict"));
		for (f = 0; f < count; f++) {
			struct json_object *finding = json_object_array_get_idx(list, f);

			if (strcmp(text_in(finding, "verdict"), text_in(run->doc, "verdict")))
				continue;
			fprintf(to, " (%.200s)", text_in(finding, "says"));
			break;
		}
	}
	fputc('.', to);
}

static void worse(struct report *report, enum verdict verdict)
{
	static const int badness[] = { [VERDICT_GOOD] = 0, [VERDICT_UNMEASURED] = 1,
				       [VERDICT_BEYOND_BUDGET] = 2, [VERDICT_UNSAFE] = 3 };

	if (badness[verdict] > badness[report->verdict])
		report->verdict = verdict;
}

/* Of our runs if there are any: stock beside them is what they are compared with. */
static void judge_runs(struct report *report, const struct tally *tally)
{
	for (int i = 0; i < report->count; i++)
		if (!tally->hosts || report->runs[i].ours)
			worse(report, verdict_of(&report->runs[i]));
	if (tally->faults.count)
		worse(report, VERDICT_BEYOND_BUDGET);
}

void report_judge(struct report *report)
{
	struct tally tally = { .hosts = count_hosts(report) };
	size_t room;
	FILE *to = open_memstream(&report->verdict_says, &room);

	if (!to)
		abort();
	told_open(&tally.faults);
	told_open(&tally.own_limits);
	for (int i = 0; i < report->table_count; i++)
		judge_table(&tally, report->tables[i]);
	told_close(&tally.faults);
	told_close(&tally.own_limits);
	if (tally.judged || tally.faults.count)
		say_ours(&tally, to);
	else if (tally.stock_judged)
		say_stock(&tally, to);
	else
		say_findings(report, to);
	fclose(to);
	judge_runs(report, &tally);
	free(tally.faults.text);
	free(tally.own_limits.text);
}
