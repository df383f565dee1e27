/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What pages show without a line: a sample of the clock, carried on by the TSC.
 * When the line comes back it goes on from the raw base, and the sample may be
 * ahead of that by what the TSC ran fast: no page is stable, and so guests keep
 * their own guard, until the line is past all that was shown.
 */
#ifndef KC_SAMPLE_H
#define KC_SAMPLE_H

#include "master.h"

/* All pages are about to be written.  Without a line they show this reading. */
void kc_master_sampled(struct kc_master *m, struct kc_reading now);

/* Event: time has passed.  True: pages are due, since they may be stable now. */
bool kc_master_time_passed(struct kc_master *m, struct kc_reading now);

/* For master.c: a sample was shown until now; the clock reads clock_ns, past it? */
void kc_master_note_shown(struct kc_master *m, struct kc_reading now);
void kc_master_pass_shown(struct kc_master *m, u64 clock_ns);

#endif
