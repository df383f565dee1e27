// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "watch_step.h"

#include <stdlib.h>
#include <string.h>

#define SAME_CAUSE_NS 1000000000
#define KVM_SET_CLOCK_NR 0x7b
#define KVM_SET_CLOCK_GUEST_NR 0xd6
#define KVM_SET_TSC_KHZ_NR 0xa2
#define KVM_XEN_HVM_SET_ATTR_NR 0xc9
#define KVM_XEN_VCPU_SET_ATTR_NR 0xcb

struct watch_model *watch_model_new(uint32_t vms, uint32_t vcpus, watch_sink *sink, void *context)
{
	struct watch_model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->sink = sink;
	model->context = context;
	if (!watch_table_init(&model->table, vms, vcpus)) {
		watch_model_free(model);
		return NULL;
	}
	return model;
}

void watch_model_free(struct watch_model *model)
{
	watch_table_free(&model->table);
	free(model);
}

const struct watch_counts *watch_model_counts(const struct watch_model *model)
{
	return &model->counts;
}

void watch_model_found(struct watch_model *model, struct watch_vm_id id, bool always_drawn)
{
	watch_table_vm(&model->table, id, &model->counts.evicted)->always_drawn = always_drawn;
}

void watch_model_gone(struct watch_model *model, struct watch_vm_id id)
{
	watch_table_forget(&model->table, id);
}

static bool is_valid(const struct kc_line *line)
{
	return line->rate.mul && line->rate.shift >= -31 && line->rate.shift <= 31;
}

static struct watch_vcpu *find_vcpu(struct watch_model *model, struct watch_vm *vm, uint32_t id)
{
	struct watch_vcpu *vcpu = watch_table_vcpu(&model->table, vm, id, &model->counts.evicted);

	/* Nothing was lost of one that is seen for the first time. */
	if (vcpu && !vcpu->seen) {
		vcpu->seen = true;
		vcpu->losses = model->losses;
	}
	return vcpu;
}

void watch_model_offset(struct watch_model *model, struct watch_vm_id id, uint32_t number, uint64_t offset)
{
	struct watch_vm *vm = watch_table_vm(&model->table, id, &model->counts.evicted);
	struct watch_vcpu *vcpu = find_vcpu(model, vm, number);

	if (!vcpu || vcpu->has_offset)
		return;
	vcpu->offset = offset;
	vcpu->has_offset = true;
}

void watch_model_line(struct watch_model *model, struct watch_vm_id id, uint32_t number, struct kc_line line,
		      uint64_t now_ns)
{
	struct watch_vm *vm = watch_table_vm(&model->table, id, &model->counts.evicted);
	struct watch_vcpu *vcpu = find_vcpu(model, vm, number);

	if (!vcpu || vcpu->has_line || !is_valid(&line))
		return;
	vcpu->line = line;
	vcpu->has_line = true;
	vcpu->told_ns = vcpu->drawn_ns = now_ns;
}

static void noticed(struct watch_vm *vm, enum watch_cause cause)
{
	vm->last[cause] = ++vm->sequence;
	if (cause < CAUSE_MODE) {
		vm->caused = cause;
		vm->caused_ns = vm->used_ns;
	}
}

/* The first offset of a vCPU that is made is written over 0: what was known was another's. */
static bool is_new_vcpu(const struct watch_vcpu *vcpu, const struct watch_event *event)
{
	if (event->offset.from)
		return false;
	return !vcpu->has_offset || vcpu->offset || !vcpu->has_line;
}

/* With the same name: the VM that had it is gone, and this is another. */
static void made_anew(struct watch_vm *vm, struct watch_vcpu *vcpu)
{
	vm->has_mode = false;
	vm->online = 0;
	vcpu->has_line = false;
	vcpu->error_ns = 0;
}

static void offset_written(struct watch_model *model, struct watch_vm *vm, struct watch_vcpu *vcpu,
			   const struct watch_event *event)
{
	struct watch_step step = watch_step_of(vm, vcpu, STEP_TSC, event->time_ns);
	uint64_t moved = event->offset.to - event->offset.from;
	bool is_new = is_new_vcpu(vcpu, event);

	if (is_new || (vcpu->has_traced_offset && vcpu->offset != event->offset.from)) {
		watch_table_moved(&model->table, vcpu, 0);
		if (vcpu->has_line)
			made_anew(vm, vcpu);
	}
	vcpu->offset = event->offset.to;
	vcpu->has_offset = vcpu->has_traced_offset = true;
	vcpu->born |= is_new;
	noticed(vm, is_new ? CAUSE_VCPU_ADDED : CAUSE_TSC_OFFSET);
	if (!moved || is_new)
		return;
	if (vcpu->has_line) {
		vcpu->is_due |= vm->always_drawn;
		vcpu->moved_ns = event->time_ns;
		vcpu->moved_sequence = vm->sequence;
		watch_table_moved(&model->table, vcpu, vcpu->moved_gtsc + moved);
	}
	step.cycles = (int64_t)moved;
	step.stable = vcpu->stable;
	watch_explain(model, vm, vcpu, &step);
	model->sink(model->context, &step);
}

