// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* watch: every step of every VM's clock, as it comes, and what all of them come to. */
#include "tool.h"
#include "verbs.h"
#include "watch_verb.h"
#include "watch_print.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define ROUND_MS 200
#define SCAN_NS 1000000000ull
/* An event is in its buffer so long after its time at the latest. */
#define SLACK_NS 1000000
#define MAX_PASSES 64
#define VMS 4096
#define VCPUS 32768
#define MAX_PIDS 1024

enum { KEY_SECONDS = 0x200, KEY_ALL, KEY_RING_KB };

static struct {
	uint64_t seconds, ring_kb;	/* seconds 0: until interrupted */
	bool all;
	uint32_t pid[MAX_PIDS];
	int pids;
} options = { .ring_kb = 128 };

static volatile sig_atomic_t is_over;

static void on_signal(int signal)
{
	(void)signal;
	is_over = 1;
}

static bool is_wanted(struct watch_vm_id vm)
{
	int i;

	for (i = 0; i < options.pids; i++)
		if (options.pid[i] == vm.pid)
			return true;
	return !options.pids;
}

static void on_step(void *context, const struct watch_step *step)
{
	struct watch *watch = context;

	if (step->kind != STEP_MODE && step->kind != STEP_CLOCK_FIRST)
		watch_sum_add(watch->sum, step);
	if (options.all || step->step_ns || step->kind == STEP_TSC || step->kind == STEP_MODE ||
	    (step->kind == STEP_CLOCK_FIRST && !step->born))
		watch_print_step(step, stdout);
}

static void on_change(void *context, struct watch_vm_id vm, bool is_there)
{
	(void)context;
	if (is_wanted(vm))
		watch_print_vm(vm, is_there, stdout);
}

static bool is_of_vcpu(const struct watch_event *event)
{
	return event->kind == WATCH_PAGE || event->kind == WATCH_TRACK || event->kind == WATCH_OFFSET;
}

static void feed(struct watch *watch, const struct watch_event *event, uint64_t now_ns)
{
	struct watch_vm_id vm = WATCH_HOST;

	if (event->kind != WATCH_LOST)
		vm = watch_vms_of(watch->vms, event->tid, is_of_vcpu(event) ? event->vcpu : WATCH_NO_VCPU,
				  event->time_ns, now_ns);
	if (!vm.pid || is_wanted(vm))
		watch_model_feed(watch->model, vm, event);
}

uint64_t watch_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* All that was traced until now, or with last also what may not be in order. */
static void read_events(struct watch *watch, bool last)
{
	struct watch_reader *reader = watch_trace_reader(watch->trace);
	uint64_t until_ns = last ? UINT64_MAX : watch_trace_now_ns(watch->trace) - SLACK_NS;
	uint64_t now_ns = watch_now_ns();
	const struct watch_event *events;
	bool more = true;
	size_t count, i;
	int passes;

	/* What is drawn faster than it is read would keep us here. */
	for (passes = 0; more && passes < MAX_PASSES; passes++) {
		count = watch_reader_read(reader, until_ns, &events, &more);
		for (i = 0; i < count; i++)
			feed(watch, &events[i], now_ns);
	}
	watch_model_passed(watch->model, last ? now_ns : now_ns - SLACK_NS);
	if (watch_reader_lost(reader) != watch->lost)
		watch_print_lost(watch_reader_lost(reader) - watch->lost, stdout);
	watch->lost = watch_reader_lost(reader);
}

/* Signals come only while it waits. */
static void watch_on(struct watch *watch, const sigset_t *unblocked)
{
	uint64_t end_ns = options.seconds ? watch->start_ns + options.seconds * 1000000000 : UINT64_MAX;
	const struct timespec round = { 0, ROUND_MS * 1000000 };
	uint64_t scanned_ns = 0, now_ns = watch->start_ns;

	while (!is_over && now_ns < end_ns && !ferror(stdout)) {
		if (now_ns - scanned_ns >= SCAN_NS) {
			watch_vms_scan(watch->vms, now_ns);
			if (!scanned_ns)
				watch_print_begin(watch_vms_count(watch->vms), stdout);
			scanned_ns = now_ns;
		}
		fflush(stdout);
		ppoll(NULL, 0, &round, unblocked);
		read_events(watch, false);
		now_ns = watch_now_ns();
	}
	read_events(watch, true);
}

static void block_signals(sigset_t *before)
{
	const struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, before);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	/* Whoever reads our lines may go: the instance is removed all the same. */
	signal(SIGPIPE, SIG_IGN);
}

static int run(struct document *doc)
{
	struct watch watch = { .start_ns = watch_now_ns() };
	sigset_t before;
	int result = -1;

	block_signals(&before);
	watch.trace = watch_trace_open((unsigned int)options.ring_kb);
	if (!watch.trace)
		return -1;
	watch.model = watch_model_new(VMS, VCPUS, on_step, &watch);
	watch.sum = watch_sum_new(watch.start_ns);
	watch.vms = watch.model ? watch_vms_new(VMS, watch.model, on_change, &watch) : NULL;
	if (watch.vms && watch.sum) {
		watch_on(&watch, &before);
		watch_fill_in(&watch, doc);
		result = 0;
	} else {
		fail("memory", "there is not enough");
	}
	if (watch.vms)
		watch_vms_free(watch.vms);
	watch_sum_free(watch.sum);
	if (watch.model)
		watch_model_free(watch.model);
	watch_trace_close(watch.trace);
	return result;
}

static const struct argp_option own_options[] = {
	{ "seconds", KEY_SECONDS, "N", 0, "Stop after N seconds; else when interrupted", 0 },
	{ "all", KEY_ALL, NULL, 0, "Print also lines that were drawn anew without a step", 0 },
	{ "ring-kb", KEY_RING_KB, "KB", 0, "The kernel's buffer for each CPU (default 128)", 0 },
	{ 0 }
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	uint64_t pid;

	switch (key) {
	case KEY_SECONDS:
		options.seconds = option_number(argument, state);
		if (!options.seconds || options.seconds > 1000000000)
			argp_error(state, "--seconds: from 1 to 1000000000");
		return 0;
	case KEY_ALL:
		options.all = true;
		return 0;
	case KEY_RING_KB:
		options.ring_kb = option_number(argument, state);
		if (options.ring_kb < 8 || options.ring_kb > 1048576)
			argp_error(state, "--ring-kb: from 8 to 1048576");
		return 0;
	case ARGP_KEY_ARG:
		if (options.pids == MAX_PIDS)
			argp_error(state, "at most %d PIDs", MAX_PIDS);
		pid = option_number(argument, state);
		if (!pid || pid > INT32_MAX)
			argp_error(state, "%s: not a process's number", argument);
		options.pid[options.pids++] = (uint32_t)pid;
		return 0;
	case ARGP_KEY_END:
		if (settings.format == FORMAT_PROMETHEUS && !options.seconds)
			argp_error(state, "--prometheus prints at the end: say when, with --seconds");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct verb verb_watch = {
	.name = "watch",
	.says = "Every step of every VM's clock, with its cause, as it comes",
	.arguments = "[PID]...",
	.explains = "A step is what a clock's new line reads beyond the old one at one TSC, rounded as a guest does it. "
		    "It is taken from KVM's tracepoints, for which root is needed. With PIDs only the VMs of these "
		    "processes are watched.",
	.options = own_options,
	.uses = USES_BUDGET_NS | USES_ROOT,
	.parse = parse,
	.run = run,
	.is_lines = true,
};
