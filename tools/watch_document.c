// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tool.h"
#include "watch_verb.h"

#include <inttypes.h>
#include <sys/resource.h>

static void add_losses(const struct watch *watch, struct document *doc)
{
	const struct watch_counts *counts = watch_model_counts(watch->model);
	char says[160];

	document_figure(doc, "watch_events", (int64_t)counts->events, "total", "events that were read", NULL);
	document_figure(doc, "watch_lost_events", (int64_t)watch->lost, "total",
			"events that were overwritten before they were read", NULL);
	if (watch->lost) {
		snprintf(says, sizeof(says), "%" PRIu64 " events were lost, or more: steps may be missing, and others "
			 "are sums of several", watch->lost);
		document_finding(doc, "lost_events", VERDICT_UNMEASURED, says, "Give --ring-kb a greater size");
	}
	document_figure(doc, "watch_unknown_steps", (int64_t)counts->unknown, "total",
			"lines that were drawn anew with nothing to compare them with", NULL);
	if (counts->unknown)
		document_finding(doc, "unknown_steps", VERDICT_UNMEASURED, "VMs were running before: what their clocks "
				 "stepped by when the first line was drawn is not known", "Let watch run before the VMs do");
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
	uint64_t busy_us, gone_ns = watch_now_ns() - watch->start_ns;

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

void watch_fill_in(const struct watch *watch, struct document *doc)
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
				 "not to be had here: a step by KVM_SET_CLOCK is told as of the master clock", NULL);
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
