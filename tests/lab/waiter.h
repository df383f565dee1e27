/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Threads that waited for a CPU, and vCPUs that run on one thread or another. */
#ifndef LAB_WAITER_H
#define LAB_WAITER_H

#include "vm.h"

/* CLOCK_MONOTONIC_RAW. */
uint64_t waiter_raw_ns(void);

/* How long this thread waited for a CPU, in all its life. */
uint64_t waiter_run_delay_ns(void);

/* Lets this thread wait for a CPU, behind others, for at least so long. */
void waiter_wait(unsigned int ms);

/* One run of the guest on a thread of its own, which has hardly waited. */
void waiter_run_elsewhere(struct vcpu *vcpu);

#endif
