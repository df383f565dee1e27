// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Random VMs, whose clocks are kept here as 128-bit integers: a guest's clock at a
 * host's TSC.  Each step that is made must come out of the model to 1 ns, and no other.
 */
#include "model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VMS 5
#define VCPUS 4
#define EVENTS 200000

static struct random_vcpu {
	bool drawn;
	uint64_t t0, n0, offset;
	uint32_t mul, version;
	int shift;
} vcpus[VMS][VCPUS];

static uint64_t state;

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? state % below : state;
}

/* With 64 more bits behind the point, rounded by nobody. */
static unsigned __int128 scaled(const struct random_vcpu *v, uint64_t gtsc)
{
	uint64_t ticks = gtsc - v->t0;

	ticks = v->shift < 0 ? ticks >> -v->shift : ticks << v->shift;
	return (unsigned __int128)ticks * v->mul;
}

static uint64_t clock_ns(const struct random_vcpu *v, uint64_t gtsc)
{
	return v->n0 + (uint64_t)(scaled(v, gtsc) >> 32);
}

static struct kc_line line_of(const struct random_vcpu *v)
{
	return (struct kc_line){ v->t0, v->n0, { v->mul, (int8_t)v->shift } };
}

/* The clock goes on from gtsc, stepped by step_ns, perhaps with another slope. */
static void redraw(struct random_vcpu *v, uint64_t gtsc, int64_t step_ns)
{
	v->n0 = clock_ns(v, gtsc) + (uint64_t)step_ns;
	v->t0 = gtsc;
	if (!draw(4)) {
		v->mul = 0x80000000u + (uint32_t)draw(0x80000000u);
		v->shift = (int)draw(4) - 3;
	}
	v->version += 2;
}

static int64_t draw_step(void)
{
	switch (draw(4)) {
	case 0:
		return 0;
	case 1:
		return (int64_t)draw(7) - 3;
	case 2:
		return (int64_t)draw(2000000000) - 1000000000;
	default:
		return (int64_t)draw(0) >> 4;
	}
}

static const char *wrong;
static int at;

static void expect(bool good, const char *what)
{
	if (!good && !wrong)
		wrong = what;
}

static void check_page(struct watched *w, uint32_t vm, uint32_t i, uint64_t htsc)
{
	struct random_vcpu *v = &vcpus[vm][i];
	int64_t step_ns = draw_step();

	if (!v->drawn) {
		*v = (struct random_vcpu){ true, htsc + v->offset, draw(0), v->offset, 0xc0000000u, 2, -1 };
		watched_page(w, vm + 1, i, v->version, line_of(v), true);
		expect(w->count == 1 && w->out[0].kind == STEP_CLOCK_FIRST, "the first line");
		return;
	}
	redraw(v, htsc + v->offset, step_ns);
	watched_page(w, vm + 1, i, v->version, line_of(v), draw(2));
	expect(w->count == 1 && w->out[0].kind == STEP_CLOCK && w->out[0].step_ns == step_ns, "the step made");
	expect(w->out[0].vcpu == i && w->out[0].vm.fd == vm + 1, "the vCPU that made it");
}

/* The clock stays, whatever becomes of the TSC: the line moves along when it is drawn. */
static void check_offset(struct watched *w, uint32_t vm, uint32_t i)
{
	struct random_vcpu *v = &vcpus[vm][i];
	uint64_t moved = draw(2) ? draw(0) : draw(1000000) - 500000, to = v->offset + moved;

	if (!v->drawn || !v->offset || !to || !moved)
		return;
	watched_offset(w, vm + 1, i, v->offset, to);
	expect(w->count == 1 && w->out[0].kind == STEP_TSC && w->out[0].cycles == (int64_t)moved, "the offset written");
	v->offset = to;
	v->t0 += moved;
}

void random_streams(uint64_t seed)
{
	uint64_t htsc = 1ull << 40;
	struct watched w;
	char name[128];
	uint32_t vm, i;

	state = seed * 2 + 1;
	memset(vcpus, 0, sizeof(vcpus));
	watched_open(&w, VMS, VMS * VCPUS, true);
	for (vm = 0; vm < VMS; vm++) {
		watch_model_found(w.model, (struct watch_vm_id){ 7, vm + 1 }, true);
		for (i = 0; i < VCPUS; i++)
			vcpus[vm][i].offset = draw(0);
	}
	for (at = 0; at < EVENTS && !wrong; at++) {
		htsc += draw(1u << 28);
		vm = (uint32_t)draw(VMS);
		i = (uint32_t)draw(VCPUS);
		if (draw(5))
			check_page(&w, vm, i, htsc);
		else
			check_offset(&w, vm, i);
		expect(watch_model_counts(w.model)->worst_ns || at < 100, "that there are steps");
	}
	snprintf(name, sizeof(name), "%d random events, seed %#" PRIx64 ": each step to the ns, and no other", at, seed);
	if (!ok(!wrong, name))
		printf("# at event %d: %s\n", at, wrong);
	watched_close(&w);
}
