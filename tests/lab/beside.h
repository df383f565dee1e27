/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The clock of a VM beside another clock, which keeps time without it. */
#ifndef LAB_BESIDE_H
#define LAB_BESIDE_H

#include <time.h>

#include "vm.h"

/* One reading lies between two of the other's; the closest pair of many. */
struct beside {
	int64_t ahead_ns;	/* reading minus the middle of the two */
	int64_t within_ns;	/* half their distance */
};

struct beside beside_get_clock(struct vm *vm, clockid_t id);

/* What the vCPU's guest reads from its page as it lies in memory. */
struct beside beside_page(struct vcpu *vcpu, clockid_t id);

/* KVM_GET_CLOCK beside what a page of this vCPU reads, now or if it still lay there. */
struct beside beside_page_get_clock(struct vcpu *vcpu, const struct pvclock_vcpu_time_info *page);

/* A clock of the host beside another. */
struct beside beside_host_clock(clockid_t clock, clockid_t id);

/*
 * How far ahead the clock went from one to the other, in ns: what their
 * distances leave open counts for 0.
 */
int64_t beside_moved_ns(struct beside from, struct beside to);

uint64_t host_clock_ns(clockid_t id);

#endif
