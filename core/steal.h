/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Time that a vCPU could have run and did not, because its thread waited for a
 * CPU; and the record that tells a guest of it.
 */
#ifndef KC_STEAL_H
#define KC_STEAL_H

#include "types.h"

/* What is known of the thread that runs a vCPU. */
struct kc_thread {
	u64 id;			/* 0: of none */
	u64 run_delay_ns;	/* it waited for a CPU, in all its life */
};

/*
 * How long the thread waited since it was last seen, in ns; *seen becomes now.
 * 0 when there is nothing to compare with: nothing was seen, or another thread,
 * or one of this id that had waited longer.  Domain: all.
 */
u64 kc_thread_waited_ns(struct kc_thread *seen, struct kc_thread now);

/*
 * What the steal record is to show: what it shows, which may be anything, and
 * the waiting on top, but no more of it than the raw time that passed (0 if
 * that is negative).  Never less than it shows: at most 2^64 - 1.  Domain: all.
 */
u64 kc_steal_ns(u64 shown_ns, u64 waited_ns, s64 passed_ns);

/* A guest's view of the record that its host writes for one CPU. */
struct kc_steal_view {
	bool is_begun;
	u64 record_ns, clock_ns;	/* at the last reading */
	u64 shown_ns;
};

/*
 * Event: the record read record_ns at the time clock_ns of a clock of the guest's.
 * Returns the stolen time to believe in, in ns mod 2^64, which is also what *view
 * shows from then on: at first the record, later what it showed and the record's
 * growth mod 2^64.  Growth by more than the time that passed is cut to that; by
 * 1/64 more, or back, or with a clock that did not move on, it did not happen and
 * counts 0.  Domain: all.
 */
u64 kc_steal_record_read_ns(struct kc_steal_view *view, u64 record_ns, u64 clock_ns);

#endif
