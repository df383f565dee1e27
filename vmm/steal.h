/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The record of stolen time in a guest's memory, as a bad host would leave it. */
#ifndef VMM_STEAL_H
#define VMM_STEAL_H

#include <stdint.h>

struct vm;

/*
 * Adds to a vCPU's record, mod 2^64, with the vCPU out of the guest; KVM adds to what it finds.
 * Says on stderr "steal: vcpu N at GPA was NS is NS", signed.
 */
int steal_plant(struct vm *vm, long id, uint64_t add_ns);

/* The record becomes one that its host never finishes to write. */
int steal_tear(struct vm *vm, long id);

#endif
