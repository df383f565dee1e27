/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What happens to a host.  Bails out on failure. */
#ifndef LAB_HOST_LIFE_H
#define LAB_HOST_LIFE_H

#include <stdbool.h>

/* name: "tsc", "hpet".  Returns whether the host has it. */
bool host_set_clocksource(const char *name);

/* CPU 1 goes or comes.  Returns whether the host has one that may. */
bool host_set_cpu1_online(bool online);

/* The calling thread runs on this CPU.  Returns whether it can. */
bool host_run_on(int cpu);

/* The host's NTP slews its clocks by so much from here on; 0: not at all. */
void host_slew_ppm(int ppm);

/* Suspends the host to RAM; its clock wakes it.  False: it cannot. */
bool host_suspend(unsigned int seconds);

#endif
