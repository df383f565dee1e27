/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The line in guest memory: the layout that guests read, 32 bytes. */
#ifndef KC_PVCLOCK_H
#define KC_PVCLOCK_H

#include "line.h"

#define KC_PVCLOCK_TSC_STABLE		1
#define KC_PVCLOCK_GUEST_STOPPED	2

struct kc_pvclock {
	u32 version;		/* odd while the host writes */
	u32 pad0;
	u64 tsc_timestamp;	/* guest ticks */
	u64 system_time;	/* ns */
	u32 tsc_to_system_mul;
	s8 tsc_shift;
	u8 flags;
	u8 pad[2];
};

/* A page that shows line; version and pads 0. */
struct kc_pvclock kc_pvclock_of_line(const struct kc_line *line, u8 flags);

/* The line that a page shows. */
struct kc_line kc_pvclock_line(const struct kc_pvclock *page);

/* Do a and b tell a guest the same?  The version does not count. */
bool kc_pvclock_is_same(const struct kc_pvclock *a, const struct kc_pvclock *b);

enum kc_verdict { KC_OK, KC_INVALID, KC_OUT_OF_RANGE };

/*
 * May a line be set from page on a vCPU whose TSC reads gtsc and runs at exact?
 * KC_INVALID: a pad not 0, mul 0, shift outside [-31, 31], or gtsc below the
 * point by less than 2^63 ticks.  KC_OUT_OF_RANGE: the slope's frequency is
 * more than 1000 Hz from exact's.  Version and flags do not count.
 */
enum kc_verdict kc_pvclock_check(const struct kc_pvclock *page, u64 gtsc,
				 struct kc_rate exact);

#endif
