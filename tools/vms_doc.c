// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The running VMs as findings, figures and objects of the document. */
#include "check.h"
#include "files.h"
#include "vms.h"

#include <inttypes.h>
#include <string.h>

#define NAMED_MAX 5

/* ---- findings: one for all VMs that it is so of ------------------------------ */

struct some {
	size_t count;
	char names[256];
};

static void add_some(struct some *some, const struct vm_facts *vm, const char *why)
{
	size_t have = strlen(some->names);

	if (some->count < NAMED_MAX)
		snprintf(some->names + have, sizeof(some->names) - have,
			 "%s%" PRId64 "-%" PRId64 "%s%s%s", have ? ", " : "", vm->pid, vm->fd,
			 *why ? " (" : "", why, *why ? ")" : "");
	else if (some->count == NAMED_MAX)
		snprintf(some->names + have, sizeof(some->names) - have, ", ...");
	some->count++;
}

static bool is_unsafe(const struct vm_facts *vm)
{
	return has_word(vm->reasons, "no_tsc_clocksource") || has_word(vm->reasons, "tsc_backwards");
}

static void find_host_mode(struct document *doc, const struct vms *vms)
{
	enum verdict verdict = VERDICT_BEYOND_BUDGET;
	struct some some = { 0 };

	for (size_t i = 0; i < vms->count; i++) {
		if (vms->vm[i].mode != VM_MODE_HOST)
			continue;
		add_some(&some, &vms->vm[i], vms->vm[i].reasons);
		if (is_unsafe(&vms->vm[i]))
			verdict = VERDICT_UNSAFE;
	}
	if (some.count)
		found(doc, "host_mode", verdict, "kvmclock(4) has each reason; kvmclock check those that are the host's",
		      "VMs in host mode, whose guests have to put the readings of their vCPUs in order by themselves: %zu: %s",
		      some.count, some.names);
}

static void find_steps(struct document *doc, const struct vms *vms)
{
	struct some some = { 0 };
	size_t told = 0;

	for (size_t i = 0; i < vms->count; i++) {
		const struct vm_facts *vm = &vms->vm[i];

		told += vm->state.is_there;
		if ((uint64_t)vm->state.step_worst_ns > settings.budget_ns)
			add_some(&some, vm, "");
	}
	if (some.count)
		found(doc, "steps", VERDICT_BEYOND_BUDGET, "This is a fault of kvmclock's KVM: please report it, with the VMs' files and the kernel's log",
		      "VMs whose clock KVM has moved by more than %" PRIu64 " ns: %zu: %s",
		      settings.budget_ns, some.count, some.names);
	else if (told)
		found(doc, "steps", VERDICT_GOOD, NULL,
		      "VMs whose clock KVM keeps count of, and has never moved by more than %" PRIu64 " ns: %zu",
		      settings.budget_ns, told);
}

static void find_unknown(struct document *doc, const struct vms *vms)
{
	struct some some = { 0 };

	for (size_t i = 0; i < vms->count; i++)
		if (!vms->vm[i].state.is_there)
			add_some(&some, &vms->vm[i], "");
	if (some.count)
		found(doc, "not_told", VERDICT_UNMEASURED, "kvmclock watch sees what happens from now on; kvmclock's KVM keeps count",
		      "VMs whose mode, line, last drawing and steps so far the stock KVM does not tell: %zu: %s",
		      some.count, some.names);
}

static void find_unequal(struct document *doc, const struct vms *vms)
{
	struct some some = { 0 };

	for (size_t i = 0; i < vms->count; i++) {
		const struct vm_facts *vm = &vms->vm[i];

		if (vm->unequal_rates)
			add_some(&some, vm, "rates");
		else if (vm->spread_ns > 0 && (uint64_t)vm->spread_ns > settings.budget_ns)
			add_some(&some, vm, "offsets");
	}
	if (some.count)
		found(doc, "unequal_tscs", VERDICT_BEYOND_BUDGET, "kvmclock show PID has each vCPU; the monitor, or the guest, has set them so",
		      "VMs whose vCPUs' TSCs differ, so that a thread that moves among them sees the TSC jump: %zu: %s",
		      some.count, some.names);
}

