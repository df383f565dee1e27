// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the clock costs, as lines bench|OPERATION|MEDIAN|LEAST|MOST|UNIT.
 * Ticks of the host's TSC, which are instructions on the intel host; what two
 * reads of the TSC with nothing between them take is subtracted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "scene.h"
#include "tap.h"

#define SAMPLES 31
#define CROWD 64
#define CREATIONS 5
#define SETTLE_MS 300	/* stock updates again 100 ms after some */

struct samples {
	uint64_t ticks[SAMPLES];
	int count;
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void sort(struct samples *s)
{
	qsort(s->ticks, (size_t)s->count, sizeof(s->ticks[0]), compare);
}

static void nothing(struct vm *vm)
{
	__asm__ volatile("" : : "r"(vm) : "memory");
}

static uint64_t ticks_of(void (*act)(struct vm *), struct vm *vm)
{
	uint64_t begin = host_tsc();

	act(vm);
	return host_tsc() - begin;
}

/* What the measuring itself takes. */
static uint64_t overhead(void)
{
	static struct samples s;

	if (s.count)
		return s.ticks[s.count / 2];
	while (s.count < SAMPLES)
		s.ticks[s.count++] = ticks_of(nothing, NULL);
	sort(&s);
	return s.ticks[s.count / 2];
}

static void take(struct samples *s, void (*act)(struct vm *), struct vm *vm)
{
	s->ticks[s->count++] = ticks_of(act, vm) - overhead();
}

static void say(const char *what, struct samples *s)
{
	sort(s);
	printf("bench|%s|%llu|%llu|%llu|instructions\n", what,
	       (unsigned long long)s->ticks[s->count / 2],
	       (unsigned long long)s->ticks[0],
	       (unsigned long long)s->ticks[s->count - 1]);
	fflush(stdout);
	s->count = 0;
}

static void repeat(const char *what, void (*before)(struct vm *), void (*act)(struct vm *),
		   struct vm *vm)
{
	static struct samples s;

