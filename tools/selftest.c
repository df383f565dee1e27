// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* kvmclock selftest: small VMs on this host, what is done to their clocks, and what they see of it. */
#include "selftest.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "probe.h"
#include "scene.h"

#define RUNS 100
#define QUICK_RUNS 10
#define MAX_RUNS 100000
#define GAP_MS 100
#define QUICK_GAP_MS 20

static struct {
	unsigned int runs;	/* 0: as many as there are by default */
	bool no_runs, quick;
	const char *against;
} asked;

/* ---- what ends in probe_fail() -------------------------------------------- */

static struct {
	jmp_buf back;
	pthread_t owner;
	bool on;
	char why[512];
} attempt;

void probe_fail(const char *what, ...)
{
	int error = errno;
	size_t used;
	va_list more;

	va_start(more, what);
	vsnprintf(attempt.why, sizeof(attempt.why), what, more);
	va_end(more);
	used = strlen(attempt.why);
	if (error)
		snprintf(attempt.why + used, sizeof(attempt.why) - used, ": %s", strerror(error));
	if (attempt.on && pthread_equal(pthread_self(), attempt.owner))
		longjmp(attempt.back, 1);
	fail("a small VM", "%s: try again, and report it when it stays so", attempt.why);
	_exit(VERDICT_UNMEASURED);
}

const char *selftest_attempt(void (*measure)(void *argument), void *argument)
{
	attempt.owner = pthread_self();
	attempt.on = true;
	if (setjmp(attempt.back)) {
		attempt.on = false;
		return strdup(attempt.why);	/* as long as the command */
	}
	measure(argument);
	attempt.on = false;
	return NULL;
}

/* ---- figures and series --------------------------------------------------- */

static uint64_t limit_of(const struct figure *figure)
{
	uint64_t budget = budget_in(figure->unit);

	return budget > figure->own_limit ? budget : figure->own_limit;
}

static struct json_object *new_figure(struct selftest *test, const struct figure *figure,
				      uint64_t value, const char *why_not)
{
	const char *const labels[] = { "what", figure->what, "guest", figure->guest, NULL };
	struct json_object *object, *set;

	if (!why_not)
		return document_figure(test->doc, figure->name, (int64_t)value, figure->unit,
				       figure->meaning, labels);
	object = document_no_figure(test->doc, figure->name, figure->unit, figure->meaning, why_not);
	set = json_object_object_get(object, "labels");
	object_text(set, labels[0], labels[1]);
	object_text(set, labels[2], labels[3]);
	return object;
}

struct json_object *selftest_figure(struct selftest *test, const struct figure *figure,
				    uint64_t value, const char *why_not)
{
	struct json_object *object = new_figure(test, figure, value, why_not);
	uint64_t limit = limit_of(figure);

	object_text(object, "title", figure->title);
	if (figure->unlimited)
		return object;
	if (why_not)
		object_uint(object, "limit", limit);
	else
		figure_limit(test->doc, object, limit);
	if (figure->limit_why && limit == figure->own_limit)
		object_text(object, "limit_why", figure->limit_why);
	if (!why_not && !strcmp(figure->unit, "ns") && value > limit && value > test->worst_ns) {
		test->worst_ns = value;
		test->worst_title = figure->title;
		test->worst_guest = figure->guest;
	}
	return object;
}

void selftest_broken(struct selftest *test, const struct figure *figure, const char *why)
{
	selftest_figure(test, figure, 0, why);
	document_judge(test->doc, VERDICT_UNMEASURED);
	if (!test->unmeasured)
		test->unmeasured = why;
}

struct json_object *selftest_series(struct selftest *test, const char *prefix, const char *what,
				    const char *guest, const char *title)
{
	char name[128], text[256];
	struct json_object *series, *labels = json_object_new_object();

	snprintf(name, sizeof(name), "%s_%s_%s", prefix, what, guest);
	snprintf(text, sizeof(text), "%s; guest's TSC %s", title,
		 !strcmp(guest, "unscaled") ? "at the host's frequency" : "scaled");
	series = document_series(test->doc, name, text, "ms", "ns");
	object_text(labels, "what", what);
	object_text(labels, "guest", guest);
	json_object_object_add(series, "labels", labels);
	return series;
}

/* ---- the verb ------------------------------------------------------------- */

static int no_kvm(const struct host_facts *host)
{
	const char *cure = "load the module kvm_intel or kvm_amd, after virtualization is on in the firmware's setup";

	if (host->device.error == EACCES || host->device.error == EPERM)
		cure = "be root, or of the group kvm (usermod -a -G kvm NAME, then log in anew)";
	else if (host_lacks_virtualization())
		cure = "this processor has no virtualization that is on: turn it on in the firmware's setup, or, in a VM, nesting on its host";
	else if (host->device.error == EBUSY)
		cure = "another hypervisor holds the processor's virtualization: end it";
	else if (!*host->flags)
		cure = "/proc/cpuinfo cannot be read, either, which tells whether this processor has virtualization: run it where the host's /proc and /dev are to be seen";
	return fail("/dev/kvm", "%s: %s: %s", host->device.call, strerror(host->device.error), cure);
}

