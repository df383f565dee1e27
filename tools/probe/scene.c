// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "scene.h"

#include <string.h>

static uint64_t magnitude(uint64_t value)
{
	return (int64_t)value < 0 ? -value : value;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Keeps the first page and the latest ones. */
static void remember(struct guest_box *box)
{
	if (box->past_count && exact_same_line(&box->past[box->past_count - 1], &box->page))
		return;
	if (box->past_count == GUEST_PAST) {
		memmove(&box->past[1], &box->past[2], (GUEST_PAST - 2) * sizeof(box->past[0]));
		box->past_count--;
	}
	box->past[box->past_count++] = box->page;
}

/* Of clocks, which count modulo 2^64. */
static uint64_t later(uint64_t a_ns, uint64_t b_ns)
{
	return (int64_t)(a_ns - b_ns) > 0 ? a_ns : b_ns;
}

static void find_back(struct scene *scene, const struct vcpu *vcpu)
{
	uint64_t ns = vcpu->box->out[1], least_ns = scene->last_ns[vcpu->id];

	if (vcpu->box->page.flags & PVCLOCK_TSC_STABLE_BIT) {
		least_ns = later(least_ns, scene->highest_ns);
		scene->highest_ns = later(scene->highest_ns, ns);
	}
	if (later(least_ns, ns) != ns)
		scene->back_ns = larger(scene->back_ns, least_ns - ns);
	scene->last_ns[vcpu->id] = ns;
}

static void show(struct scene *scene, const struct vcpu *vcpu)
{
	const struct guest_box *box = vcpu->box;

	if (scene->observer)
		scene->observer->saw(scene->observer, vcpu->id,
				     (int64_t)(box->out[1] - exact_page_ns(&box->past[0], box->out[0])),
				     host_tsc());
}

void scene_tell(struct scene *scene, const char *what)
{
	if (scene->observer)
		scene->observer->told(scene->observer, what, host_tsc());
}

void scene_check(struct scene *scene)
{
	int i;

	for (i = 0; i < scene->vm.count; i++) {
		struct vcpu *vcpu = &scene->vm.vcpu[i];
		uint64_t step;

		vcpu_run(vcpu, GUEST_COMPARE, vcpu_page_gpa(vcpu), 0);
		step = magnitude(vcpu->box->out[2]);
		scene->step_ns = larger(scene->step_ns, step);
		scene->pair_ns = larger(scene->pair_ns, magnitude(vcpu->box->out[3]));
		scene->sum_ns += step;
		remember(vcpu->box);
		find_back(scene, vcpu);
		show(scene, vcpu);
	}
}

void scene_moved(struct vcpu *vcpu, uint64_t delta_gtsc)
{
	uint32_t i;

	for (i = 0; i < vcpu->box->past_count; i++)
		vcpu->box->past[i].tsc_timestamp += delta_gtsc;
}

bool scene_is_stable(const struct scene *scene)
{
	int i;

	for (i = 0; i < scene->vm.count; i++) {
		if (!(vcpu_page(&scene->vm.vcpu[i]).flags & PVCLOCK_TSC_STABLE_BIT))
			return false;
	}
	return true;
}

uint32_t scene_scaled_khz(void)
{
	return host()->scaling ? host()->khz / 6 * 5 + 1 : 0;
}

void scene_open(struct scene *scene, uint32_t khz, int count)
{
	memset(scene, 0, sizeof(*scene));
	vm_open_running(&scene->vm, khz, count);
	scene_check(scene);
}

void scene_close(struct scene *scene)
{
	vm_close(&scene->vm);
}
