/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Small VMs, what is done to their clocks, and what their guests see of it.
 * Who uses this defines probe_fail().
 */
#ifndef PROBE_H
#define PROBE_H

/* What must not fail did, errno says how.  Does not return to the caller. */
void probe_fail(const char *what, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
