/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What monitors do without the library, for comparison: each TSC and the clock
 * is read when its turn comes, and set when its turn comes.
 */
#ifndef VMM_NAIVE_H
#define VMM_NAIVE_H

#include "vm.h"

bool naive_owns_msr(uint32_t msr);
int naive_save(struct vm *vm, uint8_t *state, uint32_t *size);
int naive_restore_vm(const uint8_t *state, uint32_t size);
int naive_restore_vcpu(struct vm *vm, int id);
int naive_finish(struct vm *vm);

#endif