	while (s.count < SAMPLES) {
		before(vm);
		take(&s, act, vm);
	}
	say(what, &s);
}

static void get_clock(struct vm *vm)
{
	vm_get_clock(vm);
}

static void set_clock(struct vm *vm)
{
	struct kvm_clock_data data = { .clock = 1000000000 };

	if (vm_ioctl(vm, KVM_SET_CLOCK, &data))
		tap_bail("KVM_SET_CLOCK");
}

static void enter(struct vm *vm)
{
	vcpu_run(&vm->vcpu[0], GUEST_TSC, 0, 0);
}

static void enter_all(struct vm *vm)
{
	int i;

	for (i = 0; i < vm->count; i++)
		vcpu_run(&vm->vcpu[i], GUEST_TSC, 0, 0);
}

static void set_clock_and_enter_all(struct vm *vm)
{
	set_clock(vm);
	enter_all(vm);
}

static void set_same_khz(struct vm *vm)
{
	if (vcpu_set_khz(&vm->vcpu[0], vm->vcpu[0].khz))
		tap_bail("KVM_SET_TSC_KHZ");
}

static void set_another_khz(struct vm *vm)
{
	struct vcpu *vcpu = &vm->vcpu[0];

	if (vcpu_set_khz(vcpu, vcpu->khz == host()->khz ? scene_scaled_khz() : host()->khz))
		tap_bail("KVM_SET_TSC_KHZ");
}

static void set_another_khz_and_enter(struct vm *vm)
{
	set_another_khz(vm);
	enter(vm);
}

static void guest_writes_msr(struct vm *vm)
{
	vcpu_set_page(&vm->vcpu[0], MSR_CLOCK_NEW);
}

static void host_writes_msr(struct vm *vm)
{
	vcpu_set_msr(&vm->vcpu[0], MSR_CLOCK_NEW, vcpu_page_gpa(&vm->vcpu[0]) | 1);
}

static void move_offset_and_enter(struct vm *vm)
{
	vcpu_set_tsc_offset(&vm->vcpu[0], vcpu_tsc_offset(&vm->vcpu[0]) + 10);
	enter(vm);
}

static void add_vcpu(struct vm *vm)
{
	vm_add_vcpu(vm);
}

static void enter_last(struct vm *vm)
{
	vcpu_run(&vm->vcpu[vm->count - 1], GUEST_TSC, 0, 0);
}

static void of_one_vcpu(void)
{
	static struct vm vm;

	vm_open_running(&vm, 0, 1);
	host_sleep_ms(SETTLE_MS);
	repeat("KVM_GET_CLOCK", nothing, get_clock, &vm);
	repeat("KVM_SET_CLOCK", enter, set_clock, &vm);
	repeat("KVM_SET_CLOCK and the KVM_RUN after it", enter, set_clock_and_enter_all, &vm);
	host_sleep_ms(SETTLE_MS);
	repeat("KVM_RUN, nothing to update", enter, enter, &vm);
	repeat("KVM_RUN, page to be updated", set_clock, enter, &vm);
	repeat("KVM_RUN, the guest writes its system-time MSR", enter, guest_writes_msr, &vm);
	repeat("system-time MSR written by the host", enter, host_writes_msr, &vm);
	repeat("KVM_SET_TSC_KHZ, the same", enter, set_same_khz, &vm);
	repeat("KVM_SET_TSC_KHZ, another", enter, set_another_khz, &vm);
	repeat("KVM_SET_TSC_KHZ, another, and the KVM_RUN after it", enter,
	       set_another_khz_and_enter, &vm);
	repeat("TSC offset moved and the KVM_RUN after it", enter, move_offset_and_enter, &vm);
	vm_close(&vm);
}

static void of_a_crowd(void)
{
	static struct samples s;
	static struct vm vm;

	vm_open(&vm, 0);
	add_vcpu(&vm);
	enter_last(&vm);
	while (vm.count < CROWD) {
		add_vcpu(&vm);
		if (s.count < SAMPLES)
			take(&s, enter_last, &vm);
		else
			enter_last(&vm);
	}
	say("first KVM_RUN of a vCPU, 2nd to 32nd", &s);
	vm_close(&vm);
	vm_open_running(&vm, 0, CROWD);
	host_sleep_ms(SETTLE_MS);
	repeat("64 vCPUs: KVM_SET_CLOCK", enter_all, set_clock, &vm);
	repeat("64 vCPUs: KVM_SET_CLOCK and a KVM_RUN of each", enter_all,
	       set_clock_and_enter_all, &vm);
	vm_close(&vm);
}

static int created_id, created_fd;

static void create(struct vm *vm)
{
	created_fd = ioctl(vm->fd, KVM_CREATE_VCPU, created_id);
}

/* All in one VM, closed at once: KVM keeps them. */
static void create_many(struct samples *s, const int *number, int numbers)
{
	static struct vm vm;
	int i;

	vm_open(&vm, 0);
	for (created_id = 0; created_id < number[numbers - 1]; created_id++) {
		uint64_t ticks = ticks_of(create, &vm) - overhead();

		if (created_fd < 0)
			tap_bail("KVM_CREATE_VCPU %d", created_id);
		close(created_fd);
		for (i = 0; i < numbers; i++) {
			if (created_id + 1 == number[i])
				s[i].ticks[s[i].count++] = ticks;
		}
	}
	vm_close(&vm);
}

static void of_creation(void)
{
	static const int number[] = { 1, 64, 256, 1024 };
	static struct samples s[4];
	char what[64];
	int i;

	for (i = 0; i < CREATIONS; i++)
		create_many(s, number, 4);
	for (i = 0; i < 4; i++) {
		snprintf(what, sizeof(what), "KVM_CREATE_VCPU, vCPU number %d", number[i]);
		say(what, &s[i]);
	}
}

int main(void)
{
	of_one_vcpu();
	of_a_crowd();
	of_creation();
	return 0;
}
