/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The oracle's arithmetic: exact, and none of the project's own core. */
#ifndef PROBE_EXACT_H
#define PROBE_EXACT_H

#include <stdbool.h>
#include <stdint.h>

#include "kvm_clock.h"

typedef unsigned __int128 exact_u128;

/* How a guest TSC follows from the host's. */
struct exact_tsc {
	uint64_t ratio;		/* guest ticks for 2^frac host ticks */
	uint64_t frac;
	uint64_t offset;	/* guest ticks, mod 2^64 */
};

/* The guest's own formula; inline, because the guest's code has no libc. */
static inline __attribute__((always_inline)) uint64_t
exact_page_ns(const struct pvclock_vcpu_time_info *page, uint64_t gtsc)
{
	uint64_t delta = gtsc - page->tsc_timestamp;

	if (page->tsc_shift < 0)
		delta >>= -page->tsc_shift;
	else
		delta <<= page->tsc_shift;
	return page->system_time +
	       (uint64_t)((exact_u128)delta * page->tsc_to_system_mul >> 32);
}

/* floor(htsc * ratio / 2^frac) + offset, mod 2^64. */
uint64_t exact_guest_tsc(const struct exact_tsc *tsc, uint64_t htsc);

/* The page's reading at a host TSC. */
uint64_t exact_page_at_ns(const struct pvclock_vcpu_time_info *page,
			  const struct exact_tsc *tsc, uint64_t htsc);

/*
 * The relative error of the page's slope against the hardware's rate, in
 * thousandths of a ppb, away from zero.  host_khz: the host TSC's frequency.
 */
int64_t exact_slope_error_milli_ppb(const struct pvclock_vcpu_time_info *page,
				    const struct exact_tsc *tsc, uint32_t host_khz);

/* Same line: all but version and flags. */
bool exact_same_line(const struct pvclock_vcpu_time_info *a,
		     const struct pvclock_vcpu_time_info *b);

#endif
