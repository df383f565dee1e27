// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The demo's provocations, each with the worst a guest saw of it, as lines
 * demo|PROVOCATION|VALUE|UNIT.  VALUE is a number, or "-" and UNIT the reason.
 * Everything is done to a guest at the host's TSC frequency and, where the
 * hardware scales, to one at 5/6 of it; the worse one counts.
 */
#include <stdio.h>

#include "measure.h"
#include "provoke.h"
#include "tap.h"

#define GAP_MS 100
#define VCPUS 3

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void say(const char *what, uint64_t value, const char *unit)
{
	printf("demo|%s|%llu|%s\n", what, (unsigned long long)value, unit);
	fflush(stdout);
}

static void steps(const uint32_t *khz, int kinds)
{
	static const struct {
		enum provocation_id id;
		const char *what;
	} shown[] = {
		{ PROVOKE_MSR, "MSR toggled old and new" },
		{ PROVOKE_OFFSET, "TSC offset moved and moved back" },
		{ PROVOKE_OFFSET_ONE, "TSC offset of one vCPU moved by 20 ms and back" },
		{ PROVOKE_VCPU, "vCPU added" },
		{ PROVOKE_XEN, "Xen shared_info set" },
	};
	uint64_t worst[sizeof(shown) / sizeof(shown[0])] = { 0 };
	unsigned int i;
	int kind;

	for (kind = 0; kind < kinds; kind++) {
		for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
			struct scene scene;

			scene_open(&scene, khz[kind], VCPUS);
			worst[i] = larger(worst[i], provoke(&scene, shown[i].id, GAP_MS));
			scene_close(&scene);
		}
	}
	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		say(shown[i].what, worst[i], "ns");
}

static void late_khz(void)
{
	struct measure_late_khz late[2];
	uint32_t khz = host()->khz;

	if (!host()->scaling) {
		printf("demo|frequency set late: TSC back|-|no TSC scaling here\n");
		printf("demo|frequency set late: TSC ahead|-|no TSC scaling here\n");
		return;
	}
	late[0] = measure_late_khz(khz, scene_scaled_khz(), GAP_MS);
	late[1] = measure_late_khz(khz, khz / 2 * 3, GAP_MS);
	say("frequency set late: TSC back", larger(late[0].back_cycles, late[1].back_cycles),
	    "cycles");
	say("frequency set late: TSC ahead", larger(late[0].jump_cycles, late[1].jump_cycles),
	    "cycles");
}

static void restores(const uint32_t *khz, int kinds)
{
	uint64_t by_set_clock = 0, by_line = 0;
	int kind;

	for (kind = 0; kind < kinds; kind++) {
		by_set_clock = larger(by_set_clock, measure_restore_by_set_clock(khz[kind], 5));
		if (host()->line)
			by_line = larger(by_line, (uint64_t)measure_restore_by_line(khz[kind]));
	}
	say("clock restored on a second VM by KVM_SET_CLOCK", by_set_clock, "ns");
	if (host()->line)
		say("clock restored on a second VM by the line", by_line, "ns");
	else
		printf("demo|clock restored on a second VM by the line|-|not possible\n");
}

int main(void)
{
	const uint32_t khz[2] = { 0, scene_scaled_khz() };
	int kinds = host()->scaling ? 2 : 1, kind;
	uint64_t worst_ns = 0;

	steps(khz, kinds);
	late_khz();
	restores(khz, kinds);
	for (kind = 0; kind < kinds; kind++)
		worst_ns = larger(worst_ns, measure_get_clock(khz[kind], 20, 1000, NULL).worst_ns);
	say("one second of KVM_GET_CLOCK against the guest", worst_ns, "ns");
	return 0;
}
