/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A law: void law_x(struct in *in) draws a case, rejects it by REQUIRE when it
 * is outside the stated domain, and CHECKs what must hold.  Every engine runs
 * the same law.  A build without GMP (HAVE_ORACLE=0: -m32) runs every CHECK
 * that needs no oracle, and its hash of all that core answered must be that of
 * a build with one.
 */
#ifndef LAWS_H
#define LAWS_H

#include "in.h"

#ifndef HAVE_ORACLE
#define HAVE_ORACLE 1
#endif

/* Every law, and its share of a run's cases. */
#define ALL_LAWS(X)		\
	X(mul, 60)		\
	X(bits, 60)		\
	X(div, 60)		\
	X(rate_nearest, 60)	\
	X(rate_of_tsc, 60)	\
	X(rate_ns_to_ticks, 30)	\
	X(rate_hz, 30)		\
	X(rate_2ppb, 60)	\
	X(line_read, 60)	\
	X(line_rebase, 60)	\
	X(line_step, 30)	\
	X(line_translate, 40)	\
	X(pvclock_page, 30)	\
	X(pvclock_check, 60)	\
	X(tsc_read, 60)		\
	X(tsc_ratio, 40)	\
	X(tsc_1s, 40)		\
	X(tsc_caught_up, 40)	\
	X(steal_exact, 20)	\
	X(steal_bounds, 40)	\
	X(steal_view, 20)	\
	X(steal_view_bounds, 40) \
	X(runstate, 20)		\
	X(line_set, 40)		\
	X(round_trip, 20)	\
	X(host_page, 30)	\
	X(line_kept, 20)	\
	X(tsc_write, 30)	\
	X(events, 20)		\
	X(burst, 5)

#define LAW_DECLARED(name, weight) void law_##name(struct in *in);
ALL_LAWS(LAW_DECLARED)

struct law {
	const char *name;
	void (*check)(struct in *in);
	unsigned int weight;
};

extern const struct law laws[];
extern const unsigned int nr_laws;

/* Prints the law, the case and how to replay it, and ends the case. */
_Noreturn __attribute__((format(printf, 4, 5)))
void law_failed(struct in *in, int line, const char *what, const char *fmt, ...);

/* What an engine does once a failure is printed: never returns. */
_Noreturn void engine_failed(void);

#define REQUIRE(cond) do {					\
	if (!(cond)) {						\
		in->rejected = true;				\
		return;						\
	}							\
} while (0)

#define CHECK(cond, ...) do {					\
	if (!(cond))						\
		law_failed(in, __LINE__, #cond, __VA_ARGS__);	\
} while (0)

/* As CHECK, of an oracle's word. */
#define ORACLE_CHECK(cond, ...) do {				\
	if (HAVE_ORACLE)					\
		CHECK(cond, __VA_ARGS__);			\
} while (0)

/* Core's number is the oracle's. */
#define AGREES(core, oracle) do {				\
	u64 core_ = (core);					\
								\
	in_hash(in, core_);					\
	if (HAVE_ORACLE) {					\
		u64 oracle_ = (oracle);				\
								\
		CHECK(core_ == oracle_, #core " is %#llx, should be %#llx", \
		      core_, oracle_);				\
	}							\
} while (0)

#endif