/* On stock this tells whether the vCPU will draw the line anew before it runs. */
static void tsc_tracked(struct watch_vm *vm, struct watch_vcpu *vcpu, const struct watch_event *event)
{
	/* VDSO clock modes that count by the TSC: 1 tsc, 3 Hyper-V's page */
	bool by_tsc = event->track.host_clock == 1 || event->track.host_clock == 3;
	bool master = by_tsc && event->track.matched + 1 == event->track.online;

	if ((event->track.master && !event->track.matched) || event->track.master != master)
		vcpu->is_due |= vcpu->moved_gtsc != 0;
	if (vm->online && event->track.online > vm->online)
		noticed(vm, CAUSE_VCPU_ADDED);
	vm->online = event->track.online;
}

/*
 * On stock each vCPU samples the master clock anew when it next runs, for one and the
 * same request of all: what comes soon after a cause is of that cause.
 */
static void master_sampled(struct watch_vm *vm, uint64_t time_ns)
{
	noticed(vm, CAUSE_MASTER);
	if (vm->caused_ns && time_ns - vm->caused_ns < SAME_CAUSE_NS)
		vm->last[vm->caused] = vm->sequence;
}

static void master_updated(struct watch_model *model, struct watch_vm *vm, const struct watch_event *event)
{
	struct watch_step step = watch_step_of(vm, NULL, STEP_MODE, event->time_ns);

	master_sampled(vm, event->time_ns);
	step.stable = event->master.master;
	if (vm->has_mode && vm->master != step.stable) {
		noticed(vm, CAUSE_MODE);
		model->sink(model->context, &step);
	}
	vm->has_mode = true;
	vm->master = step.stable;
}

static void ioctl_seen(struct watch_vm *vm, uint32_t ioctl)
{
	switch (ioctl & 0xff) {
	case KVM_SET_CLOCK_NR:
		noticed(vm, CAUSE_CLOCK_SET);
		break;
	case KVM_SET_CLOCK_GUEST_NR:
		noticed(vm, CAUSE_LINE_SET);
		break;
	case KVM_SET_TSC_KHZ_NR:
		noticed(vm, CAUSE_FREQUENCY_SET);
		break;
	case KVM_XEN_HVM_SET_ATTR_NR:
	case KVM_XEN_VCPU_SET_ATTR_NR:
		noticed(vm, CAUSE_XEN_SET);
		break;
	}
}

static void feed_vcpu(struct watch_model *model, struct watch_vm *vm, const struct watch_event *event)
{
	struct watch_vcpu *vcpu = find_vcpu(model, vm, event->vcpu);

	if (!vcpu || event->time_ns < vcpu->told_ns)
		return;
	if (event->kind == WATCH_OFFSET)
		offset_written(model, vm, vcpu, event);
	else if (event->kind == WATCH_TRACK)
		tsc_tracked(vm, vcpu, event);
	else if (is_valid(&event->page.line))
		watch_page_drawn(model, vm, vcpu, event);
	else
		model->counts.invalid++;
}

/* What cannot be told apart is not compared. */
static bool is_of_a_vm(struct watch_model *model, struct watch_vm_id id, const struct watch_event *event)
{
	if (id.pid && id.fd != WATCH_NO_FD)
		return true;
	if (id.pid)
		model->counts.ambiguous++;
	else if (event->kind == WATCH_MASTER)
		model->host_ns = event->time_ns;
	else
		model->counts.unattributed++;
	return false;
}

void watch_model_feed(struct watch_model *model, struct watch_vm_id id, const struct watch_event *event)
{
	struct watch_vm *vm;

	if (event->kind == WATCH_LOST) {
		model->losses++;
		return;
	}
	model->counts.events++;
	if (!is_of_a_vm(model, id, event))
		return;
	vm = watch_table_vm(&model->table, id, &model->counts.evicted);
	vm->used_ns = event->time_ns;
	switch (event->kind) {
	case WATCH_MASTER:
		master_updated(model, vm, event);
		break;
	case WATCH_MSR:
		noticed(vm, CAUSE_MSR);
		break;
	case WATCH_IOCTL:
		ioctl_seen(vm, event->ioctl);
		break;
	default:
		feed_vcpu(model, vm, event);
	}
}

void watch_model_passed(struct watch_model *model, uint64_t now_ns)
{
	struct watch_table *table = &model->table;
	uint32_t i;

	for (i = 0; table->moved && i < table->vcpu_room; i++) {
		struct watch_vcpu *vcpu = &table->vcpu[i];

		if (vcpu->used && watch_is_stale(vcpu, now_ns))
			watch_report_stale(model, &table->vm[vcpu->vm], vcpu);
	}
}
