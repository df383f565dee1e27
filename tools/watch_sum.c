// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "watch_sum.h"
#include "tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define VMS 256		/* with figures of their own: the first that stepped */
#define SERIES 16	/* of them with a plot */
#define POINTS 256	/* of a plot; twice as many, and every second one goes */
#define MARKS 24

struct point {
	uint64_t time_ns;
	int64_t error_ns;
	enum watch_cause cause;
};

struct vm_sum {
	struct watch_vm_id id;
	uint64_t steps, worst_ns;
	uint32_t vcpu;		/* whose error is plotted: the first that stepped */
	uint32_t points, stride, skipped;
	struct point point[POINTS];
};

struct watch_sum {
	uint64_t start_ns, moved;	/* TSC offsets written, with another value */
	uint64_t by_cause[CAUSE_COUNT], worst_by_cause_ns[CAUSE_COUNT];
	uint64_t beyond;	/* steps of VMs that have no figures of their own */
	uint32_t vms;
	struct vm_sum vm[VMS];
};

static const struct {
	const char *word, *says;
} causes[CAUSE_COUNT] = {
	[CAUSE_CLOCK_SET] = { "clock_set", "the monitor set the clock (KVM_SET_CLOCK)" },
	[CAUSE_LINE_SET] = { "line_set", "the monitor set the line (KVM_SET_CLOCK_GUEST)" },
	[CAUSE_FREQUENCY_SET] = { "frequency_set", "the monitor set the TSC's frequency (KVM_SET_TSC_KHZ)" },
	[CAUSE_TSC_OFFSET] = { "tsc_offset", "a TSC offset of the VM was written" },
	[CAUSE_VCPU_ADDED] = { "vcpu_added", "a vCPU was made" },
	[CAUSE_XEN_SET] = { "xen_set", "Xen's pages were placed" },
	[CAUSE_MSR] = { "msr", "the guest wrote an MSR of its clock or TSC" },
	[CAUSE_MODE] = { "mode", "the master clock went on or off" },
	[CAUSE_MASTER] = { "master_sampled", "the master clock was sampled anew" },
	[CAUSE_HOST] = { "host", "the host's clocksource changed, or all pages got a fresh sample" },
	[CAUSE_HOST_MODE] = { "host_mode", "not in master mode: a fresh sample of the host's clock" },
	[CAUSE_UNKNOWN] = { "unknown", "nothing that was traced tells why" },
};

const char *watch_cause_word(enum watch_cause cause)
{
	return causes[cause].word;
}

const char *watch_cause_says(enum watch_cause cause)
{
	return causes[cause].says;
}

const char *watch_vm_name(struct watch_vm_id vm, char text[24])
{
	if (vm.fd < WATCH_GONE_FD)
		snprintf(text, 24, "%" PRIu32 "-%" PRIu32, vm.pid, vm.fd);
	else
		snprintf(text, 24, "%" PRIu32, vm.pid);
	return text;
}

struct watch_sum *watch_sum_new(uint64_t start_ns)
{
	struct watch_sum *sum = calloc(1, sizeof(*sum));

	if (sum)
		sum->start_ns = start_ns;
	return sum;
}

void watch_sum_free(struct watch_sum *sum)
{
	free(sum);
}

static struct vm_sum *find_vm(struct watch_sum *sum, const struct watch_step *step)
{
	struct vm_sum *vm;
	uint32_t i;

	for (i = 0; i < sum->vms; i++)
		if (sum->vm[i].id.pid == step->vm.pid && sum->vm[i].id.fd == step->vm.fd)
			return &sum->vm[i];
	if (sum->vms == VMS)
		return NULL;
	vm = &sum->vm[sum->vms++];
	vm->id = step->vm;
	vm->vcpu = step->vcpu;
	vm->stride = 1;
	return vm;
}

static void add_point(struct vm_sum *vm, const struct watch_step *step)
{
	uint32_t i;

	if (step->vcpu != vm->vcpu || ++vm->skipped < vm->stride)
		return;
	vm->skipped = 0;
	if (vm->points == POINTS) {
		for (i = 0; i < POINTS / 2; i++)
			vm->point[i] = vm->point[2 * i + 1];
		vm->points = POINTS / 2;
		vm->stride *= 2;
	}
	vm->point[vm->points++] = (struct point){ step->time_ns, step->error_ns, step->cause };
}

