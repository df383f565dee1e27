/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The guest's clock and TSC over a move: all of it is libkvmclock's.  What it
 * found is printed as lines "clock: KEY VALUE", see clock.c.
 */
#ifndef VMM_CLOCK_H
#define VMM_CLOCK_H

#include "vm.h"

/* live-update, advance, frozen, clone; naive is none of the library's, see naive.h. */
int clock_set_policy(const char *name, bool is_same_host);
/* The greatest step and rate error that are allowed. */
void clock_set_budget(uint64_t step_ns, uint64_t rate_ppb);

/* Before the VM's TSC frequency is set. */
int clock_open(struct vm *vm);

/* MSRs that nobody else may save or set. */
bool clock_owns_msr(uint32_t msr);

/* vCPUs are parked; state has room for STATE_MAX_CLOCK bytes. */
int clock_save(struct vm *vm, uint8_t *state, uint32_t *size);

/* In this order: before vCPUs are created; when all are, each after its LAPIC; at the end. */
int clock_restore_vm(struct vm *vm, const uint8_t *state, uint32_t size);
int clock_restore_vcpu(struct vm *vm, int id);
int clock_finish(struct vm *vm);

/* What the guest sees against what it was to see; vCPUs are parked, and have run. */
int clock_verify(struct vm *vm);

/* Makes a step of that size, for those who look for steps. */
int clock_plant(struct vm *vm, int64_t step_ns);

#endif
