/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Instances and probes in tracefs are named by who made them: NAME-PID, NAME_PID. */
#ifndef KVMCLOCK_WATCH_LEFTOVERS_H
#define KVMCLOCK_WATCH_LEFTOVERS_H

#define WATCH_NAME "kvmclock"

/* The probes of this group; NULL: of all groups whose maker is gone.  No instance may use them any more. */
void watch_remove_probes(const char *group);
/* Instances and probes whose maker is gone; how many instances. */
unsigned int watch_remove_leftovers(void);

#endif
