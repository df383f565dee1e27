// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The rest of the page: each move, what was found, the hosts, and what all of it is from. */
#include "tools/report/report.h"

#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 8		/* rows of one run's moves or steps */
#define KEYS_MAX 12
#define FINDINGS_MAX 30

static void put_words(const char *text, FILE *to)
{
	char words[200];

	snprintf(words, sizeof(words), "%s", text);
	for (char *c = words; *c; c++)
		if (*c == '_')
			*c = ' ';
	html_text(words, to);
}

static void put_value(struct json_object *value, FILE *to)
{
	if (json_object_is_type(value, json_type_int))
		html_number(json_object_get_int64(value), to);
	else if (json_object_is_type(value, json_type_boolean))
		fputs(json_object_get_boolean(value) ? "yes" : "no", to);
	else if (!value)
		fputs("–", to);
	else
		html_text(json_object_get_string(value), to);
}

static bool is_column(struct json_object *value)
{
	return !json_object_is_type(value, json_type_object) && !json_object_is_type(value, json_type_array);
}

static void put_item_heads(struct json_object *first, FILE *to)
{
	int keys = 0;

	fputs("<thead role=\"rowgroup\"><tr role=\"row\">", to);
	json_object_object_foreach(first, key, value) {
		if (!is_column(value) || keys++ >= KEYS_MAX)
			continue;
		fputs("<th scope=\"col\" role=\"columnheader\">", to);
		put_words(key, to);
		fputs("</th>", to);
	}
	fputs("</tr></thead>\n<tbody role=\"rowgroup\">", to);
}

/* The keys of the first are the columns of all. */
static void put_item(struct json_object *first, struct json_object *item, FILE *to)
{
	int keys = 0;

	fputs("<tr role=\"row\">", to);
	json_object_object_foreach(first, key, unused) {
		struct json_object *value = json_object_object_get(item, key);

		if (!is_column(unused) || keys++ >= KEYS_MAX)
			continue;
		fputs("<td role=\"cell\" data-run=\"", to);
		put_words(key, to);
		fputs("\">", to);
		/* These have words of ours; a name of somebody else's is shown as it is. */
		if (!strcmp(key, "what") || !strcmp(key, "cause"))
			put_words(text_in(item, key), to);
		else
			put_value(is_column(value) ? value : NULL, to);
		fputs("</td>", to);
	}
	fputs("</tr>\n", to);
}

/* Items in order of size: those that have a step, or all when there is no such thing in them. */
static size_t count_steps(struct json_object *items)
{
	size_t count = json_object_array_length(items), i;

	if (!json_object_object_get_ex(json_object_array_get_idx(items, 0), "step_ns", NULL))
		return count;
	for (i = 0; i < count && step_of(json_object_array_get_idx(items, i)); i++)
		continue;
	return i;
}

static void put_items(const struct run *run, struct json_object *items, size_t all, const char *what, FILE *to)
{
	size_t steps = count_steps(items), i;
	struct json_object *first = json_object_array_get_idx(items, 0);

	if (!steps) {
		fputs("<p>", to);
		html_text(run->title, to);
		fprintf(to, ": %zu %s, none of them with a step.</p>\n", all, what);
		return;
	}
	if (steps > ITEMS_MAX)
		steps = ITEMS_MAX;
	fputs("<div class=\"wrap\"><table role=\"table\" class=\"items\"><caption>", to);
	html_text(run->title, to);
	fprintf(to, ": %zu %s", all, what);
	if (steps < all)
		fprintf(to, "; the %zu greatest", steps);
	fputs("</caption>\n", to);
	put_item_heads(first, to);
	for (i = 0; i < steps; i++)
		put_item(first, json_object_array_get_idx(items, i), to);
	fputs("</tbody></table></div>\n", to);
}

static void put_moves(const struct run *run, FILE *to)
{
	struct json_object *moves = json_object_object_get(run->doc, "moves");

	if (!moves || !json_object_array_length(moves))
		return;
	json_object_array_sort(moves, by_step);
	put_items(run, moves, json_object_array_length(moves), "moves", to);
}

void html_moves(struct report *report, FILE *to)
{
	size_t moves = 0, events = 0;

	for (int i = 0; i < report->count; i++) {
		struct json_object *list = json_object_object_get(report->runs[i].doc, "moves");

		moves += list ? json_object_array_length(list) : 0;
		events += report->runs[i].events;
	}
	if (moves)
		fputs("<section><h2 id=\"moves\">Moves</h2>\n", to);
	for (int i = 0; i < report->count; i++)
		put_moves(&report->runs[i], to);
	if (moves)
		fputs("</section>\n", to);
	if (events)
		fputs("<section><h2 id=\"steps\">What watch saw</h2>\n", to);
	for (int i = 0; i < report->count; i++)
		if (report->runs[i].events)
			put_items(&report->runs[i], report->runs[i].greatest, report->runs[i].events, "events", to);
	if (events)
		fputs("</section>\n", to);
}