static void find_unreadable(struct document *doc, const struct vms *vms)
{
	struct some some = { 0 };

	for (size_t i = 0; i < vms->count; i++)
		if (vms->vm[i].unreadable)
			add_some(&some, &vms->vm[i], "");
	if (some.count)
		found(doc, "unreadable", VERDICT_UNMEASURED, "Use the kvmclock command of the KVM's version",
		      "VMs whose files in debugfs are not what they are to be: %zu: %s", some.count, some.names);
}

/* ---- figures ----------------------------------------------------------------- */

struct labels {
	char vm[48], pid[24], vcpu[16];
	const char *pairs[9];
};

static const char *const *vm_labels(struct labels *labels, const struct vm_facts *vm)
{
	snprintf(labels->vm, sizeof(labels->vm), "%" PRId64 "-%" PRId64, vm->pid, vm->fd);
	snprintf(labels->pid, sizeof(labels->pid), "%" PRId64, vm->pid);
	memcpy(labels->pairs, (const char *[]){ "vm", labels->vm, "pid", labels->pid,
						"process", vm->name, NULL }, 7 * sizeof(char *));
	return labels->pairs;
}

static void add_state_figures(struct document *doc, const struct vm_facts *vm,
			      const char *const *labels)
{
	document_figure(doc, "vm_steps", vm->state.steps, "total", "updates that moved a VM's clock", labels);
	document_figure(doc, "vm_step_worst", vm->state.step_worst_ns, "ns", "the worst of them", labels);
	document_figure(doc, "vm_steps_sum", vm->state.steps_total_ns, "ns", "the sum of their magnitudes", labels);
	document_figure(doc, "vm_updates", vm->state.updates, "total", "updates of a VM's clock", labels);
	document_figure(doc, "vm_sets", vm->state.sets, "total", "times that a monitor set a VM's clock", labels);
	if (vm->mode == VM_MODE_MASTER)
		document_figure(doc, "vm_line_age", vm->state.line_age_ns, "ns",
				"since the point that a VM's line was last drawn from", labels);
}

static void add_vm_figures(struct document *doc, const struct vm_facts *vm)
{
	struct labels room;
	const char *const *labels = vm_labels(&room, vm);

	document_figure(doc, "vm_vcpus", (int64_t)vm->vcpu_count, "1", "vCPUs of a VM", labels);
	if (vm->khz > 0)
		document_figure(doc, "vm_tsc", vm->khz, "kHz", "the frequency of its first vCPU's TSC", labels);
	if (vm->spread_ns >= 0) {
		document_figure(doc, "vm_tsc_spread", vm->spread_gtsc > INT64_MAX ? INT64_MAX : (int64_t)vm->spread_gtsc,
				"cycles", "how far its vCPUs' TSCs are apart", labels);
		document_figure(doc, "vm_tsc_spread", vm->spread_ns, "ns", "how far its vCPUs' TSCs are apart", labels);
	}
	if (vm->mode != VM_MODE_UNKNOWN)
		document_figure(doc, "vm_master", vm->mode == VM_MODE_MASTER, "1",
				"1: a VM's clock is a line over its TSC; 0: host mode", labels);
	if (vm->state.is_there)
		add_state_figures(doc, vm, labels);
}

static void add_vcpu_figures(struct document *doc, const struct vm_facts *vm,
			     const struct vcpu_facts *vcpu)
{
	struct labels room;

	vm_labels(&room, vm);
	snprintf(room.vcpu, sizeof(room.vcpu), "%u", vcpu->id);
	memcpy(room.pairs + 6, (const char *[]){ "vcpu", room.vcpu, NULL }, 3 * sizeof(char *));
	document_figure(doc, "vcpu_tsc_offset", (int64_t)vcpu->offset_gtsc, "cycles",
			"a vCPU's TSC less the host's, scaled", room.pairs);
	if (vcpu->khz > 0)
		document_figure(doc, "vcpu_tsc", vcpu->khz, "kHz", "the frequency of a vCPU's TSC", room.pairs);
	if (vcpu->has_ratio && vcpu->ratio <= INT64_MAX)
		document_figure(doc, "vcpu_tsc_ratio", (int64_t)vcpu->ratio, "1",
				"a vCPU's ticks for 2^F of the host's", room.pairs);
}

