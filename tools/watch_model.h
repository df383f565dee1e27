/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the clocks of VMs did, from what was traced: events go in, in the order of
 * their times, and steps come out.  No clock is read here, no file, nothing is printed.
 *
 * A vCPU's clock is its line, as kvm_pvclock_update shows it.  A step is what the
 * new line reads beyond the old one at one guest TSC, the later of their points; both
 * are read as a guest does, rounded down: to 1 ns.  A TSC offset that is written takes the
 * old line along, if KVM then draws a new one; if it does not, the clock has stepped.
 */
#ifndef KVMCLOCK_WATCH_MODEL_H
#define KVMCLOCK_WATCH_MODEL_H

#include "../core/line.h"

/* From where an event is: the VM of a process, by its name in debugfs, PID-FD. */
struct watch_vm_id {
	uint32_t pid, fd;
};

#define WATCH_NO_FD UINT32_MAX	/* one of several VMs of the process, unknown which */
#define WATCH_GONE_FD (UINT32_MAX - 1)	/* debugfs does not tell it, or no more */
/* An event of no VM, but of the host. */
#define WATCH_HOST ((struct watch_vm_id){ 0, WATCH_NO_FD })

enum watch_kind {
	WATCH_PAGE,	/* kvm_pvclock_update */
	WATCH_MASTER,	/* kvm_update_master_clock */
	WATCH_TRACK,	/* kvm_track_tsc */
	WATCH_OFFSET,	/* kvm_write_tsc_offset */
	WATCH_MSR,	/* kvm_msr: written */
	WATCH_IOCTL,	/* a monitor's */
	WATCH_LOST,	/* events of a CPU were lost before this one */
};

struct watch_event {
	uint64_t time_ns;	/* of the trace's clock */
	uint32_t tid, order;	/* order: of those that were read, which is that of a CPU's */
	enum watch_kind kind;
	uint32_t vcpu;		/* of PAGE, TRACK, OFFSET */
	union {
		struct { struct kc_line line; uint32_t version; uint8_t flags; } page;
		struct { uint32_t host_clock; bool master, matched; } master;
		struct { uint32_t matched, online, host_clock; bool master; } track;
		struct { uint64_t from, to; } offset;
		uint32_t msr, ioctl;
		uint64_t lost;
	};
};

/* In the order in which they are believed when several came before a step. */
enum watch_cause {
	CAUSE_CLOCK_SET,	/* KVM_SET_CLOCK */
	CAUSE_LINE_SET,		/* KVM_SET_CLOCK_GUEST */
	CAUSE_FREQUENCY_SET,	/* KVM_SET_TSC_KHZ */
	CAUSE_TSC_OFFSET,	/* a TSC offset of the VM was written */
	CAUSE_VCPU_ADDED,
	CAUSE_XEN_SET,		/* Xen's pages were placed */
	CAUSE_MSR,		/* the guest wrote a clock's MSR */
	CAUSE_MODE,		/* master clock on or off */
	CAUSE_MASTER,		/* the master clock was sampled anew */
	CAUSE_HOST,		/* all VMs: the host's clocksource, or the periodic sync */
	CAUSE_HOST_MODE,	/* none of these; not in master mode: a fresh sample of the host */
	CAUSE_UNKNOWN,
	CAUSE_COUNT
};

enum watch_step_kind {
	STEP_CLOCK,		/* the line: step_ns; 0 for what was only drawn anew */
	STEP_CLOCK_FIRST,	/* the first line that was seen: no step */
	STEP_CLOCK_STALE,	/* the TSC offset was written, and no new line drawn: step_ns */
	STEP_TSC,		/* the TSC offset was written: cycles */
	STEP_MODE,		/* of the VM, another one: stable tells */
};

struct watch_step {
	enum watch_step_kind kind;
	struct watch_vm_id vm;
	uint64_t time_ns;
	uint32_t vcpu;
	int64_t step_ns, cycles;
	int64_t error_ns;	/* all steps of this vCPU's clock so far */
	uint64_t gtsc, clock_ns;	/* where, and what the new line reads there */
	enum watch_cause cause;
	uint32_t causes;	/* all that were seen: bits 1 << cause */
	bool stable;		/* the page has the stable bit; master mode */
	bool across_loss;	/* events of this vCPU were lost before: may be several steps */
	bool new_slope;
	bool born;		/* FIRST: the vCPU was made under our eyes; else its step is not known */
};

struct watch_model;
typedef void watch_sink(void *context, const struct watch_step *step);

struct watch_counts {
	uint64_t events, redrawn, steps, worst_ns, total_ns;
	uint64_t across_loss, unknown, unattributed, ambiguous, evicted, invalid;
};

/* Room for so many at most; NULL without memory.  Steps go to sink. */
struct watch_model *watch_model_new(uint32_t vms, uint32_t vcpus, watch_sink *sink, void *context);
void watch_model_free(struct watch_model *model);
const struct watch_counts *watch_model_counts(const struct watch_model *model);

/* Event: this VM is there, and whether every write of an offset there draws the line anew (our KVM). */
void watch_model_found(struct watch_model *model, struct watch_vm_id vm, bool always_drawn);
/* Event: it is not there any more. */
void watch_model_gone(struct watch_model *model, struct watch_vm_id vm);
/* What a vCPU's TSC offset is; not an event, and not believed if one was seen. */
void watch_model_offset(struct watch_model *model, struct watch_vm_id vm, uint32_t vcpu, uint64_t offset);

/* What its line was at now_ns, when nobody had seen it drawn: what was drawn before that is in it. */
void watch_model_line(struct watch_model *model, struct watch_vm_id vm, uint32_t vcpu, struct kc_line line,
		      uint64_t now_ns);

/* Event: in the order of their times, but for small disorder. */
void watch_model_feed(struct watch_model *model, struct watch_vm_id vm, const struct watch_event *event);
/* Event: all that was traced before now_ns has been fed. */
void watch_model_passed(struct watch_model *model, uint64_t now_ns);

#endif
