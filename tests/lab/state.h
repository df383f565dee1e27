/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The file of a VM's clock in debugfs; see kvmclock(4). */
#ifndef LAB_STATE_H
#define LAB_STATE_H

#include "vm.h"

#define STATE_TEXT 128

/* The stock KVM has none. */
bool state_exists(const struct vm *vm);

/* What follows key in its line; bails out if there is no such line. */
void state_text(const struct vm *vm, const char *key, char text[STATE_TEXT]);

/* The same as a number, mod 2^64. */
uint64_t state_number(const struct vm *vm, const char *key);

/* Is the text that follows key this one? */
bool state_is(const struct vm *vm, const char *key, const char *text);

#endif
