/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What is measured of clocks.  Errors are magnitudes in ns. */
#ifndef PROBE_MEASURE_H
#define PROBE_MEASURE_H

#include "vm.h"

/* What the guest of b reads beyond the guest of a at one host TSC, in ns. */
int64_t measure_apart_ns(struct vcpu *a, struct vcpu *b);

/*
 * The clock of one VM restored on another of the same khz by KVM_SET_CLOCK
 * with a realtime, tries times: the worst error the second VM's guest sees.
 */
uint64_t measure_restore_by_set_clock(uint32_t khz, int tries);

/* The same by TSC offset and line; -1 if this KVM has no line ioctls. */
int64_t measure_restore_by_line(uint32_t khz);

struct measure_get_clock {
	uint64_t worst_ns;	/* KVM_GET_CLOCK against the page, host TSC given */
	int without_htsc;	/* readings that gave none, and are not in worst_ns */
	bool flags_all_or_none;	/* realtime, host TSC, stable: three or none */
	bool flags_all;
};

/* Is shown each reading's error, at the host TSC of it. */
struct measure_observer {
	void (*saw)(struct measure_observer *observer, int64_t error_ns, uint64_t htsc);
};

/* readings of KVM_GET_CLOCK over ms, against the guest's page; observer may be NULL. */
struct measure_get_clock measure_get_clock(uint32_t khz, int readings, unsigned int ms,
					   struct measure_observer *observer);

/* The page's slope against the hardware's rate: parts in 10^12, away from zero. */
uint64_t measure_slope_error_milli_ppb(uint32_t khz);

struct measure_late_khz {
	int error;		/* of KVM_SET_TSC_KHZ */
	/* The guest reads once before the change and twice after it. */
	uint64_t back_cycles;	/* what the TSC went back */
	uint64_t forward_cycles; /* second reading minus first */
	/* last minus first, beyond what the faster rate makes of the time */
	uint64_t jump_cycles;
	uint64_t clock_back_ns;	/* the guest's clock, if back */
	/*
	 * The clock's step, beyond one tick of the slower TSC, which is what
	 * the floor in the guest's formula may hide.  Needs a TSC that the
	 * hardware's law describes, so none in software catch-up.
	 */
	uint64_t clock_step_ns;
};

/* A vCPU at from_khz has run for run_ms, then is set to to_khz. */
struct measure_late_khz measure_late_khz(uint32_t from_khz, uint32_t to_khz,
					 unsigned int run_ms);

#endif
