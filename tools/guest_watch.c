// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The guest's clock against its TSC: steps, slope, warp; and the kernel's clocks against it. */
#include "guest_verb.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "watch.h"

#define READINGS 200	/* of which the narrowest counts */

static const char step_meaning[] = "Worst step of a clock against the guest's TSC";

/* A clock's distance from the line at a TSC: between low and high. */
struct offset {
	uint64_t gtsc;
	int64_t low_ns, high_ns;
};

struct ends {
	struct offset raw[2];
	uint64_t elapsed_ns;
};

static struct offset read_offset(const struct line *line, clockid_t id)
{
	struct offset best = { .low_ns = INT64_MIN / 4, .high_ns = INT64_MAX / 4 };

	for (int i = 0; i < READINGS; i++) {
		uint64_t before, after;
		struct timespec now;
		int64_t ns, low, high;

		before = ordered_tsc();
		clock_gettime(id, &now);
		after = ordered_tsc();
		ns = now.tv_sec * GUEST_NS_PER_S + now.tv_nsec;
		low = ns - (int64_t)line_ns(line, after);
		high = ns - (int64_t)line_ns(line, before);
		if (high - low < best.high_ns - best.low_ns)
			best = (struct offset) { before, low, high };
	}
	return best;
}

/* ppb, of a change of ns over elapsed ns, to the nearest. */
static int64_t ppb_of(int64_t ns, uint64_t elapsed_ns)
{
	__int128 scaled = (__int128)ns * GUEST_NS_PER_S, half = elapsed_ns / 2;

	return (int64_t)((scaled < 0 ? scaled - half : scaled + half) / (__int128)elapsed_ns);
}

static uint64_t ppb_above(uint64_t ns, uint64_t elapsed_ns)
{
	return (uint64_t)(((unsigned __int128)ns * GUEST_NS_PER_S + elapsed_ns - 1) / elapsed_ns);
}

static int64_t farthest(const struct seen *sum)
{
	return sum->off_max_ns > -sum->off_min_ns ? sum->off_max_ns : sum->off_min_ns;
}

/* The slope of b beyond that of a, in ppb to the nearest. */
static int64_t slope_change_ppb(const struct line *a, const struct line *b)
{
	int shift = b->shift - a->shift;
	__int128 slope_a = a->mul, slope_b = b->mul;

	if (shift > 32 || shift < -32)
		return INT64_MAX;
	if (shift > 0)
		slope_b <<= shift;
	else
		slope_a <<= -shift;
	return (int64_t)((slope_b - slope_a) * GUEST_NS_PER_S / slope_a);
}

static void add_line(struct document *doc, const struct watch *watch, const struct seen *sum,
		     uint64_t elapsed_ns)
{
	const struct guest_figure step = { "step", "ns", step_meaning, "kvm-clock", 1, true };
	const struct guest_figure off = {
		"off", "ns", "What the clock was from the straight line it began with, at worst", "kvm-clock", 1, true,
	}, slope = {
		"slope", "ppb", "Rate of a clock beyond the straight line that kvm-clock began with", "kvm-clock",
		ppb_above(2, elapsed_ns), true,
	}, change = {
		"slope_change", "ppb", "Slope of kvm-clock's page beyond the one it began with", NULL, 1, true,
	};

	guest_figure(doc, &step, (int64_t)sum->worst_step_ns);
	guest_figure(doc, &off, farthest(sum));
	guest_figure(doc, &slope, ppb_of(sum->off_ns, elapsed_ns));
	guest_figure(doc, &change, slope_change_ppb(&watch->reference, &watch->seen[0].line));
}

