// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "watch_print.h"
#include "watch_sum.h"
#include "tool.h"

#include <inttypes.h>
#include <time.h>

/* The trace's times are monotonic; what the day's time was then. */
static struct timespec time_of(uint64_t time_ns)
{
	struct timespec mono, real;
	int64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &real);
	ns = (int64_t)real.tv_sec * 1000000000 + real.tv_nsec;
	if (time_ns)
		ns += (int64_t)time_ns - ((int64_t)mono.tv_sec * 1000000000 + mono.tv_nsec);
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

static void write_time(char *text, size_t room, uint64_t time_ns, const char *format, int digits)
{
	struct timespec at = time_of(time_ns);
	struct tm utc;
	size_t length;
	long part = at.tv_nsec;
	int i;

	for (i = digits; i < 9; i++)
		part /= 10;
	length = strftime(text, room, format, gmtime_r(&at.tv_sec, &utc));
	snprintf(text + length, room - length, ".%0*ldZ", digits, part);
}

static struct json_object *new_line(const char *event, uint64_t time_ns)
{
	struct json_object *line = json_object_new_object();
	char time[48];

	write_time(time, sizeof(time), time_ns, "%Y-%m-%dT%H:%M:%S", 9);
	object_text(line, "event", event);
	object_text(line, "time", time);
	return line;
}

static void put_line(struct json_object *line, FILE *to)
{
	print_json_line(line, to);
	json_object_put(line);
}

static void add_vm(struct json_object *line, struct watch_vm_id vm)
{
	char name[24];

	object_text(line, "vm", watch_vm_name(vm, name));
	object_int(line, "pid", vm.pid);
}

static void add_causes(struct json_object *line, const struct watch_step *step)
{
	struct json_object *list = json_object_new_array();
	int i;

	for (i = 0; i < CAUSE_COUNT; i++)
		if (step->causes & 1u << i)
			json_object_array_add(list, json_object_new_string(watch_cause_word((enum watch_cause)i)));
	object_text(line, "cause", watch_cause_word(step->cause));
	json_object_object_add(line, "causes", list);
}

static void add_clock(struct json_object *line, const struct watch_step *step)
{
	object_int(line, "step_ns", step->step_ns);
	object_int(line, "error_ns", step->error_ns);
	add_causes(line, step);
	object_bool(line, "stable", step->stable);
	object_bool(line, "across_loss", step->across_loss);
	object_bool(line, "drawn", step->kind != STEP_CLOCK_STALE);
	if (step->kind == STEP_CLOCK_STALE)
		return;
	object_bool(line, "new_slope", step->new_slope);
	object_uint(line, "gtsc", step->gtsc);
	object_uint(line, "clock_ns", step->clock_ns);
}

static void print_step_json(const struct watch_step *step, FILE *to)
{
	static const char *const word[] = {
		[STEP_CLOCK] = "step", [STEP_CLOCK_STALE] = "step", [STEP_CLOCK_FIRST] = "line",
		[STEP_TSC] = "tsc_offset", [STEP_MODE] = "mode",
	};
	struct json_object *line = new_line(step->kind == STEP_CLOCK && !step->step_ns ? "redrawn" :
					    word[step->kind], step->time_ns);

	add_vm(line, step->vm);
	if (step->kind == STEP_MODE) {
		object_bool(line, "master", step->stable);
		put_line(line, to);
		return;
	}
	object_int(line, "vcpu", step->vcpu);
	if (step->kind == STEP_TSC)
		object_int(line, "cycles", step->cycles);
	else if (step->kind != STEP_CLOCK_FIRST)
		add_clock(line, step);
	else {
		object_bool(line, "stable", step->stable);
		object_uint(line, "gtsc", step->gtsc);
		object_uint(line, "clock_ns", step->clock_ns);
		object_bool(line, "born", step->born);
	}
	put_line(line, to);
}

static void print_clock_text(const struct watch_step *step, FILE *to)
{
	bool within = magnitude(step->step_ns) <= settings.budget_ns;

	fprintf(to, "clock %s%+" PRId64 " ns%s: %s", step->step_ns ? colour(to, within ?
		VERDICT_GOOD : VERDICT_BEYOND_BUDGET) : "", step->step_ns, step->step_ns ?
		colour_end(to) : "", watch_cause_says(step->cause));
	if (step->kind == STEP_CLOCK_STALE)
		fputs("; the page was not drawn anew", to);
	if (step->across_loss)
		fputs("; across lost events, may be several", to);
	if (step->new_slope)
		fputs("; the slope is another", to);
}

static void print_step_text(const struct watch_step *step, FILE *to)
{
	char time[32], name[24];

	write_time(time, sizeof(time), step->time_ns, "%H:%M:%S", 6);
	fprintf(to, "%s VM %s ", time, watch_vm_name(step->vm, name));
	if (step->kind != STEP_MODE)
		fprintf(to, "vCPU %" PRIu32 " ", step->vcpu);
	switch (step->kind) {
	case STEP_MODE:
		fprintf(to, "master clock %s", step->stable ? "on" : "off");
		break;
	case STEP_TSC:
		fprintf(to, "TSC offset %+" PRId64 " cycles", step->cycles);
		break;
	case STEP_CLOCK_FIRST:
		fprintf(to, "clock at %" PRIu64 " ns, TSC %" PRIu64 ": %s", step->clock_ns, step->gtsc,
			step->born ? "its first line" : "the first line seen, its step is not known");
		break;
	default:
		print_clock_text(step, to);
	}
	fputc('\n', to);
}

void watch_print_step(const struct watch_step *step, FILE *to)
{
	if (settings.format == FORMAT_JSON)
		print_step_json(step, to);
	else if (settings.format == FORMAT_TEXT)
		print_step_text(step, to);
}

void watch_print_vm(struct watch_vm_id vm, bool is_there, FILE *to)
{
	char time[32], name[24];
	struct json_object *line;

	if (settings.format == FORMAT_JSON) {
		line = new_line(is_there ? "vm" : "vm_gone", 0);
		add_vm(line, vm);
		put_line(line, to);
	} else if (settings.format == FORMAT_TEXT) {
		write_time(time, sizeof(time), 0, "%H:%M:%S", 6);
		fprintf(to, "%s VM %s %s\n", time, watch_vm_name(vm, name), is_there ? "is there" : "is gone");
	}
}

void watch_print_lost(uint64_t events, FILE *to)
{
	char time[32];
	struct json_object *line;

	if (settings.format == FORMAT_JSON) {
		line = new_line("lost", 0);
		object_uint(line, "events", events);
		put_line(line, to);
	} else if (settings.format == FORMAT_TEXT) {
		write_time(time, sizeof(time), 0, "%H:%M:%S", 6);
		fprintf(to, "%s %" PRIu64 " events lost: a greater --ring-kb keeps more\n", time, events);
	}
}

void watch_print_begin(uint32_t vms, FILE *to)
{
	struct json_object *line;

	if (settings.format == FORMAT_JSON) {
		line = new_line("begin", 0);
		object_int(line, "vms", vms);
		put_line(line, to);
	} else if (settings.format == FORMAT_TEXT && vms) {
		fprintf(to, "Watching the clocks of %" PRIu32 " VM%s.\n", vms, vms == 1 ? "" : "s");
	} else if (settings.format == FORMAT_TEXT) {
		fputs("No VM is running: waiting for one.\n", to);
	}
}
