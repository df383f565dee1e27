/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Files below --root.  What is in them is anybody's bytes: bounded, and made printable. */
#ifndef KVMCLOCK_FILES_H
#define KVMCLOCK_FILES_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Up to room - 1 bytes and a NUL: how many bytes, or -errno and "".  Bytes that are no ASCII text become '?'. */
ssize_t read_text(char *text, size_t room, const char *path, ...)
	__attribute__((format(printf, 3, 4)));
/* The file's first line, without blanks at its end. */
ssize_t read_line(char *text, size_t room, const char *path, ...)
	__attribute__((format(printf, 3, 4)));
/* Its first line as one whole number, of 64 bits, signed or not: 0, or -errno; -EINVAL for others. */
int read_number(uint64_t *value, const char *path, ...) __attribute__((format(printf, 2, 3)));
/* A descriptor, or -errno. */
int open_below(int flags, const char *path, ...) __attribute__((format(printf, 2, 3)));
/* NULL and errno. */
DIR *open_folder(const char *path, ...) __attribute__((format(printf, 1, 2)));
bool exists_below(const char *path, ...) __attribute__((format(printf, 1, 2)));

/* What is there, at most room bytes: how many, and in error 0 or an errno that it ended by. */
size_t read_up_to(int fd, void *bytes, size_t room, int *error);
bool parse_number(const char *text, uint64_t *value);
/* The value of the first line of text that is KEY, SEPARATOR and a value; false: none. */
bool find_value(const char *text, const char *key, char separator, char *value, size_t room);
bool has_word(const char *text, const char *word);

#endif
