/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the verbs of the kvmclock command share.  A verb builds one document
 * (doc/schema/document.json), and one place prints it: as text, as JSON or for Prometheus.
 */
#ifndef KVMCLOCK_TOOL_H
#define KVMCLOCK_TOOL_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <json-c/json.h>

/* The exit codes, and what a finding or a whole document comes to. */
enum verdict {
	VERDICT_GOOD = 0,
	VERDICT_BEYOND_BUDGET = 1,
	VERDICT_UNSAFE = 2,
	VERDICT_UNMEASURED = 3,
	VERDICT_USAGE = 64,
};

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_PROMETHEUS };

/* Which of the settings below a verb uses; it has no option for another. */
enum { USES_BUDGET_NS = 1, USES_BUDGET_PPB = 2, USES_ROOT = 4 };

/* What the options that several verbs have say. */
struct settings {
	enum format format;
	uint64_t budget_ns;	/* 0: nothing is tolerated */
	uint64_t budget_ppb;
	const char *root;	/* /proc, /sys and /dev are looked for below it; "" */
};
extern struct settings settings;

struct document;

struct verb {
	const char *name;
	const char *says;		/* one line, for kvmclock --help */
	const char *arguments;		/* as argp's args_doc, or NULL */
	const char *explains;		/* paragraphs for kvmclock VERB --help, or NULL */
	const struct argp_option *options;	/* its own, or NULL */
	unsigned uses;			/* of USES_ */
	/* For its own options and its arguments; argp's codes.  NULL: it has none. */
	error_t (*parse)(int key, char *argument, struct argp_state *state);
	/* Fills in the document; 0, or negative when fail() has said why not. */
	int (*run)(struct document *doc);
	/* The document as text; NULL: findings and figures as they are. */
	void (*print)(struct document *doc, FILE *to);
	bool is_lines;			/* prints JSON objects before it, a line each: it is one, too */
};
extern const struct verb *const verbs[];	/* ends in NULL */
extern const struct verb *verb;			/* that is running */

/* ---- messages, on stderr: one place says what failed ---------------------- */

/* "kvmclock: VERB: THING: WHY"; -1.  why ends in what to do. */
int fail(const char *thing, const char *why, ...) __attribute__((format(printf, 2, 3)));

/* On a terminal, once two seconds have passed, and then twice a second at most. */
void progress(const char *what, ...) __attribute__((format(printf, 1, 2)));
void progress_end(void);

/* An option's whole number, 0 or more, in digits or after 0x; argp_error() when it is none. */
uint64_t option_number(const char *text, struct argp_state *state);
/* ... or when it is more than most. */
uint64_t option_number_to(const char *text, uint64_t most, struct argp_state *state);

/* ---- the document --------------------------------------------------------- */

struct document *document_new(const char *verb_name);
void document_free(struct document *doc);
struct json_object *document_json(struct document *doc);

/* The verdict is the worst that anything came to: unsafe, beyond, unmeasured, good. */
void document_judge(struct document *doc, enum verdict verdict);
enum verdict document_verdict(const struct document *doc);
const char *verdict_word(enum verdict verdict);
/* The verdict of that word, unmeasured for any other. */
enum verdict verdict_of_word(const char *word);

/* One sentence of what is so and what it means; cure is what to do, or NULL.  Judges the document. */
void document_finding(struct document *doc, const char *id, enum verdict verdict,
		      const char *says, const char *cure);

/*
 * A figure: NAME is lower case with _ and without its unit; UNIT is "ns", "cycles",
 * "kHz", "ppb", "ppm", "bytes", "bits", "1" (a number) or "total" (a counter since the start).
 * label_pairs: key, value, ..., NULL, or NULL.  The figure is returned, for what else
 * belongs to it: figure_uncertainty(), figure_limit().
 */
struct json_object *document_figure(struct document *doc, const char *name, int64_t value,
				    const char *unit, const char *meaning,
				    const char *const *label_pairs);
void figure_uncertainty(struct json_object *figure, uint64_t value);
/* Its magnitude is to be at most limit; judges the document VERDICT_BEYOND_BUDGET when not. */
void figure_limit(struct document *doc, struct json_object *figure, uint64_t limit);
/* Not measured, and why: value is null.  Judges nothing. */
struct json_object *document_no_figure(struct document *doc, const char *name, const char *unit,
				       const char *meaning, const char *why);

/* The array KEY of the document, made when it is not there; an object to fill in, at its end. */
struct json_object *document_list(struct document *doc, const char *key);
struct json_object *document_item(struct document *doc, const char *key);

/* The budget that is in this unit; 0 for units that have none. */
uint64_t budget_in(const char *unit);
/* |value|, exact for all of them. */
uint64_t magnitude(int64_t value);

void object_int(struct json_object *object, const char *key, int64_t value);
void object_uint(struct json_object *object, const char *key, uint64_t value);
void object_text(struct json_object *object, const char *key, const char *value);
void object_bool(struct json_object *object, const char *key, bool value);
/* Its text under key; "" when there is none. */
const char *text_in(struct json_object *object, const char *key);

/* What is plotted: one line over X.  The points and marks are added one by one. */
struct json_object *document_series(struct document *doc, const char *name, const char *title,
				    const char *x_unit, const char *y_unit);
void series_point(struct json_object *series, double x, double y);
void series_mark(struct json_object *series, double x, const char *says);

/* The object "host": which KVM, kernel, CPU, TSC.  What cannot be had is left out. */
void document_host(struct document *doc);

/* ---- printing ------------------------------------------------------------- */

void print_document(struct document *doc, FILE *to);
/* Findings and figures, as text. */
void print_findings(struct document *doc, FILE *to);
void print_figures(struct document *doc, FILE *to);
/* One JSON object on one line, for verbs that go on. */
void print_json_line(struct json_object *object, FILE *to);
void print_prometheus(struct document *doc, FILE *to);
/* Colours only on a terminal, and not with NO_COLOR: "" else. */
const char *colour(FILE *to, enum verdict verdict);
const char *colour_end(FILE *to);

/* The completions of all verbs and options, for "bash" or "zsh"; false for others. */
bool print_completion(const char *shell, FILE *to);
/* What a verb has beside its own; until the next call. */
const struct argp_option *common_options(const struct verb *of);

#endif
