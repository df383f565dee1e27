/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The clock of a VM: a state that takes events.
 *
 * The clock is the line over the generation's TSC while that TSC can be
 * trusted, and the raw base plus an offset when it cannot.  Nothing else
 * computes it.  No function here reads a clock, takes a lock or writes a page;
 * all are total unless a domain is stated.
 *
 * An event tells whether pages are due: true, and every page may have changed,
 * Hyper-V's too, and is to be written before any vCPU reads it again.
 */
#ifndef KC_MASTER_H
#define KC_MASTER_H

#include "line.h"
#include "tsc.h"

/* One reading of the host.  All of it from one and the same TSC read. */
struct kc_reading {
	u64 htsc;	/* host ticks */
	s64 raw_ns;	/* raw base: CLOCK_MONOTONIC_RAW plus the boot offset */
};

/* Why a VM is in host mode; none of them: master mode. */
enum kc_reason {
	KC_NO_TSC_CLOCKSOURCE	= 1 << 0,	/* host's clocksource is not the TSC */
	KC_TSC_BACKWARDS	= 1 << 1,	/* host's TSC was seen to go back */
	KC_OLD_MSR		= 1 << 2,	/* boot vCPU uses MSR 0x12 */
	KC_UNEQUAL_RATES	= 1 << 3,	/* a vCPU is not in the generation */
	KC_UNMATCHED		= 1 << 4,	/* TSC offsets differ, and may not */
};

/* With one of these there is no line: the clock is counted by the raw base. */
#define KC_NO_LINE (KC_NO_TSC_CLOCKSOURCE | KC_TSC_BACKWARDS | KC_UNEQUAL_RATES)

struct kc_master {
	struct kc_host host;
	struct kc_line line;		/* over the generation's TSC */
	s64 base_offset_ns;		/* without a line: clock minus raw base */
	struct kc_reading sample;	/* without a line: what pages are drawn from */
	u64 shown_ns;			/* not stable until the clock reads this; 0: may be */
	struct kc_tsc generation;
	u64 window_offset_gtsc;		/* of the last TSC value from the host */
	u32 nr_vcpus;
	u32 nr_same_rate;		/* vCPUs in the generation */
	u32 nr_matched;			/* ... that share its offset too */
	u8 facts;			/* reasons that are not counted */
	bool host_wrote_tsc;		/* is there a window? */
	bool host_sleeps;		/* base_offset_ns is what holds afterwards */
	bool allow_unmatched;
};

/* How many vCPUs have the ratio of a TSC, and how many all of it. */
struct kc_census {
	u32 nr_same_rate, nr_matched;
};

/* A mask of enum kc_reason; 0: master mode. */
u8 kc_master_reasons(const struct kc_master *m);

/* May pages carry the TSC stable bit? */
bool kc_master_is_stable(const struct kc_master *m);

/* The clock at now, in ns, mod 2^64, rounded down by the line or the host. */
u64 kc_master_read_floor_ns(const struct kc_master *m, struct kc_reading now);

/* The line as a vCPU with this TSC sees it.  Domain: there is a line. */
struct kc_line kc_master_vcpu_line(const struct kc_master *m, struct kc_tsc tsc);

/*
 * The line that the page of a vCPU with this TSC shows: in master mode the
 * line; in host mode the line with a recent point, which reads the same, or
 * without a line a sample of the clock, host_khz the host's frequency here.
 * Domain: tsc.ratio not 0.
 */
struct kc_line kc_master_page_line(const struct kc_master *m, u32 host_khz,
				   struct kc_reading now, struct kc_tsc tsc);

/* The TSC that the host's write of gtsc to a vCPU's TSC of ratio gives it. */
struct kc_tsc kc_master_tsc_for_write(const struct kc_master *m, u64 htsc,
				      u64 ratio, u64 gtsc);

/* The TSC of a new vCPU of ratio. */
struct kc_tsc kc_master_tsc_for_new_vcpu(const struct kc_master *m, u64 htsc,
					 u64 ratio);

/* ---- Events ---- */

/* A VM is made: master mode, clock 0, TSC 0. */
void kc_master_vm_created(struct kc_master *m, struct kc_host host,
			  struct kc_reading now, bool allow_unmatched);

/*
 * A vCPU is made, with the TSC of kc_master_tsc_for_new_vcpu.  A TSC that is
 * caught up in software has ratio 0, here and below: it is in no generation.
 */
bool kc_master_vcpu_created(struct kc_master *m, struct kc_reading now,
			    struct kc_tsc tsc);

/* The host wrote gtsc to a vCPU's TSC of ratio: the generation's window slides. */
void kc_master_host_wrote_tsc(struct kc_master *m, u64 htsc, u64 ratio, u64 gtsc);

/*
 * A vCPU's TSC changed.  A TSC that is not the generation's starts one, a TSC
 * that the guest moved only when all vCPUs have come to it: one that strays is
 * not what others are to be matched with.  census counts all vCPUs against to,
 * this one by to; it is not looked at when to is the generation's, nor, but for
 * being less than all, while another vCPU is matched and the guest moved this.
 */
bool kc_master_vcpu_tsc_changed(struct kc_master *m, struct kc_reading now,
				struct kc_tsc from, struct kc_tsc to,
				struct kc_census census, bool by_host);

/* The clock was set to clock_ns at now. */
bool kc_master_clock_set(struct kc_master *m, struct kc_reading now, u64 clock_ns);

/* The host's clocksource is the TSC, or is not. */
bool kc_master_clocksource_changed(struct kc_master *m, struct kc_reading now,
				   bool is_tsc);

/* The boot vCPU's guest wrote a system-time MSR, of the old kind or the new. */
bool kc_master_boot_vcpu_wrote_msr(struct kc_master *m, struct kc_reading now,
				   bool old_kind);

/* The host is about to sleep, or is awake: the clock goes on by the raw base. */
void kc_master_host_sleeps(struct kc_master *m, struct kc_reading now, bool begins);

/*
 * The host's TSC restarted, delta_htsc below where it was, at now.  The
 * generation takes that up in guest ticks; each vCPU's offset must too, by its
 * own ratio.  Pages are due.
 */
void kc_master_host_tsc_restarted(struct kc_master *m, struct kc_reading now,
				  u64 delta_htsc);

#endif
