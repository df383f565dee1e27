/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the parts of kvmclock selftest share. */
#ifndef KVMCLOCK_SELFTEST_H
#define KVMCLOCK_SELFTEST_H

#include "tool.h"

#define SELFTEST_WATCHDOG_NS 20000000000ull	/* a step for which a guest's watchdog bites */

/* The guest at the host's TSC frequency, and one that the hardware scales. */
struct guest_kind {
	const char *word;	/* "unscaled", "scaled" */
	uint32_t khz;		/* 0: the host's */
};

struct selftest {
	struct document *doc;
	unsigned int runs;	/* of live updates */
	bool quick;
	unsigned int gap_ms;	/* before each provocation */
	struct guest_kind guests[2];
	int guest_count;
	const char *no_offsets;		/* why TSC offsets cannot be moved here, or NULL */
	/* What came of it. */
	uint64_t worst_ns, back_ns, back_cycles;
	const char *worst_title, *worst_guest;
	const char *unmeasured;		/* the first reason why something was not */
};

/* A figure of one guest; name and what tell which, the same on every host. */
struct figure {
	const char *name, *what, *unit, *meaning;
	const char *title;		/* what was done, for tables */
	const char *guest;
	/* Where 0 cannot be had by the best KVM: what is to be had, and why. */
	uint64_t own_limit;
	const char *limit_why;
	bool unlimited;			/* it is neither good nor bad */
};

/*
 * Calls measure(argument), and returns NULL, or what it said to probe_fail(): then
 * what it had opened stays open until the command ends.
 */
const char *selftest_attempt(void (*measure)(void *argument), void *argument);

/* The figure with its limit, judged; or, with why_not, without a value and not judged. */
struct json_object *selftest_figure(struct selftest *test, const struct figure *figure,
				    uint64_t value, const char *why_not);
/* The same of what should have been measured: the document is not good. */
void selftest_broken(struct selftest *test, const struct figure *figure, const char *why);

/* A series of one guest, in ns over ms. */
struct json_object *selftest_series(struct selftest *test, const char *prefix, const char *what,
				    const char *guest, const char *title);

/* The parts: each adds its figures, series and lists. */
void selftest_steps(struct selftest *test);
void selftest_late_frequency(struct selftest *test);
void selftest_restores(struct selftest *test);
void selftest_readings(struct selftest *test);
void selftest_updates(struct selftest *test);

/* What it all comes to, as findings. */
void selftest_find(struct selftest *test);

/* The document as a table; beside another's figures where it has them. */
void selftest_print(struct document *doc, FILE *to);
/* What another selftest printed into the file; NULL after fail(). */
struct json_object *selftest_read(const char *path);
/* Puts its figures beside the document's. */
void selftest_add_against(struct document *doc, const char *path, struct json_object *json);

#endif
