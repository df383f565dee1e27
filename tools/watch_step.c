// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "watch_step.h"

/*
 * A line that is drawn so soon after the offset was written is drawn for it, and no guest ran
 * between; sooner, if nothing else was traced that asks for a line.
 */
#define STALE_AFTER_NS 20000000
#define STALE_ALONE_AFTER_NS 1000000

/* All that was noticed since this vCPU's line was drawn. */
void watch_explain(const struct watch_model *model, const struct watch_vm *vm,
		    const struct watch_vcpu *vcpu, struct watch_step *step)
{
	int cause;

	step->cause = CAUSE_UNKNOWN;
	for (cause = CAUSE_UNKNOWN - 1; cause >= 0; cause--) {
		if (vm->last[cause] <= vcpu->drawn_sequence)
			continue;
		step->causes |= 1u << cause;
		step->cause = (enum watch_cause)cause;
	}
	if (step->cause != CAUSE_UNKNOWN)
		return;
	if (model->host_ns > vcpu->drawn_ns)
		step->cause = CAUSE_HOST;
	else if (!step->stable)
		step->cause = CAUSE_HOST_MODE;
	step->causes = 1u << step->cause;
}

struct watch_step watch_step_of(const struct watch_vm *vm, const struct watch_vcpu *vcpu,
				 enum watch_step_kind kind, uint64_t time_ns)
{
	return (struct watch_step) {
		.kind = kind, .vm = vm->id, .time_ns = time_ns, .vcpu = vcpu ? vcpu->id : 0,
		.cause = CAUSE_UNKNOWN,
	};
}

static void count_step(struct watch_counts *counts, struct watch_vcpu *vcpu, struct watch_step *step)
{
	uint64_t size_ns = step->step_ns < 0 ? -(uint64_t)step->step_ns : (uint64_t)step->step_ns;

	vcpu->error_ns += (uint64_t)step->step_ns;
	step->error_ns = (int64_t)vcpu->error_ns;
	if (!size_ns)
		return;
	counts->steps++;
	counts->total_ns += size_ns;
	counts->across_loss += step->across_loss;
	if (size_ns > counts->worst_ns)
		counts->worst_ns = size_ns;
}

/* What the clock steps by when the TSC does by delta, and the line stays. */
static int64_t stale_step_ns(const struct kc_line *line, uint64_t delta)
{
	uint64_t size = (int64_t)delta < 0 ? -delta : delta;
	int64_t step_ns = (int64_t)(kc_line_read_floor_ns(line, line->t0_gtsc + size) - line->n0_ns);

	return (int64_t)delta < 0 ? -step_ns : step_ns;
}

void watch_report_stale(struct watch_model *model, struct watch_vm *vm, struct watch_vcpu *vcpu)
{
	struct watch_step step = watch_step_of(vm, vcpu, STEP_CLOCK_STALE, vcpu->moved_ns);

	step.step_ns = stale_step_ns(&vcpu->line, vcpu->moved_gtsc);
	step.stable = vcpu->stable;
	step.cause = CAUSE_TSC_OFFSET;
	step.causes = 1u << CAUSE_TSC_OFFSET;
	step.across_loss = vcpu->losses != model->losses;
	count_step(&model->counts, vcpu, &step);
	watch_table_moved(&model->table, vcpu, 0);
	if (step.step_ns)
		model->sink(model->context, &step);
}

bool watch_is_stale(const struct watch_vcpu *vcpu, uint64_t now_ns)
{
	return vcpu->moved_gtsc && !vcpu->is_due && now_ns > vcpu->moved_ns + STALE_AFTER_NS;
}

/* The TSC moved since the line was drawn: with the line, or against it. */
static void settle_offset(struct watch_model *model, struct watch_vm *vm, struct watch_vcpu *vcpu,
			  uint64_t now_ns)
{
	if (!vcpu->moved_gtsc)
		return;
	if (watch_is_stale(vcpu, now_ns) || (!vcpu->is_due && vm->sequence == vcpu->moved_sequence &&
					     now_ns > vcpu->moved_ns + STALE_ALONE_AFTER_NS)) {
		watch_report_stale(model, vm, vcpu);
		return;
	}
	vcpu->line = kc_line_translated(vcpu->line, vcpu->moved_gtsc);
	watch_table_moved(&model->table, vcpu, 0);
}

/*
 * Each page's version goes up by 2 with each line, so nothing was lost when it has.
 * A vCPU may have several pages, by kvm-clock's MSR and two of Xen's.
 */
static bool follow_version(struct watch_vcpu *vcpu, uint32_t version)
{
	unsigned int i;

	for (i = 0; i < WATCH_PAGES; i++) {
		if (vcpu->has_version[i] && vcpu->version[i] + 2 == version) {
			vcpu->version[i] = version;
			return true;
		}
	}
	i = vcpu->next_version++ % WATCH_PAGES;
	vcpu->version[i] = version;
	vcpu->has_version[i] = true;
	return false;
}

static void compare_lines(const struct kc_line *from, const struct kc_line *to, struct watch_step *step)
{
	bool back = (int64_t)(to->t0_gtsc - from->t0_gtsc) < 0;

	step->gtsc = back ? from->t0_gtsc : to->t0_gtsc;
	step->clock_ns = kc_line_read_floor_ns(to, step->gtsc);
	step->step_ns = (int64_t)(step->clock_ns - kc_line_read_floor_ns(from, step->gtsc));
	step->new_slope = from->rate.mul != to->rate.mul || from->rate.shift != to->rate.shift;
}

void watch_page_drawn(struct watch_model *model, struct watch_vm *vm, struct watch_vcpu *vcpu,
		       const struct watch_event *event)
{
	struct watch_step step = watch_step_of(vm, vcpu, STEP_CLOCK, event->time_ns);
	bool follows = follow_version(vcpu, event->page.version);

	step.stable = vcpu->stable = event->page.flags & 1;
	watch_explain(model, vm, vcpu, &step);
	if (vcpu->has_line) {
		step.across_loss = vcpu->losses != model->losses && !follows;
		settle_offset(model, vm, vcpu, event->time_ns);
		compare_lines(&vcpu->line, &event->page.line, &step);
		count_step(&model->counts, vcpu, &step);
	} else {
		step.kind = STEP_CLOCK_FIRST;
		step.born = vcpu->born;
		model->counts.unknown += !vcpu->born;
		step.gtsc = event->page.line.t0_gtsc;
		step.clock_ns = event->page.line.n0_ns;
	}
	model->counts.redrawn++;
	vcpu->line = event->page.line;
	vcpu->has_line = true;
	vcpu->losses = model->losses;
	vcpu->drawn_ns = event->time_ns;
	vcpu->drawn_sequence = vm->sequence;
	vcpu->is_due = false;
	model->sink(model->context, &step);
}
