/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Everything that makes KVM draw the clock anew and should not be seen. */
#ifndef PROBE_PROVOKE_H
#define PROBE_PROVOKE_H

#include "scene.h"

enum provocation_id {
	PROVOKE_MSR,		/* system-time MSR written, old and new */
	PROVOKE_OFFSET,		/* TSC offset of all vCPUs moved, moved back */
	PROVOKE_VCPU,		/* a vCPU is added while another runs */
	PROVOKE_XEN,		/* Xen's shared_info is set */
	PROVOKE_STOPPED,	/* KVM_KVMCLOCK_CTRL */
	PROVOKE_GET_CLOCK,	/* KVM_GET_CLOCK */
	PROVOKE_OFFSET_ONE,	/* TSC offset of one vCPU moved, moved back */
	PROVOKE_COUNT
};

extern const char *const provocation_name[PROVOKE_COUNT];

/*
 * Waits gap_ms, provokes, and lets the guest compare after each part of it; who
 * observes is shown its clock while it waits, too, and for a while after it.
 * Returns the worst step in ns.  The wait's own steps are in pair_ns and sum_ns.
 */
uint64_t provoke(struct scene *scene, enum provocation_id id, unsigned int gap_ms);

/*
 * All of them, rounds times; worst_ns[PROVOKE_COUNT] takes the maxima.  One
 * vCPU's offset is moved once, in the end: stock is out of master mode then.
 */
void provoke_all(struct scene *scene, int rounds, unsigned int gap_ms, uint64_t *worst_ns);

#endif
