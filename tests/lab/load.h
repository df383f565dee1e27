/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* All vCPUs of a VM read their pages, each in a thread, while something happens. */
#ifndef LAB_LOAD_H
#define LAB_LOAD_H

#include <pthread.h>

#include "vm.h"

#define LOAD_VCPUS 4

struct load_vcpu {
	struct load *load;
	struct vcpu *vcpu;
	pthread_t thread;
	/* Readings with the stable bit, and those of them less than an earlier one. */
	uint64_t stable, back, worst_back_ns;
};

struct load {
	struct vm *vm;
	volatile bool is_over;
	bool is_guarded;
	struct load_vcpu vcpu[LOAD_VCPUS];
};

/*
 * vCPU n begins on the host's CPU n % 2, if there is one.  guarded: the earlier
 * one may be without the stable bit, too.
 */
void load_start(struct load *load, struct vm *vm, bool guarded);

/* Ends it, and adds what came of it to the figures of sum. */
void load_stop(struct load *load, struct load_vcpu *sum);

#endif
