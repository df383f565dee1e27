// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* watch: every step of every VM's clock, as it comes, and what all of them come to. */
#include "tool.h"
#include "verbs.h"
#include "watch_print.h"
#include "watch_sum.h"
#include "watch_trace.h"
#include "watch_vms.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define ROUND_MS 200
#define SCAN_NS 1000000000ull
/* An event is in its buffer so long after its time at the latest. */
#define SLACK_NS 1000000
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

struct watch {
	struct watch_trace *trace;
	struct watch_model *model;
	struct watch_vms *vms;
	struct watch_sum *sum;
	uint64_t start_ns, lost;
	bool waits;		/* said that there is no VM */
};

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
	if (options.all || step->step_ns || step->kind == STEP_TSC || step->kind == STEP_MODE)
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
				  now_ns);
	if (!vm.pid || is_wanted(vm))
		watch_model_feed(watch->model, vm, event);
}

static uint64_t monotonic_ns(void)
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
	uint64_t now_ns = monotonic_ns();
	const struct watch_event *events;
	bool more = true;
	size_t count, i;

	while (more) {
		count = watch_reader_read(reader, until_ns, &events, &more);
		for (i = 0; i < count; i++)
			feed(watch, &events[i], now_ns);
		/* What is drawn faster than it is read would keep us here. */
		if (is_over && !last)
			break;
	}
	watch_model_passed(watch->model, last ? now_ns : now_ns - SLACK_NS);
	if (watch_reader_lost(reader) != watch->lost)
		watch_print_lost(watch_reader_lost(reader) - watch->lost, stdout);
	watch->lost = watch_reader_lost(reader);
}

static void say_waiting(struct watch *watch)
{
	if (watch_vms_count(watch->vms) || watch->waits)
		return;
	watch_print_note("No VM is running: waiting for one.", stdout);
	watch->waits = true;
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
			say_waiting(watch);
			scanned_ns = now_ns;
		}
		fflush(stdout);
		ppoll(NULL, 0, &round, unblocked);
		read_events(watch, false);
		now_ns = monotonic_ns();
	}
	read_events(watch, true);
}

static void add_losses(const struct watch *watch, struct document *doc)
{
	const struct watch_counts *counts = watch_model_counts(watch->model);
	char says[160];

	document_figure(doc, "watch_events", (int64_t)counts->events, "total", "events that were read", NULL);
	document_figure(doc, "watch_lost_events", (int64_t)watch->lost, "total",
			"events that were overwritten before they were read", NULL);
	if (watch->lost) {
		snprintf(says, sizeof(says), "%" PRIu64 " events were lost: steps may be missing, and others "
			 "are sums of several", watch->lost);
		document_finding(doc, "lost_events", VERDICT_UNMEASURED, says, "Give --ring-kb a greater size");
	}
	document_figure(doc, "watch_unattributed", (int64_t)(counts->unattributed + counts->ambiguous), "total",
			"events of which the VM is not known", NULL);
	if (counts->unattributed)
		document_finding(doc, "unattributed", VERDICT_UNMEASURED, "Events came from processes that were "
				 "gone before they could be looked up: their clocks were not watched", NULL);
	if (counts->ambiguous)
		document_finding(doc, "ambiguous", VERDICT_UNMEASURED, "A process has several VMs in one thread, "
				 "which cannot be told apart: their clocks were not watched", NULL);
	if (counts->evicted || watch_vms_beyond(watch->vms))
		document_finding(doc, "table_full", VERDICT_UNMEASURED, "There are more VMs or vCPUs than there "
				 "is room for: those idle longest were forgotten", "Watch some of them, by their PIDs");
}

static void add_cost(const struct watch *watch, struct document *doc)
{
	struct rusage usage;
	uint64_t busy_us, gone_ns = monotonic_ns() - watch->start_ns;

	getrusage(RUSAGE_SELF, &usage);
	busy_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
		  (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	document_figure(doc, "watch_cpu", (int64_t)(busy_us * 1000000 / (gone_ns / 1000 + 1)), "ppm",
			"what watching took of one CPU", NULL);
	document_figure(doc, "watch_memory", usage.ru_maxrss * 1024, "bytes", "the most that watching took of memory",
			NULL);
	document_figure(doc, "watch_ring", (int64_t)watch_trace_ring_bytes(watch->trace), "bytes",
			"the kernel's buffers", NULL);
}

static void fill_in(const struct watch *watch, struct document *doc)
{
	const struct watch_counts *counts = watch_model_counts(watch->model);

	document_host(doc);
	document_figure(doc, "watch_vms", (int64_t)watch_vms_seen(watch->vms), "total", "VMs that were seen", NULL);
	if (!watch_vms_has_debugfs(watch->vms))
		document_finding(doc, "no_debugfs", VERDICT_UNMEASURED, "KVM's debugfs is not readable: each process "
				 "is taken for one VM", "mount -t debugfs nodev /sys/kernel/debug");
	else if (!watch_vms_seen(watch->vms))
		document_finding(doc, "no_vm", VERDICT_UNMEASURED, "No VM was running", "Start one, and watch longer");
	if (!watch_trace_has_ioctls(watch->trace))
		document_finding(doc, "no_ioctls", VERDICT_GOOD, "What monitors ask of KVM is not seen, kprobes being "
				 "forbidden here: a step by KVM_SET_CLOCK is told as of the master clock", NULL);
	if (watch_trace_removed(watch->trace))
		document_finding(doc, "leftovers", VERDICT_GOOD, "What a watch that was killed had left in tracefs "
				 "was removed", NULL);
	if (counts->worst_ns > settings.budget_ns)
		document_finding(doc, "steps", VERDICT_BEYOND_BUDGET, "Clocks of VMs stepped by more than the budget: "
				 "their guests saw time jump", "make a live update keep the line, or load the exact KVM");
	watch_sum_document(watch->sum, counts, doc);
	add_losses(watch, doc);
	add_cost(watch, doc);
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
	struct watch watch = { .start_ns = monotonic_ns() };
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
		fill_in(&watch, doc);
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
		options.pid[options.pids++] = (uint32_t)option_number(argument, state);
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
	.parse = parse,
	.run = run,
	.is_lines = true,
};
