// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "beside.h"

#define TRIES 50

struct source {
	uint64_t (*read_ns)(const struct source *source);
	struct vm *vm;
	struct pvclock_vcpu_time_info page;
	struct exact_tsc tsc;
	clockid_t clock;
};

uint64_t host_clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct beside closest(const struct source *source, const struct source *other)
{
	struct beside best = { 0, INT64_MAX };
	int i;

	for (i = 0; i < TRIES; i++) {
		uint64_t low_ns = other->read_ns(other);
		uint64_t read_ns = source->read_ns(source);
		int64_t half_ns = (int64_t)(other->read_ns(other) - low_ns + 1) / 2;

		if (half_ns < best.within_ns)
			best = (struct beside) { (int64_t)(read_ns - low_ns) - half_ns, half_ns };
	}
	return best;
}

static uint64_t read_get_clock(const struct source *source)
{
	return vm_get_clock(source->vm).clock;
}

static uint64_t read_page(const struct source *source)
{
	return exact_page_at_ns(&source->page, &source->tsc, host_tsc());
}

static uint64_t read_host_clock(const struct source *source)
{
	return host_clock_ns(source->clock);
}

static struct source of_get_clock(struct vm *vm)
{
	return (struct source) { .read_ns = read_get_clock, .vm = vm };
}

static struct source of_page(struct vcpu *vcpu, struct pvclock_vcpu_time_info page)
{
	return (struct source) { .read_ns = read_page, .page = page, .tsc = vcpu_tsc(vcpu) };
}

static struct source of_host_clock(clockid_t id)
{
	return (struct source) { .read_ns = read_host_clock, .clock = id };
}

struct beside beside_get_clock(struct vm *vm, clockid_t id)
{
	struct source clock = of_get_clock(vm), other = of_host_clock(id);

	return closest(&clock, &other);
}

struct beside beside_page(struct vcpu *vcpu, clockid_t id)
{
	struct source page = of_page(vcpu, vcpu_page(vcpu)), other = of_host_clock(id);

	return closest(&page, &other);
}

struct beside beside_page_get_clock(struct vcpu *vcpu, const struct pvclock_vcpu_time_info *page)
{
	struct source clock = of_get_clock(vcpu->vm), other = of_page(vcpu, *page);

	return closest(&clock, &other);
}

struct beside beside_host_clock(clockid_t clock, clockid_t id)
{
	struct source one = of_host_clock(clock), other = of_host_clock(id);

	return closest(&one, &other);
}

int64_t beside_moved_ns(struct beside from, struct beside to)
{
	int64_t moved_ns = to.ahead_ns - from.ahead_ns, open_ns = from.within_ns + to.within_ns;

	if (moved_ns > open_ns)
		return moved_ns - open_ns;
	return moved_ns < -open_ns ? moved_ns + open_ns : 0;
}
