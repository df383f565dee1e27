// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* kvmclock list and kvmclock show PID: the VMs that run here. */
#include "check.h"
#include "files.h"
#include "verbs.h"
#include "vms.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static struct vms vms;
static int64_t asked_pid;	/* 0: all */

static error_t parse_pid(int key, char *argument, struct argp_state *state)
{
	uint64_t pid;

	switch (key) {
	case ARGP_KEY_ARG:
		if (asked_pid)
			argp_error(state, "%s: one process at a time", argument);
		if (!parse_number(argument, &pid) || !pid || pid > INT32_MAX)
			argp_error(state, "%s: not a process's number", argument);
		asked_pid = (int64_t)pid;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "say which process: kvmclock list has those that run VMs");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* show is of one that runs. */
static void find_none(struct document *doc, const char *why)
{
	if (asked_pid)
		found(doc, "no_vms", VERDICT_UNMEASURED, "kvmclock list has those that run VMs",
		      "Process %" PRId64 " runs no VM here%s", asked_pid, why);
	else
		found(doc, "no_vms", VERDICT_GOOD, NULL, "No VM runs here%s", why);
}

/* The folder of VMs could not be read. */
static void find_missing(struct document *doc, int error)
{
	if (error == EACCES || error == EPERM)
		found(doc, "debugfs", VERDICT_UNMEASURED, "Be root: sudo kvmclock ...",
		      "debugfs, where KVM shows its VMs, is not permitted to you");
	else if (host_facts()->kvm == KVM_IS_UNKNOWN)
		find_kvm_unknown(doc);
	else if (host_facts()->kvm == KVM_IS_NONE)
		find_none(doc, ", as no KVM is loaded");
	else
		found(doc, "debugfs", VERDICT_UNMEASURED, "mount -t debugfs debugfs /sys/kernel/debug",
		      "debugfs, where KVM shows its VMs, is not mounted, or KVM has no folder in it: %s",
		      strerror(error));
}

static int run(struct document *doc)
{
	int ret = vms_read(&vms, asked_pid);

	document_host(doc);
	document_list(doc, "vms");
	if (ret) {
		find_missing(doc, -ret);
		return 0;
	}
	document_figure(doc, "vms", (int64_t)vms.count, "1", "VMs that run here and were looked at", NULL);
	if (vms.count)
		document_vms(doc, &vms, asked_pid);
	else
		find_none(doc, "");
	return 0;
}

/* ---- text -------------------------------------------------------------------- */

/* "-" for what is not known. */
static const char *number(char text[24], bool known, int64_t value)
{
	if (known)
		snprintf(text, 24, "%" PRId64, value);
	return known ? text : "-";
}

/* An age is read by people. */
static const char *seconds(char text[32], bool known, int64_t ns)
{
	uint64_t size = magnitude(ns);

	snprintf(text, 32, "%s%" PRIu64 ".%03" PRIu64, ns < 0 ? "-" : "", size / 1000000000,
		 size % 1000000000 / 1000000);
	return known ? text : "-";
}

static void print_row(const struct vm_facts *vm, FILE *to)
{
	char name[48], khz[24], spread[24], age[32], steps[24], worst[24];
	bool told = vm->state.is_there;

	snprintf(name, sizeof(name), "%" PRId64 "-%" PRId64, vm->pid, vm->fd);
	fprintf(to, "%-12s %-15s %5zu %-7s %10s %10s %12s %6s %8s %s\n", name, vm->name,
		vm->vcpu_count, vm_mode_word(vm->mode), number(khz, vm->khz > 0, vm->khz),
		number(spread, vm->spread_ns >= 0, vm->spread_ns),
		seconds(age, told && vm->mode == VM_MODE_MASTER, vm->state.line_age_ns),
		number(steps, told, vm->state.steps), number(worst, told, vm->state.step_worst_ns),
		vm->reasons);
}

static void print_table(FILE *to)
{
	fprintf(to, "%-12s %-15s %5s %-7s %10s %10s %12s %6s %8s %s\n", "VM", "process", "vCPUs",
		"mode", "TSC kHz", "spread ns", "line age s", "steps", "worst ns", "reasons");
	for (size_t i = 0; i < vms.count; i++)
		print_row(&vms.vm[i], to);
	fputc('\n', to);
}

static void print_list(struct document *doc, FILE *to)
{
	if (vms.count)
		print_table(to);
	print_findings(doc, to);
}

static void print_vcpus(const struct vm_facts *vm, FILE *to)
{
	char khz[24], offset[24], apart[24], ratio[24];

	fprintf(to, "%-6s %22s %16s %10s %18s\n", "vCPU", "TSC offset, cycles", "from the first",
		"kHz", "ratio");
	for (size_t i = 0; i < vm->vcpu_count; i++) {
		const struct vcpu_facts *vcpu = &vm->vcpus[i];

		fprintf(to, "%-6u %22s %16s %10s %18s", vcpu->id,
			number(offset, true, (int64_t)vcpu->offset_gtsc),
			number(apart, true, (int64_t)(vcpu->offset_gtsc - vm->vcpus[0].offset_gtsc)),
			number(khz, vcpu->khz > 0, vcpu->khz),
			number(ratio, vcpu->has_ratio, (int64_t)vcpu->ratio));
		if (vcpu->has_ratio)
			fprintf(to, " / 2^%" PRIu64, vcpu->frac_bits);
		fputc('\n', to);
	}
	fputc('\n', to);
}

static void print_state(const struct vm_facts *vm, FILE *to)
{
	const struct vm_state *state = &vm->state;

	fprintf(to, "clock %" PRId64 " ns, stable bit %s; %" PRId64 " updates, %" PRId64
		" writes of pages, %" PRId64 " sets; %" PRId64 " steps, %" PRId64
		" ns in all, %" PRId64 " ns the worst\n", state->clock_ns, state->stable ? "on" : "off",
		state->updates, state->page_writes, state->sets, state->steps,
		state->steps_total_ns, state->step_worst_ns);
}

static void print_show(struct document *doc, FILE *to)
{
	if (vms.count)
		print_table(to);
	for (size_t i = 0; i < vms.count; i++) {
		fprintf(to, "VM %" PRId64 "-%" PRId64 "\n", vms.vm[i].pid, vms.vm[i].fd);
		if (vms.vm[i].state.is_there)
			print_state(&vms.vm[i], to);
		print_vcpus(&vms.vm[i], to);
	}
	print_findings(doc, to);
}

const struct verb verb_list = {
	.name = "list",
	.says = "List the VMs that run here, and what their clocks are",
	.explains = "One line a VM, PID-FD: mode, the first vCPU's TSC, how far vCPUs' TSCs are apart, the age of the point that the clock's line was last drawn from, steps so far. "
		"The stock KVM does not tell mode, age and steps: kvmclock watch sees them from then on. "
		"Needs root and debugfs.",
	.uses = USES_BUDGET_NS | USES_ROOT,
	.run = run,
	.print = print_list,
};

const struct verb verb_show = {
	.name = "show",
	.says = "Show the VMs of one process, each vCPU",
	.arguments = "PID",
	.explains = "As list, and each vCPU's TSC: offset, its distance from the first one's, frequency and ratio. Needs root and debugfs.",
	.uses = USES_BUDGET_NS | USES_ROOT,
	.parse = parse_pid,
	.run = run,
	.print = print_show,
};
