/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What happens to a host.  Bails out on failure. */
#ifndef LAB_HOST_LIFE_H
#define LAB_HOST_LIFE_H

#include <stdbool.h>

/* name: "tsc", "hpet".  Returns whether the host has it. */
bool host_set_clocksource(const char *name);

#endif
