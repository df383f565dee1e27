/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The time that functions of the kernel take. */
#ifndef LAB_SPENT_H
#define LAB_SPENT_H

#include <stdint.h>

/*
 * The time in these functions, blanks between them, outermost calls only, is
 * traced from now on; a name that this KVM has not is left out.  The sum since,
 * or since trace_forget(), is in ticks of the host's TSC, less what the tracer
 * itself takes of it.
 */
void spent_in(const char *functions);
uint64_t spent_ticks(void);

#endif
