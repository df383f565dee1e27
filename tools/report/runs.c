// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* How the runs are called: by the host and its KVM, and by their file where that is not enough. */
#include "tools/report/report.h"

#include <string.h>

uint64_t step_of(struct json_object *item)
{
	return magnitude(json_object_get_int64(json_object_object_get(item, "step_ns")));
}

int by_step(const void *a, const void *b)
{
	uint64_t one = step_of(*(struct json_object *const *)a), other = step_of(*(struct json_object *const *)b);

	return (one < other) - (one > other);
}

bool same_host(const struct run *a, const struct run *b)
{
	return !strcmp(a->vendor, b->vendor) && !strcmp(text_in(a->host, "cpu"), text_in(b->host, "cpu"));
}

/* "amd-stock" of build/demo/amd-stock.json */
static void base_name(const char *file, char *name, size_t room)
{
	const char *slash = strrchr(file, '/');
	char *dot;

	snprintf(name, room, "%s", slash ? slash + 1 : file);
	dot = strrchr(name, '.');
	if (dot && dot != name)
		*dot = '\0';
}

static void name_run(struct run *run)
{
	run->host = json_object_object_get(run->doc, "host");
	run->verb = text_in(run->doc, "verb");
	run->kvm = text_in(run->host, "kvm");
	run->vendor = text_in(run->host, "vendor");
	run->ours = !strcmp(run->kvm, "ours");
	if (!*run->kvm)
		base_name(run->file, run->title, 40);
	else
		snprintf(run->title, 40, "%.20s%s%.10s", run->vendor, *run->vendor ? " " : "", run->kvm);
}

static bool title_is_taken(const struct report *report, int of)
{
	for (int i = 0; i < report->count; i++)
		if (i != of && !strcmp(report->runs[i].verb, report->runs[of].verb) &&
		    !strcmp(report->runs[i].title, report->runs[of].title))
			return true;
	return false;
}

void report_name_runs(struct report *report)
{
	bool taken[RUNS_MAX];
	int i;

	for (i = 0; i < report->count; i++)
		name_run(&report->runs[i]);
	for (i = 0; i < report->count; i++)
		taken[i] = title_is_taken(report, i);
	for (i = 0; i < report->count; i++) {
		struct run *run = &report->runs[i];
		size_t length = strlen(run->title);
		char name[30];

		if (!taken[i])
			continue;
		base_name(run->file, name, sizeof(name));
		snprintf(run->title + length, sizeof(run->title) - length, ", %s", name);
	}
	/* Two documents of one file. */
	for (i = 0; i < report->count; i++)
		if (title_is_taken(report, i)) {
			size_t length = strlen(report->runs[i].title);

			snprintf(report->runs[i].title + length, sizeof(report->runs[i].title) - length,
				 " #%d", i + 1);
		}
}