void watch_sum_add(struct watch_sum *sum, const struct watch_step *step)
{
	uint64_t size_ns = magnitude(step->step_ns);
	struct vm_sum *vm;

	sum->moved += step->kind == STEP_TSC;
	if (step->kind == STEP_TSC || !size_ns)
		return;
	sum->by_cause[step->cause]++;
	if (size_ns > sum->worst_by_cause_ns[step->cause])
		sum->worst_by_cause_ns[step->cause] = size_ns;
	vm = find_vm(sum, step);
	if (!vm) {
		sum->beyond++;
		return;
	}
	vm->steps++;
	if (size_ns > vm->worst_ns)
		vm->worst_ns = size_ns;
	add_point(vm, step);
}

static void add_causes(const struct watch_sum *sum, struct document *doc)
{
	int i;

	for (i = 0; i < CAUSE_COUNT; i++) {
		const char *const label[] = { "cause", causes[i].word, NULL };

		if (!sum->by_cause[i])
			continue;
		document_figure(doc, "watch_steps_by_cause", (int64_t)sum->by_cause[i], "total",
				"steps of clocks, by what came before", label);
		figure_uncertainty(document_figure(doc, "watch_worst_step_by_cause",
						   (int64_t)sum->worst_by_cause_ns[i], "ns",
						   "the worst step of a clock, by what came before", label), 1);
	}
}

static void add_vm(const struct vm_sum *vm, struct document *doc)
{
	char name[24];
	const char *const label[] = { "vm", watch_vm_name(vm->id, name), NULL };

	document_figure(doc, "watch_vm_steps", (int64_t)vm->steps, "total", "steps of a VM's clock", label);
	figure_uncertainty(document_figure(doc, "watch_vm_worst_step", (int64_t)vm->worst_ns, "ns",
					   "the worst step of a VM's clock", label), 1);
}

static double seconds_after(uint64_t time_ns, uint64_t start_ns)
{
	return (double)(int64_t)(time_ns - start_ns) / 1e9;
}

/* A step is upright: the error before it stands at the same time. */
static void add_series(const struct watch_sum *sum, const struct vm_sum *vm, struct document *doc)
{
	struct json_object *series;
	char title[96], name[24];
	int64_t error_ns = 0;
	uint32_t i;

	snprintf(title, sizeof(title), "clock of VM %s, vCPU %" PRIu32 ": all steps since it was first seen",
		 watch_vm_name(vm->id, name), vm->vcpu);
	series = document_series(doc, "watch_clock_error", title, "s", "ns");
	series_point(series, 0, 0);
	for (i = 0; i < vm->points; i++) {
		double x = seconds_after(vm->point[i].time_ns, sum->start_ns);

		series_point(series, x, (double)error_ns);
		error_ns = vm->point[i].error_ns;
		series_point(series, x, (double)error_ns);
		if (i < MARKS)
			series_mark(series, x, causes[vm->point[i].cause].says);
	}
}

void watch_sum_document(const struct watch_sum *sum, const struct watch_counts *counts, struct document *doc)
{
	struct json_object *worst;
	uint32_t i;

	worst = document_figure(doc, "watch_worst_step", (int64_t)counts->worst_ns, "ns",
				"the worst step of a clock", NULL);
	figure_uncertainty(worst, 1);
	figure_limit(doc, worst, settings.budget_ns);
	document_figure(doc, "watch_steps", (int64_t)counts->steps, "total", "steps of clocks", NULL);
	document_figure(doc, "watch_redrawn", (int64_t)counts->redrawn, "total",
			"pages that were written anew, with a step or without", NULL);
	document_figure(doc, "watch_tsc_offsets", (int64_t)sum->moved, "total", "TSC offsets that were changed", NULL);
	document_figure(doc, "watch_across_loss", (int64_t)counts->across_loss, "total",
			"steps across lost events: each may be several", NULL);
	add_causes(sum, doc);
	for (i = 0; i < sum->vms; i++)
		add_vm(&sum->vm[i], doc);
	for (i = 0; i < sum->vms && i < SERIES; i++)
		add_series(sum, &sum->vm[i], doc);
}
