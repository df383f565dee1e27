/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A simulated VM: a host whose time passes, up to 8 vCPUs, and pages that are
 * written only when core says so, or for a vCPU whose own TSC changed.  It keeps
 * its own account of the generation, the facts and the window, by counting, and
 * compares core's with it.
 */
#ifndef LAWS_VM_H
#define LAWS_VM_H

#include "laws.h"
#include "move.h"
#include "sample.h"

#define MAX_VCPUS 8
#define NR_RATIOS 3

struct vcpu {
	struct kc_tsc tsc;	/* ratio 0: caught up in software */
	u64 moved_gtsc;		/* by the guest, and not yet moved back */
	struct kc_line page;
	bool is_shown;		/* the guest has given the page a place */
	bool is_stable;		/* the page's stable bit */
	bool is_of_master;	/* the page was written in master mode */
};

struct vm {
	struct in *in;
	struct kc_host host;
	struct kc_reading now;
	int raw_ppb;		/* the raw base, faster than the TSC by */
	u64 rest_ns_khz;	/* of ticks to ns */
	s64 rest_ppb;
	u64 ratios[NR_RATIOS];	/* the first is 1 */

	struct kc_master m;
	struct vcpu vcpus[MAX_VCPUS];
	unsigned int nr;

	struct kc_tsc generation;	/* the model's own account, from here */
	u8 facts;
	bool allow_unmatched, has_window;
	u64 window_offset;		/* follows a new generation too */
	u64 last_ns;			/* the latest reading */
	u64 seen_ns;			/* the most that a page of the generation read */
};

/* What an event did, for the checks after it. */
struct outcome {
	bool pages_due;		/* core says, or the kernel after a restart */
	bool is_set;		/* the clock was, explicitly */
	bool owes_all;		/* ... pages, whatever the mode */
	bool is_one_tsc;	/* one vCPU's TSC changed */
	bool is_restart;	/* of the host's TSC */
	u64 slept_ns;
	struct vcpu *vcpu;	/* of the event, if of one */
};

/* A VM without a vCPU. */
void vm_make(struct vm *vm, struct in *in);

/* A VM in master mode whose first vCPUs have done as they liked. */
void vm_make_settled(struct vm *vm, struct in *in);

/* Time passes; a thousand seconds at most. */
void vm_advance(struct vm *vm, u64 htsc);
u64 vm_any_ticks(struct vm *vm);

/* Another vCPU.  false: no room. */
bool vm_add_vcpu(struct vm *vm, u64 ratio, struct outcome *outcome);

u64 vm_read(const struct vm *vm);
u64 vm_read_tsc(const struct vm *vm, const struct vcpu *vcpu);

/* The model's own predicate. */
unsigned int vm_count_matched(const struct vm *vm);
u8 vm_reasons(const struct vm *vm);
bool vm_has_line(const struct vm *vm);
bool vm_is_master(const struct vm *vm);
bool vm_is_stable(const struct vm *vm);

/* A vCPU takes another TSC; everything that core is told and asked on it. */
void vm_change_tsc(struct vm *vm, struct vcpu *vcpu, struct kc_tsc to,
		   bool by_host, struct outcome *outcome);

/* The host writes a vCPU's TSC. */
void vm_host_writes_tsc(struct vm *vm, struct vcpu *vcpu, u64 gtsc,
			struct outcome *outcome);

/* A guest line that may be set from outside. */
struct kc_line vm_any_line(struct vm *vm, const struct vcpu *vcpu);

/* The pages that are due are written. */
void vm_honour(struct vm *vm, const struct outcome *outcome);
void vm_write_page(struct vm *vm, struct vcpu *vcpu);

/* What a vCPU's page tells its guest at htsc. */
u64 vm_read_page(const struct vm *vm, const struct vcpu *vcpu, u64 htsc);

/* Laws 1, 5 and 8 after an event, whose pages have been written. */
void vm_check(struct vm *vm, const struct vm *before,
	      const struct outcome *outcome);

/* Something happens, at random, is honoured and checked. */
void vm_any_event(struct vm *vm);

#endif
