// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* kvmclock guest: inside a guest, what its clock does. */
#include "guest_verb.h"

#include <cpuid.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "host.h"

#define SECONDS 5
#define MAX_SECONDS 86400

static unsigned int seconds = SECONDS;

static uint64_t limit_of(const struct guest_figure *figure)
{
	return budget_in(figure->unit) + figure->uncertainty;
}

void guest_figure(struct document *doc, const struct guest_figure *figure, int64_t value)
{
	const char *const labels[] = { "source", figure->source, NULL };
	struct json_object *object;

	object = document_figure(doc, figure->name, value, figure->unit, figure->meaning,
				 figure->source ? labels : NULL);
	figure_uncertainty(object, figure->uncertainty);
	if (figure->judged)
		figure_limit(doc, object, limit_of(figure));
}

void guest_no_figure(struct document *doc, const struct guest_figure *figure, const char *why)
{
	struct json_object *object;

	object = document_no_figure(doc, figure->name, figure->unit, figure->meaning, why);
	if (figure->source)
		object_text(json_object_object_get(object, "labels"), "source", figure->source);
}

/* As CPUID says it; "" for none.  Hostile bytes, too, from below --root or not. */
static void read_hypervisor(char name[13])
{
	unsigned int a, b = 0, c = 0, d = 0;

	__cpuid(0x40000000, a, b, c, d);
	memcpy(name, &b, 4);
	memcpy(name + 4, &c, 4);
	memcpy(name + 8, &d, 4);
	name[12] = 0;
	for (a = 0; a < 12; a++)
		if (name[a] && (name[a] < 32 || name[a] > 126))
			name[a] = '?';
}

static int describe(struct document *doc)
{
	struct json_object *guest;
	char name[13];

	if (!host_has_flag("hypervisor"))
		return fail("this machine", "no guest: /proc/cpuinfo has no flag \"hypervisor\": run it inside a VM; "
			    "for this host there are check and selftest");
	read_hypervisor(name);
	guest = json_object_new_object();
	object_text(guest, "hypervisor", name);
	object_text(guest, "kernel", host_facts()->kernel);
	object_text(guest, "clocksource", host_facts()->clocksource);
	object_text(guest, "clocksources", host_facts()->clocksources);
	object_int(guest, "vcpus", sysconf(_SC_NPROCESSORS_ONLN));
	object_uint(guest, "seconds", seconds);
	json_object_object_add(document_json(doc), "guest", guest);
	return 0;
}

static int run(struct document *doc)
{
	if (describe(doc))
		return -1;
	guest_watch(doc, seconds);
	guest_ptp(doc);
	guest_vmclock(doc);
	return 0;
}

enum { KEY_SECONDS = 's' };

static const struct argp_option options[] = {
	{ "seconds", KEY_SECONDS, "N", 0, "Watch for N seconds (default 5)", 1 },
	{ 0 }
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	uint64_t number;

	if (key != KEY_SECONDS)
		return ARGP_ERR_UNKNOWN;
	number = option_number(argument, state);
	if (!number || number > MAX_SECONDS)
		argp_error(state, "%s: 1 to %d seconds", argument, MAX_SECONDS);
	seconds = (unsigned int)number;
	return 0;
}

static const char *word_in(struct json_object *object, const char *key)
{
	const char *word = text_in(object, key);

	return *word ? word : "-";
}

static void print(struct document *doc, FILE *to)
{
	struct json_object *guest = json_object_object_get(document_json(doc), "guest");

	print_findings(doc, to);
	if (guest)
		fprintf(to, "hypervisor %s, clocksource %s, %d vCPUs, %u s\n", word_in(guest, "hypervisor"),
			word_in(guest, "clocksource"),
			json_object_get_int(json_object_object_get(guest, "vcpus")), seconds);
	print_figures(doc, to);
}

const struct verb verb_guest = {
	.name = "guest",
	.says = "Inside a guest: what its clock does, against its TSC, across vCPUs and against the host",
	.explains = "It reads kvm-clock's pages, which the vDSO maps for anybody, so that it needs no root: clock and "
		    "TSC are one reading, and a step is exact to 1 ns. The kernel's clocks are read between two "
		    "TSCs. The host's realtime is read where there is /dev/ptp_kvm's clock or VMClock, which "
		    "takes root. Steps are good up to --budget-ns, slopes up to --budget-ppb, each and what is not "
		    "known of it; a clock that goes back across vCPUs is unsafe.",
	.options = options, .uses = USES_BUDGET_NS | USES_BUDGET_PPB | USES_ROOT,
	.parse = parse, .run = run, .print = print,
};
