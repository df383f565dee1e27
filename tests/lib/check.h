/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the laws of the library share; a law is as in tests/laws. */
#ifndef LIBTEST_CHECK_H
#define LIBTEST_CHECK_H

#include "../laws/laws.h"
#include "scene.h"

/* Every law of the library, and its share of a run's cases. */
#define LIB_LAWS(X)		\
	X(wide, 40)		\
	X(save, 60)		\
	X(leap_in_save, 4)	\
	X(moving, 4)		\
	X(move, 200)		\
	X(live_update, 60)	\
	X(kexec, 40)		\
	X(verify, 40)		\
	X(correction, 60)	\
	X(realtime, 60)		\
	X(budget, 80)		\
	X(host_mode, 20)	\
	X(many, 2)		\
	X(fail_save, 1)		\
	X(fail_restore, 1)	\
	X(fail_live_update, 1)	\
	X(order, 20)		\
	X(sizes, 20)		\
	X(later_caller, 20)	\
	X(ignored, 20)		\
	X(same_again, 20)	\
	X(tolerance, 40)	\
	X(plan_any, 60)		\
	X(restore_any, 60)	\
	X(foreign, 40)		\
	X(bytes, 60)		\
	X(bytes_cut, 2)		\
	X(bytes_flip, 1)	\
	X(bytes_later, 40)	\
	X(bytes_golden, 1)

#define LIB_LAW_DECLARED(name, weight) void law_##name(struct in *in);
LIB_LAWS(LIB_LAW_DECLARED)

/* s->saved against the source's VM. */
void check_saved(struct in *in, const struct scene *s);
/* s->b, the result and the plan after a restore that returned 0. */
void check_restored(struct in *in, struct scene *s);
/* A failure is told in full. */
void check_error(struct in *in, const struct kvmclock_error *error, int ret);

#endif