/* ---- objects ----------------------------------------------------------------- */

static void add_reasons(struct json_object *object, const struct vm_facts *vm)
{
	struct json_object *list = json_object_new_array();
	char text[sizeof(vm->reasons)], *rest = text, *word;

	strcpy(text, vm->reasons);
	while ((word = strsep(&rest, " ")))
		if (*word)
			json_object_array_add(list, json_object_new_string(word));
	json_object_object_add(object, "reasons", list);
}

static void add_vcpus(struct json_object *object, const struct vm_facts *vm)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < vm->vcpu_count; i++) {
		const struct vcpu_facts *vcpu = &vm->vcpus[i];
		struct json_object *item = json_object_new_object();

		object_uint(item, "id", vcpu->id);
		object_uint(item, "tsc_offset_gtsc", vcpu->offset_gtsc);
		object_int(item, "from_first_gtsc", (int64_t)(vcpu->offset_gtsc - vm->vcpus[0].offset_gtsc));
		if (vcpu->has_ratio) {
			object_uint(item, "tsc_ratio", vcpu->ratio);
			object_uint(item, "tsc_frac_bits", vcpu->frac_bits);
		}
		if (vcpu->khz > 0)
			object_int(item, "tsc_khz", vcpu->khz);
		json_object_array_add(list, item);
	}
	json_object_object_add(object, "vcpu_tscs", list);
}

static void add_state(struct json_object *object, const struct vm_facts *vm)
{
	object_bool(object, "stable", vm->state.stable);
	object_int(object, "clock_ns", vm->state.clock_ns);
	if (vm->mode == VM_MODE_MASTER)
		object_int(object, "line_age_ns", vm->state.line_age_ns);
	object_int(object, "updates", vm->state.updates);
	object_int(object, "page_writes", vm->state.page_writes);
	object_int(object, "sets", vm->state.sets);
	object_int(object, "steps", vm->state.steps);
	object_int(object, "steps_total_ns", vm->state.steps_total_ns);
	object_int(object, "step_worst_ns", vm->state.step_worst_ns);
}

static void add_vm(struct document *doc, const struct vm_facts *vm, bool in_detail)
{
	struct json_object *object = document_item(doc, "vms");

	object_int(object, "pid", vm->pid);
	object_int(object, "fd", vm->fd);
	object_text(object, "process", vm->name);
	object_uint(object, "vcpus", vm->vcpu_count);
	object_text(object, "mode", vm_mode_word(vm->mode));
	add_reasons(object, vm);
	if (vm->khz > 0)
		object_int(object, "tsc_khz", vm->khz);
	if (vm->vcpu_count)
		object_uint(object, "tsc_offset_gtsc", vm->vcpus[0].offset_gtsc);
	object_bool(object, "unequal_rates", vm->unequal_rates);
	if (vm->spread_ns >= 0) {
		object_uint(object, "tsc_spread_gtsc", vm->spread_gtsc);
		object_int(object, "tsc_spread_ns", vm->spread_ns);
	}
	if (vm->state.is_there)
		add_state(object, vm);
	if (in_detail)
		add_vcpus(object, vm);
}

void document_vms(struct document *doc, const struct vms *vms, bool in_detail)
{
	find_host_mode(doc, vms);
	find_unequal(doc, vms);
	find_steps(doc, vms);
	find_unknown(doc, vms);
	find_unreadable(doc, vms);
	document_list(doc, "vms");
	for (size_t i = 0; i < vms->count; i++) {
		const struct vm_facts *vm = &vms->vm[i];

		add_vm(doc, vm, in_detail);
		add_vm_figures(doc, vm);
		for (size_t j = 0; in_detail && j < vm->vcpu_count; j++)
			add_vcpu_figures(doc, vm, &vm->vcpus[j]);
	}
}
