/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What a lab program prints: TAP, and figures for the tables. */
#ifndef LAB_TAP_H
#define LAB_TAP_H

#include <stdbool.h>

#define LAB_PRINTF(n) __attribute__((format(printf, n, n + 1)))

/* A check; its name begins with its row, as in "K1 native: no step". */
bool tap_ok(bool good, const char *name, ...) LAB_PRINTF(2);

/* A check that this host or this KVM cannot run, and why. */
void tap_skip(const char *reason, const char *name, ...) LAB_PRINTF(2);

/* A comment. */
void tap_diag(const char *text, ...) LAB_PRINTF(1);

/* "# figure ROW NAME VALUE UNIT": no word has a blank in it. */
void tap_figure(const char *row, const char *name, long long value, const char *unit);

/* The same of a value in thousandths, printed with three decimals. */
void tap_figure_milli(const char *row, const char *name, long long milli, const char *unit);

/* Prints the plan; returns the exit code: 0 all ok, 1 not, 77 all skipped. */
int tap_end(void);

/* The test itself broke, errno says how: ends the program with 2. */
void tap_bail(const char *text, ...) LAB_PRINTF(1) __attribute__((noreturn));

#endif
