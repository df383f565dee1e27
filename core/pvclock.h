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

#endif
