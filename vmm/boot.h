/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Linux by its 64-bit boot protocol (Documentation/arch/x86/boot.rst), and the
 * MP table that tells it of more processors than one.
 */
#ifndef VMM_BOOT_H
#define VMM_BOOT_H

#include "vm.h"

/* Kernel, initramfs (NULL: none) and command line into memory; vCPU 0 at the kernel's start. */
int boot_linux(struct vm *vm, const char *kernel, const char *initrd, const char *cmdline);

/* Below the end of low memory, where Linux looks for it. */
#define MPTABLE_GPA	0x9fc00u
void mptable_write(struct vm *vm);

#endif
