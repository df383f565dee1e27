// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A clock restored on another VM, KVM_GET_CLOCK against the guest, and its slope. */
#include "selftest.h"

#include "measure.h"

#define TRIES 5
#define READINGS 20
#define OVER_MS 1000
#define QUICK_OVER_MS 200

struct restore {
	uint32_t khz;
	uint64_t error_ns;
};

static void by_set_clock(void *argument)
{
	struct restore *restore = argument;

	restore->error_ns = measure_restore_by_set_clock(restore->khz, TRIES);
}

static void by_line(void *argument)
{
	struct restore *restore = argument;

	restore->error_ns = (uint64_t)measure_restore_by_line(restore->khz);
}

/* measure NULL: not possible here. */
static void do_restore(struct selftest *test, const struct figure *figure, uint32_t khz,
		       void (*measure)(void *argument), const char *impossible)
{
	struct restore restore = { .khz = khz };
	const char *why;

	if (impossible) {
		selftest_figure(test, figure, 0, impossible);
		return;
	}
	progress("selftest: %s", figure->title);
	why = selftest_attempt(measure, &restore);
	if (why)
		selftest_broken(test, figure, why);
	else
		figure_uncertainty(selftest_figure(test, figure, restore.error_ns, NULL), 0);
}

void selftest_restores(struct selftest *test)
{
	static const char meaning[] = "Worst error of a clock that was restored on a second VM";

	for (int g = 0; g < test->guest_count; g++) {
		const struct figure set_clock = {
			.name = "restore_error", .what = "kvm_set_clock", .unit = "ns", .meaning = meaning,
			.title = "clock restored on a second VM by KVM_SET_CLOCK",
			.guest = test->guests[g].word, .own_limit = 50,
			.limit_why = "the instant is named by a realtime, which the host knows to nanoseconds only",
		};

		do_restore(test, &set_clock, test->guests[g].khz, by_set_clock, NULL);
	}
	for (int g = 0; g < test->guest_count; g++) {
		const struct figure line = {
			.name = "restore_error", .what = "line", .unit = "ns", .meaning = meaning,
			.title = "clock restored on a second VM by its line",
			.guest = test->guests[g].word,
		};

		do_restore(test, &line, test->guests[g].khz, by_line,
			   host()->line ? test->no_offsets : "this KVM gives out no line");
	}
}

/* ---- KVM_GET_CLOCK -------------------------------------------------------- */

struct readings {
	struct measure_observer observer;
	struct json_object *series;
	uint32_t khz;
	unsigned int ms;
	uint64_t start_htsc;
	struct measure_get_clock got;
};

static void saw(struct measure_observer *observer, int64_t error_ns, uint64_t htsc)
{
	struct readings *readings = (struct readings *)observer;

	series_point(readings->series, (double)((htsc - readings->start_htsc) * 1000 / host()->khz) / 1000,
		     (double)error_ns);
}

static void measure_readings(void *argument)
{
	struct readings *readings = argument;

	readings->start_htsc = host_tsc();
	readings->observer.saw = saw;
	readings->got = measure_get_clock(readings->khz, READINGS, readings->ms,
					  &readings->observer);
}

static void do_readings(struct selftest *test, const struct guest_kind *guest)
{
	const struct figure figure = {
		.name = "get_clock_error", .what = "read", .unit = "ns", .guest = guest->word,
		.meaning = "Worst error of KVM_GET_CLOCK against the guest's own reading",
		.title = test->quick ? "a fifth of a second of KVM_GET_CLOCK against the guest" :
				       "one second of KVM_GET_CLOCK against the guest",
	};
	struct readings readings = {
		.khz = guest->khz, .ms = test->quick ? QUICK_OVER_MS : OVER_MS,
		.series = selftest_series(test, figure.name, figure.what, guest->word, figure.title),
	};
	const char *why;

	progress("selftest: %s", figure.title);
	why = selftest_attempt(measure_readings, &readings);
	if (!why && readings.got.without_htsc)
		why = "KVM_GET_CLOCK gives no host TSC, for the host's clocksource is not the TSC";
	if (why)
		selftest_broken(test, &figure, why);
	else
		figure_uncertainty(selftest_figure(test, &figure, readings.got.worst_ns, NULL), 0);
}

struct slope {
	uint32_t khz;
	uint64_t error_milli_ppb;
};

static void measure_slope(void *argument)
{
	struct slope *slope = argument;

	slope->error_milli_ppb = measure_slope_error_milli_ppb(slope->khz);
}

static void do_slope(struct selftest *test, const struct guest_kind *guest)
{
	const struct figure figure = {
		.name = "slope_error", .what = "slope", .unit = "ppb", .guest = guest->word,
		.meaning = "Error of the slope of a guest's clock against its TSC, away from zero",
		.title = "slope of the clock against the TSC", .own_limit = 1,
		.limit_why = "a slope has 32 bits, which are right to 0.24 ppb at worst",
	};
	struct slope slope = { .khz = guest->khz };
	const char *why = selftest_attempt(measure_slope, &slope);

	if (why)
		selftest_broken(test, &figure, why);
	else
		selftest_figure(test, &figure, (slope.error_milli_ppb + 999) / 1000, NULL);
}

void selftest_readings(struct selftest *test)
{
	for (int g = 0; g < test->guest_count; g++)
		do_readings(test, &test->guests[g]);
	for (int g = 0; g < test->guest_count; g++)
		do_slope(test, &test->guests[g]);
}