/* A class is one of our words, whatever the document says. */
static const char *verdict_class(const char *word)
{
	for (int verdict = VERDICT_GOOD; verdict < VERDICT_UNMEASURED; verdict++)
		if (!strcmp(word, verdict_word((enum verdict)verdict)))
			return verdict_word((enum verdict)verdict);
	return verdict_word(VERDICT_UNMEASURED);
}

static void put_verdict(const char *word, FILE *to)
{
	fprintf(to, "<strong class=\"%s\">", verdict_class(word));
	html_text(word, to);
	fputs("</strong>", to);
}

static void put_findings(const struct run *run, FILE *to)
{
	struct json_object *list = json_object_object_get(run->doc, "findings");
	size_t i, count = json_object_array_length(list);

	fputs("<h3>", to);
	html_text(run->verb, to);
	fputs(", ", to);
	html_text(run->title, to);
	fputs("</h3>\n<ul class=\"findings\">", to);
	for (i = 0; i < count && i < FINDINGS_MAX; i++) {
		struct json_object *finding = json_object_array_get_idx(list, i);

		fputs("<li>", to);
		put_verdict(text_in(finding, "verdict"), to);
		fputc(' ', to);
		html_text(text_in(finding, "says"), to);
		if (*text_in(finding, "cure")) {
			fputs(" <em>", to);
			html_text(text_in(finding, "cure"), to);
			fputs("</em>", to);
		}
		fputs("</li>\n", to);
	}
	if (count > FINDINGS_MAX)
		fprintf(to, "<li>%zu more findings are in the document.</li>", count - FINDINGS_MAX);
	fputs(count ? "</ul>\n" : "<li>Nothing was found.</li></ul>\n", to);
}

void html_findings(struct report *report, FILE *to)
{
	for (int i = 0; i < report->count; i++)
		put_findings(&report->runs[i], to);
}

static const struct { const char *key, *says; } facts[] = {
	{ "kvm", "KVM" }, { "kernel", "Kernel" }, { "cpu", "CPU" }, { "tsc_khz", "TSC, kHz" },
	{ "clocksource", "Clocksource" }, { "tsc_scaling", "TSC scaling" },
	{ "tsc_frac_bits", "Bits behind the point of a ratio" }, { "tsc_tolerance_ppm", "Tolerance, ppm" },
	{ "tier", "Tier of a VM's move (0 is exact)" },
};

static void put_fact(const struct report *report, size_t which, FILE *to)
{
	fprintf(to, "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">%s</th>", facts[which].says);
	for (int i = 0; i < report->count; i++) {
		const struct run *run = &report->runs[i];
		struct json_object *value;

		fputs("<td role=\"cell\" data-run=\"", to);
		html_text(run->title, to);
		fputs("\">", to);
		if (run->host && json_object_object_get_ex(run->host, facts[which].key, &value) && is_column(value))
			put_value(value, to);
		else
			fputs("–", to);
		fputs("</td>", to);
	}
	fputs("</tr>\n", to);
}

void html_hosts(struct report *report, FILE *to)
{
	fputs("<div class=\"wrap\"><table role=\"table\" class=\"facts\"><caption>What kvmclock saw of the hosts</caption>\n"
	      "<thead role=\"rowgroup\"><tr role=\"row\"><th scope=\"col\" role=\"columnheader\">Fact</th>", to);
	for (int i = 0; i < report->count; i++) {
		fputs("<th scope=\"col\" role=\"columnheader\">", to);
		html_text(report->runs[i].title, to);
		fputs("</th>", to);
	}
	fputs("</tr></thead>\n<tbody role=\"rowgroup\">", to);
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		put_fact(report, i, to);
	fputs("</tbody></table></div>\n", to);
}

void html_sources(struct report *report, FILE *to)
{
	fputs("<ul>", to);
	for (int i = 0; i < report->count; i++) {
		const struct run *run = &report->runs[i];

		fputs("<li><code>", to);
		html_text(run->file, to);
		fputs("</code>: ", to);
		html_text(run->verb, to);
		fputs(" of ", to);
		html_text(run->title, to);
		fputs(", ", to);
		html_text(text_in(run->doc, "time"), to);
		fputs(", kvmclock ", to);
		html_text(text_in(run->doc, "version"), to);
		fputs(", ", to);
		put_verdict(text_in(run->doc, "verdict"), to);
		if (run->other_lines)
			fprintf(to, "; %zu lines of the file are no JSON, and were passed over", run->other_lines);
		fputs("</li>\n", to);
	}
	fputs("</ul>\n", to);
}