/* A vCPU is behind by at most so much more as its nearest reading is after another vCPU's. */
static void add_warp(struct document *doc, const struct watch *watch, const struct seen *sum)
{
	uint64_t near_gtsc = sum->near_gtsc;
	const struct line *line = &watch->reference;
	const struct guest_figure clock = {
		"warp", "ns", "Worst that a vCPU's clock was behind what another had read before", "kvm-clock",
		line_ns(line, line->gtsc + near_gtsc) - line->ns, false,
	}, tsc = {
		"tsc_warp", "cycles", "Worst that a vCPU's TSC was behind what another had read before", NULL,
		near_gtsc, false,
	}, pages = {
		"pages_apart", "ns", "Worst between a vCPU's page and the first one's, at one TSC", NULL, 1, true,
	};
	const char *why = watch->count < 2 ? "there is one vCPU only" :
			  near_gtsc == UINT64_MAX ? "no two vCPUs ran one after another" : NULL;

	if (why) {
		guest_no_figure(doc, &clock, why);
		guest_no_figure(doc, &tsc, why);
		guest_no_figure(doc, &pages, why);
		return;
	}
	guest_figure(doc, &clock, (int64_t)sum->back_ns);
	guest_figure(doc, &tsc, (int64_t)sum->tsc_back);
	guest_figure(doc, &pages, (int64_t)sum->pages_ns);
}

/*
 * Of a step that was seen, or of what would not have been: both sides of it lie in a
 * bracket.  Where all brackets meet, what they have in common is no bound.
 */
static uint64_t unknown_ns(const struct bracket *bracket)
{
	return bracket->worst_ns ? bracket->worst_width_ns : 2 * bracket->narrow_ns;
}

static void add_kernel_clocks(struct document *doc, const struct seen *sum, const struct ends *ends)
{
	const struct offset *a = &ends->raw[0], *b = &ends->raw[1];
	/* By another clocksource it has a rate of its own, which is not the host's to keep. */
	bool judged = !strcmp(host_facts()->clocksource, "kvm-clock");
	const struct guest_figure raw = {
		"slope", "ppb", "Rate of a clock beyond the straight line that kvm-clock began with",
		"CLOCK_MONOTONIC_RAW",
		ppb_above((uint64_t)(a->high_ns - a->low_ns + b->high_ns - b->low_ns) / 2 + 1, ends->elapsed_ns), judged,
	}, steps[] = {
		{ "step", "ns", step_meaning, "CLOCK_MONOTONIC_RAW", unknown_ns(&sum->raw), judged },
		{ "step", "ns", step_meaning, "CLOCK_MONOTONIC", unknown_ns(&sum->mono), false },
		{ "step", "ns", step_meaning, "CLOCK_REALTIME", unknown_ns(&sum->real), false },
	};

	guest_figure(doc, &raw, ppb_of((b->low_ns + b->high_ns - a->low_ns - a->high_ns) / 2, ends->elapsed_ns));
	guest_figure(doc, &steps[0], (int64_t)sum->raw.worst_ns);
	guest_figure(doc, &steps[1], (int64_t)sum->mono.worst_ns);
	guest_figure(doc, &steps[2], (int64_t)sum->real.worst_ns);
}

static void find_steps(struct document *doc, const struct watch *watch, const struct seen *sum,
		       unsigned int seconds)
{
	uint64_t limit = settings.budget_ns + 1;
	char text[256];

	if (sum->worst_step_ns > limit) {
		snprintf(text, sizeof(text), "The clock stepped against its TSC by up to %" PRIu64
			 " ns: its host drew it anew, as %d vCPUs saw %" PRIu64 " times.", sum->worst_step_ns,
			 watch->count, sum->steps);
		document_finding(doc, "steps", VERDICT_BEYOND_BUDGET, text,
				 "on the host, kvmclock watch names each step's cause; kvmclock-dkms keeps the clock");
	} else {
		snprintf(text, sizeof(text), "No step of more than %" PRIu64 " ns in %u s on %d vCPUs, %"
			 PRIu64 " readings.", limit, seconds, watch->count, sum->readings);
		document_finding(doc, "steps", VERDICT_GOOD, text, NULL);
	}
}

