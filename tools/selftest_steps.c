// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What is done to one VM: provocations, and a frequency that is set late. */
#include "selftest.h"

#include <stdlib.h>

#include "measure.h"
#include "provoke.h"

#define VCPUS 3

static const struct {
	enum provocation_id id;
	const char *title;
} provocations[] = {
	{ PROVOKE_MSR, "clock MSR toggled, old and new" },
	{ PROVOKE_OFFSET, "TSC offset of all vCPUs moved by 5 s and back" },
	{ PROVOKE_OFFSET_ONE, "TSC offset of one vCPU moved by 20 ms and back" },
	{ PROVOKE_VCPU, "vCPU added while another runs" },
	{ PROVOKE_XEN, "Xen shared_info set" },
	{ PROVOKE_STOPPED, "KVM_KVMCLOCK_CTRL on each vCPU" },
	{ PROVOKE_GET_CLOCK, "KVM_GET_CLOCK" },
};

/* Of each look at all vCPUs, the clock that is farthest off. */
struct plot {
	struct scene_observer observer;
	struct json_object *series;
	uint64_t start_htsc, at_htsc;
	int64_t farthest_ns;
	bool pending;
};

static double ms_since(const struct plot *plot, uint64_t htsc)
{
	return (double)((htsc - plot->start_htsc) * 1000 / host()->khz) / 1000;
}

static void flush(struct plot *plot)
{
	if (plot->pending)
		series_point(plot->series, ms_since(plot, plot->at_htsc), (double)plot->farthest_ns);
	plot->pending = false;
}

static void saw(struct scene_observer *observer, int vcpu, int64_t off_ns, uint64_t htsc)
{
	struct plot *plot = (struct plot *)observer;

	if (!vcpu)
		flush(plot);
	if (!plot->pending || llabs(off_ns) > llabs(plot->farthest_ns))
		plot->farthest_ns = off_ns;
	plot->at_htsc = htsc;
	plot->pending = true;
}

static void told(struct scene_observer *observer, const char *what, uint64_t htsc)
{
	struct plot *plot = (struct plot *)observer;

	flush(plot);
	series_mark(plot->series, ms_since(plot, htsc), what);
}

struct step {
	enum provocation_id id;
	uint32_t khz;
	unsigned int gap_ms;
	struct plot plot;
	uint64_t step_ns, back_ns;
};

static void measure_step(void *argument)
{
	struct step *step = argument;
	struct scene scene;

	scene_open(&scene, step->khz, VCPUS);
	step->plot.observer = (struct scene_observer){ saw, told };
	step->plot.start_htsc = host_tsc();
	scene.observer = &step->plot.observer;
	step->step_ns = provoke(&scene, step->id, step->gap_ms);
	step->back_ns = scene.back_ns;
	flush(&step->plot);
	scene_close(&scene);
}

static const char *impossible(const struct selftest *test, enum provocation_id id)
{
	if (id == PROVOKE_XEN && !host()->xen)
		return "this KVM has no Xen guests";
	return id == PROVOKE_OFFSET || id == PROVOKE_OFFSET_ONE ? test->no_offsets : NULL;
}

static void do_step(struct selftest *test, const struct guest_kind *guest, enum provocation_id id,
		    const char *title)
{
	const struct figure figure = {
		.name = "step", .what = provocation_name[id], .unit = "ns", .guest = guest->word,
		.meaning = "Worst step of a guest's clock while this was done to its VM", .title = title,
	};
	struct step step = { .id = id, .khz = guest->khz, .gap_ms = test->gap_ms };
	const char *why;

	why = impossible(test, id);
	if (why) {
		selftest_figure(test, &figure, 0, why);
		return;
	}
	progress("selftest: %s", title);
	step.plot.series = selftest_series(test, figure.name, figure.what, guest->word, title);
	why = selftest_attempt(measure_step, &step);
	if (why) {
		selftest_broken(test, &figure, why);
		return;
	}
	figure_uncertainty(selftest_figure(test, &figure, step.step_ns, NULL), 0);
	if (step.back_ns > test->back_ns)
		test->back_ns = step.back_ns;
}

void selftest_steps(struct selftest *test)
{
	for (size_t i = 0; i < sizeof(provocations) / sizeof(*provocations); i++)
		for (int g = 0; g < test->guest_count; g++)
			do_step(test, &test->guests[g], provocations[i].id, provocations[i].title);
}

/* ---- a frequency that is set when the vCPU has run ------------------------- */

struct late {
	unsigned int gap_ms;
	struct measure_late_khz slower, faster;
};

static void measure_late(void *argument)
{
	struct late *late = argument;

	late->slower = measure_late_khz(host()->khz, scene_scaled_khz(), late->gap_ms);
	late->faster = measure_late_khz(host()->khz, host()->khz / 2 * 3, late->gap_ms);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void selftest_late_frequency(struct selftest *test)
{
	const struct figure back = {
		.name = "tsc_back", .what = "frequency_set_late", .unit = "cycles", .guest = "scaled",
		.meaning = "What a guest's TSC went back", .title = "frequency set late: TSC back",
	}, ahead = {
		.name = "tsc_ahead", .what = "frequency_set_late", .unit = "cycles", .guest = "scaled",
		.meaning = "What a guest's TSC leapt ahead beyond the time that passed",
		.title = "frequency set late: TSC ahead", .own_limit = 100000,
		.limit_why = "the time that the change takes is not known to the cycle",
	};
	struct late late = { .gap_ms = test->gap_ms };
	const char *why;

	if (!host()->scaling) {
		selftest_figure(test, &back, 0, "no TSC scaling here");
		selftest_figure(test, &ahead, 0, "no TSC scaling here");
		return;
	}
	progress("selftest: frequency set late");
	why = selftest_attempt(measure_late, &late);
	if (why) {
		selftest_broken(test, &back, why);
		selftest_broken(test, &ahead, why);
		return;
	}
	test->back_cycles = larger(late.slower.back_cycles, late.faster.back_cycles);
	selftest_figure(test, &back, test->back_cycles, NULL);
	selftest_figure(test, &ahead, larger(late.slower.jump_cycles, late.faster.jump_cycles), NULL);
}
