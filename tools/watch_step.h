/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* For watch_model.c: lines are drawn, and compared with those before. */
#ifndef KVMCLOCK_WATCH_STEP_H
#define KVMCLOCK_WATCH_STEP_H

#include "watch_table.h"

struct watch_model {
	struct watch_table table;
	struct watch_counts counts;
	watch_sink *sink;
	void *context;
	uint32_t losses;		/* times that events were lost */
	uint64_t host_ns;		/* the last event of no VM */
};

/* A step of this vCPU, or with NULL of the VM, in which nothing has happened. */
struct watch_step watch_step_of(const struct watch_vm *vm, const struct watch_vcpu *vcpu,
				enum watch_step_kind kind, uint64_t time_ns);
/* Fills in the causes: what was noticed since the vCPU's line was drawn. */
void watch_explain(const struct watch_model *model, const struct watch_vm *vm,
		   const struct watch_vcpu *vcpu, struct watch_step *step);
/* Event: a page of the vCPU was written; its line is valid. */
void watch_page_drawn(struct watch_model *model, struct watch_vm *vm, struct watch_vcpu *vcpu,
		      const struct watch_event *event);
/* Has the TSC moved, and will no line be drawn for it?  Then it is to be reported. */
bool watch_is_stale(const struct watch_vcpu *vcpu, uint64_t now_ns);
void watch_report_stale(struct watch_model *model, struct watch_vm *vm, struct watch_vcpu *vcpu);

#endif