static void find_order(struct document *doc, const struct seen *sum)
{
	char text[256];

	if (sum->unstable) {
		document_finding(doc, "stable", VERDICT_GOOD,
				 "The stable bit was not always there: vCPUs' TSCs differ, or the host's clocksource is "
				 "not its TSC; the kernel then keeps order itself, at a cost.",
				 "on the host, kvmclock show says why");
	} else if (sum->back_ns || sum->tsc_back) {
		snprintf(text, sizeof(text), "The clock is said to be stable, but one vCPU's was %" PRIu64
			 " ns, its TSC %" PRIu64 " cycles, behind what another had read before.",
			 sum->back_ns, sum->tsc_back);
		document_finding(doc, "warp", VERDICT_UNSAFE, text,
				 "move what matters off this host, and report it");
	} else {
		document_finding(doc, "stable", VERDICT_GOOD,
				 "The stable bit is there, and no vCPU read less than another had before it.", NULL);
	}
}

static void find_clocksource(struct document *doc)
{
	char text[256];

	if (!strcmp(host_facts()->clocksource, "kvm-clock"))
		return;
	snprintf(text, sizeof(text), "The clocksource is %.40s: the kernel's clocks are not kvm-clock's, "
		 "and are not judged.", *host_facts()->clocksource ? host_facts()->clocksource : "unknown");
	document_finding(doc, "clocksource", VERDICT_GOOD, text, NULL);
}

static void no_page(struct document *doc, const char *why)
{
	const struct guest_figure step = { "step", "ns", step_meaning, "kvm-clock", 0, false };
	bool offered = strstr(host_facts()->clocksources, "kvm-clock");
	char text[256];

	snprintf(text, sizeof(text), "kvm-clock's pages cannot be read (%s); the clocksource is %.40s.", why,
		 *host_facts()->clocksource ? host_facts()->clocksource : "unknown");
	guest_no_figure(doc, &step, why);
	document_finding(doc, "clocksource", VERDICT_UNMEASURED, text, offered ?
			 "as root: echo kvm-clock >/sys/devices/system/clocksource/clocksource0/current_clocksource" :
			 "this guest has no kvm-clock: its hypervisor is not KVM, or offers none");
}

static void watch_for(struct watch *watch, unsigned int seconds)
{
	for (unsigned int i = 0; i < seconds; i++) {
		progress("guest: %u of %u s", i, seconds);
		sleep(1);
	}
	watch_end(watch);
}

void guest_watch(struct document *doc, unsigned int seconds)
{
	static struct watch watch;
	struct json_object *guest = json_object_object_get(document_json(doc), "guest");
	const char *why = page_open(&watch.page);
	struct line line;
	struct ends ends;
	struct seen sum;

	if (why) {
		no_page(doc, why);
		return;
	}
	line = page_line(&watch.page, 0);
	ends.raw[0] = read_offset(&line, CLOCK_MONOTONIC_RAW);
	why = watch_begin(&watch);
	if (why) {
		fail(why, "threads on all vCPUs are not to be had: allow this process all CPUs, and more threads");
		document_judge(doc, VERDICT_UNMEASURED);
		return;
	}
	watch_for(&watch, seconds);
	ends.raw[1] = read_offset(&line, CLOCK_MONOTONIC_RAW);
	ends.elapsed_ns = line_ns(&line, ends.raw[1].gtsc) - line_ns(&line, ends.raw[0].gtsc);
	sum = watch_sum(&watch);
	object_bool(guest, "stable", !sum.unstable);
	object_uint(guest, "readings", sum.readings);
	find_steps(doc, &watch, &sum, seconds);
	find_order(doc, &sum);
	find_clocksource(doc);
	add_line(doc, &watch, &sum, ends.elapsed_ns);
	add_warp(doc, &watch, &sum);
	add_kernel_clocks(doc, &sum, &ends);
}
