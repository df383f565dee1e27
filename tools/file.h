/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Whole files: bounded when read, whole or not there when written. */
#ifndef KVMCLOCK_FILE_H
#define KVMCLOCK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * All bytes of a file, "-" is stdin; more than most are an error.  The memory is
 * the caller's to free, and has a 0 behind the last byte.  NULL: fail() has said why.
 */
uint8_t *file_read(const char *path, size_t most, size_t *length);

/* Beside it first, then in one step; a file that is there stays unless over it is to be. */
int file_write(const char *path, const void *bytes, size_t length, bool over);

#endif