static void describe(struct selftest *test)
{
	struct json_object *setup = json_object_new_object();

	object_uint(setup, "host_khz", host()->khz);
	json_object_object_add(setup, "scaled_khz", test->guest_count > 1 ?
			       json_object_new_int64(test->guests[1].khz) : NULL);
	object_uint(setup, "runs", test->runs);
	object_uint(setup, "gap_ms", test->gap_ms);
	object_bool(setup, "quick", test->quick);
	json_object_object_add(document_json(test->doc), "setup", setup);
}

struct needs {
	bool offset, holds;
};

static void find_needs(void *argument)
{
	struct needs *needs = argument;
	struct vm vm;

	vm_open_running(&vm, 0, 1);
	needs->offset = !vcpu_tsc_attr(&vm.vcpu[0], KVM_HAS_DEVICE_ATTR, KVM_VCPU_TSC_OFFSET, NULL);
	needs->holds = needs->offset && offset_holds(vm.vcpu[0].fd);
	vm_close(&vm);
}

static int begin(struct selftest *test)
{
	static char path[4096];
	struct needs needs = { 0 };
	const char *why;

	snprintf(path, sizeof(path), "%s/dev/kvm", settings.root);
	host_kvm_path = path;
	document_host(test->doc);
	if (host_facts()->device.error)
		return no_kvm(host_facts());
	why = selftest_attempt(find_needs, &needs);
	if (why)
		return fail("a small VM", "%s: does another VM run here? report it when it does", why);
	if (!needs.offset)
		return fail("KVM_VCPU_TSC_OFFSET", "this KVM has none: it needs Linux 5.16 or later");
	if (!needs.holds) {
		test->no_offsets = "this KVM takes a TSC offset and does not apply it";
		find_offset_ignored(test->doc);
	}
	test->guests[0] = (struct guest_kind){ "unscaled", 0 };
	test->guests[1] = (struct guest_kind){ "scaled", scene_scaled_khz() };
	test->guest_count = host()->scaling ? 2 : 1;
	describe(test);
	return 0;
}

static int run(struct document *doc)
{
	struct selftest test = {
		.doc = doc, .quick = asked.quick,
		.runs = asked.no_runs ? 0 : asked.runs ? asked.runs : asked.quick ? QUICK_RUNS : RUNS,
		.gap_ms = asked.quick ? QUICK_GAP_MS : GAP_MS,
	};
	struct json_object *other = asked.against ? selftest_read(asked.against) : NULL;

	if ((asked.against && !other) || begin(&test))
		return -1;
	selftest_steps(&test);
	selftest_late_frequency(&test);
	selftest_restores(&test);
	selftest_readings(&test);
	selftest_updates(&test);
	selftest_find(&test);
	if (other)
		selftest_add_against(doc, asked.against, other);
	json_object_put(other);
	return 0;
}

enum { KEY_RUNS = 'n', KEY_QUICK = 'q', KEY_AGAINST = 'a' };

static const struct argp_option options[] = {
	{ "runs", KEY_RUNS, "N", 0, "Live updates to do, of each kind of guest (default 100)", 1 },
	{ "quick", KEY_QUICK, NULL, 0, "A tenth of it, in a few seconds", 1 },
	{ "against", KEY_AGAINST, "FILE", 0,
	  "Beside the figures of FILE, which another KVM's selftest --json on this host made", 1 },
	{ 0 }
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case KEY_RUNS:
		asked.runs = (unsigned int)option_number_to(argument, MAX_RUNS, state);
		asked.no_runs = !asked.runs;
		return 0;
	case KEY_QUICK:
		asked.quick = true;
		return 0;
	case KEY_AGAINST:
		asked.against = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct verb verb_selftest = {
	.name = "selftest",
	.says = "Does to small VMs on this host what moves a guest's clock, and prints by how much",
	.explains = "Two small VMs at a time are made by /dev/kvm, and no other VM is touched. Their clocks are "
		    "provoked, read, restored and carried over a live update by libkvmclock; guests look at "
		    "old and new clock at one TSC, so that steps are exact to 1 ns. A step is good up to "
		    "--budget-ns, a rate up to --budget-ppb; what no KVM can make 0 has a limit of its own. "
		    "A clock that goes back is unsafe.",
	.options = options, .uses = USES_BUDGET_NS | USES_BUDGET_PPB | USES_ROOT,
	.parse = parse, .run = run, .print = selftest_print,
};
