// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Stolen time.  The oracle is a scheduler that knows what each thread waited
 * and when it was accounted for; sums stay below 2^64 where it adds.
 */
#include "laws.h"
#include "runstate.h"
#include "steal.h"

#define NR_THREADS 3

struct scheduler {
	u64 run_delay_ns[NR_THREADS];	/* as the kernel keeps it */
	u64 since_ns[NR_THREADS];	/* waited since the last account */
	u64 passed_ns;			/* all threads' time, since then */
};

/* Time goes by; each thread waited for some of it. */
static void passes(struct in *in, struct scheduler *s)
{
	u64 ns = in_range(in, 0, 1ULL << 40);
	unsigned int i;

	s->passed_ns += ns;
	for (i = 0; i < NR_THREADS; i++) {
		u64 waited_ns = in_range(in, 0, ns);

		s->run_delay_ns[i] += waited_ns;
		s->since_ns[i] += waited_ns;
	}
}

static void accounted(struct scheduler *s)
{
	unsigned int i;

	s->passed_ns = 0;
	for (i = 0; i < NR_THREADS; i++)
		s->since_ns[i] = 0;
}

/* A host whose clocks agree: what the running thread waited, exactly. */
void law_steal_exact(struct in *in)
{
	struct scheduler s = { { 0 }, { 0 }, 0 };
	struct kc_thread seen = { 0, 0 };
	unsigned int i, last = NR_THREADS, rounds = 1 + in_below(in, 8);
	u64 shown_ns = in_u64(in) >> 1;

	for (i = 0; i < NR_THREADS; i++)
		s.run_delay_ns[i] = in_u64(in) >> 2;
	while (rounds--) {
		unsigned int now = in_below(in, NR_THREADS);
		struct kc_thread thread = { now + 7, 0 };
		u64 should_ns = shown_ns, waited_ns;

		passes(in, &s);
		thread.run_delay_ns = s.run_delay_ns[now];
		waited_ns = kc_thread_waited_ns(&seen, thread);
		if (now == last)
			should_ns += s.since_ns[now];
		shown_ns = kc_steal_ns(shown_ns, waited_ns, s.passed_ns);
		in_hash(in, shown_ns);
		CHECK(shown_ns == should_ns, "steal %llu, should be %llu", shown_ns, should_ns);
		accounted(&s);
		last = now;
	}
}

/* Anything at all: threads that come and go, clocks that do, a hostile record. */
void law_steal_bounds(struct in *in)
{
	struct kc_thread seen = { in_below(in, 3), in_u64(in) }, was = seen;
	struct kc_thread now = { in_below(in, 3), in_u64(in) };
	u64 shown_ns = in_u64(in), most_ns, waited_ns, steal_ns;
	s64 passed_ns = in_u64(in);

	waited_ns = kc_thread_waited_ns(&seen, now);
	steal_ns = kc_steal_ns(shown_ns, waited_ns, passed_ns);
	in_hash(in, waited_ns ^ steal_ns);
	CHECK(seen.id == now.id && seen.run_delay_ns == now.run_delay_ns, "not seen");
	CHECK(waited_ns <= now.run_delay_ns, "waited %llu", waited_ns);
	CHECK(!waited_ns || (was.id && was.id == now.id), "waited %llu", waited_ns);
	CHECK(steal_ns >= shown_ns, "from %llu to %llu", shown_ns, steal_ns);
	most_ns = passed_ns < 0 ? 0 : (u64)passed_ns;
	CHECK(steal_ns - shown_ns <= most_ns, "leaps by %llu in %lld",
	      steal_ns - shown_ns, passed_ns);
	CHECK(steal_ns - shown_ns <= waited_ns, "more than waited");
	CHECK(steal_ns == ~0ULL || steal_ns - shown_ns == waited_ns ||
	      steal_ns - shown_ns == most_ns, "less than it could be");
}

/* A host that a guest's record may come from, and what it truly stole. */
struct foreign {
	u64 record_ns, clock_ns, stolen_ns;
	u64 passed_ns;		/* since the last reading */
};

/* Time goes by, some of it stolen: all of it, and the record counts a little faster, at worst. */
static void foreign_steals(struct in *in, struct foreign *f)
{
	u64 ns = in_range(in, 1, 1ULL << 40), waited_ns = in_range(in, 0, ns);

	f->passed_ns = ns;
	f->clock_ns += ns;
	f->stolen_ns += waited_ns;
	f->record_ns += waited_ns;
	if (waited_ns == ns)
		f->record_ns += in_range(in, 0, ns / 64);
}

/* The record becomes another one, which no stealing explains. */
static void foreign_leaps(struct in *in, struct foreign *f)
{
	u64 least_ns = f->passed_ns + f->passed_ns / 64 + 1;

	f->record_ns += in_range(in, least_ns, ~0ULL);
}

/* Whatever the record does, what is shown is what was stolen between its leaps. */
void law_steal_view(struct in *in)
{
	struct foreign f = { in_u64(in), in_u64(in), 0, 0 };
	struct kc_steal_view view = { 0 };
	unsigned int rounds = 1 + in_below(in, 12);
	u64 first_ns = kc_steal_record_read_ns(&view, f.record_ns, f.clock_ns);

	CHECK(first_ns == f.record_ns, "begins with %llu, not %llu", first_ns, f.record_ns);
	while (rounds--) {
		u64 was_ns = f.record_ns, stolen_ns = f.stolen_ns, shown_ns;

		foreign_steals(in, &f);
		if (in_once_in(in, 3)) {
			f.record_ns = was_ns;
			f.stolen_ns = stolen_ns;
			foreign_leaps(in, &f);
		}
		shown_ns = kc_steal_record_read_ns(&view, f.record_ns, f.clock_ns);
		in_hash(in, shown_ns);
		CHECK(shown_ns - first_ns == f.stolen_ns, "shows %llu, %llu were stolen",
		      shown_ns - first_ns, f.stolen_ns);
	}
}

/* Any record, any clock, any view. */
void law_steal_view_bounds(struct in *in)
{
	struct kc_steal_view was = { in_below(in, 2), in_u64(in), in_u64(in), in_u64(in) };
	struct kc_steal_view view = was;
	u64 record_ns = in_once_in(in, 2) ? in_u64(in) : was.record_ns + in_range(in, 0, 1ULL << 40);
	u64 clock_ns = in_once_in(in, 2) ? in_u64(in) : was.clock_ns + in_range(in, 0, 1ULL << 40);
	u64 shown_ns = kc_steal_record_read_ns(&view, record_ns, clock_ns);
	u64 passed_ns = clock_ns - was.clock_ns, grown_ns = shown_ns - was.shown_ns;

	in_hash(in, shown_ns);
	CHECK(view.is_begun && view.shown_ns == shown_ns, "not what it says");
	CHECK(view.record_ns == record_ns && view.clock_ns == clock_ns, "not read");
	if (!was.is_begun) {
		CHECK(shown_ns == record_ns, "begins with %llu", shown_ns);
		return;
	}
	if (passed_ns >> 63)
		passed_ns = 0;
	CHECK(grown_ns <= passed_ns, "grows by %llu in %llu", grown_ns, passed_ns);
	CHECK(grown_ns <= record_ns - was.record_ns, "by %llu, more than the record", grown_ns);
	/* Within what passed it is the record's growth and nothing else. */
	CHECK(record_ns - was.record_ns > passed_ns || grown_ns == record_ns - was.record_ns,
	      "by %llu, not as the record", grown_ns);
}

/* As a shell keeps it. */
struct runstate {
	u32 state;
	u64 entry_ns, time_ns[KC_NR_RUNSTATES];
};

static u64 sum_of(const struct runstate *r)
{
	return r->time_ns[0] + r->time_ns[1] + r->time_ns[2] + r->time_ns[3];
}

/* Four times whose sum has no more than 64 bits, or a vCPU that is new. */
static struct runstate gen_runstate(struct in *in)
{
	struct runstate r = { .state = in_below(in, KC_NR_RUNSTATES) };
	unsigned int i;

	if (in_once_in(in, 8))
		return r;
	for (i = 0; i < KC_NR_RUNSTATES; i++)
		r.time_ns[i] = in_u64(in) >> 2;
	r.entry_ns = sum_of(&r);
	return r;
}

/* What became of was: each time's growth, by cases. */
static void check_entered(struct in *in, const struct runstate *was,
			  const struct runstate *is, u64 clock_ns, u64 waited_ns)
{
	u32 from = was->entry_ns ? was->state : KC_OFFLINE, i;
	u64 grown_ns[KC_NR_RUNSTATES], passed_ns = is->entry_ns - was->entry_ns;
	u64 others_ns = 0;

	for (i = 0; i < KC_NR_RUNSTATES; i++) {
		CHECK(is->time_ns[i] >= was->time_ns[i], "time %u went back", i);
		grown_ns[i] = is->time_ns[i] - was->time_ns[i];
		if (i != from && !(from == KC_RUNNING && i == KC_RUNNABLE))
			others_ns |= grown_ns[i];
	}
	CHECK(is->entry_ns == (clock_ns > was->entry_ns ? clock_ns : was->entry_ns),
	      "entry %llu", is->entry_ns);
	CHECK(sum_of(is) == is->entry_ns, "sum %llu, entry %llu", sum_of(is), is->entry_ns);
	CHECK(!others_ns, "another state's time");
	CHECK(grown_ns[from] <= passed_ns, "more than passed");
	if (from == KC_RUNNING)
		CHECK(grown_ns[KC_RUNNABLE] == (waited_ns < passed_ns ? waited_ns : passed_ns),
		      "stolen %llu of %llu", grown_ns[KC_RUNNABLE], passed_ns);
}

void law_runstate(struct in *in)
{
	struct runstate r = gen_runstate(in);
	unsigned int rounds = 1 + in_below(in, 8);

	while (rounds--) {
		struct runstate was = r;
		u32 state = in_below(in, KC_NR_RUNSTATES);
		u64 near_ns = in_range(in, 0, 1ULL << 36), waited_ns = in_u64(in);
		u64 clock_ns = in_once_in(in, 4) ? in_u64(in) :
			       in_once_in(in, 2) ? r.entry_ns - near_ns : r.entry_ns + near_ns;

		r.entry_ns = kc_runstate_left_ns(r.time_ns, r.state, r.entry_ns, clock_ns,
						 waited_ns);
		r.state = state;
		in_hash(in, r.time_ns[0] ^ r.time_ns[1] * 3 ^ r.time_ns[2] * 5 ^
			    r.time_ns[3] * 7 ^ r.entry_ns);
		check_entered(in, &was, &r, clock_ns, waited_ns);
	}
}
