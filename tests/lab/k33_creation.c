// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * K33: the n-th vCPU costs the clock what the first does, when it is created
 * and when it first runs.  KVM_CREATE_VCPU as a whole has other work that grows
 * with n (it looks for the vCPU's id among all), so the clock's functions are
 * timed by the kernel's own tracer, in ticks, which on the intel host are
 * instructions.
 */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "spent.h"
#include "tap.h"
#include "trace.h"
#include "vm.h"

#define MANY 1024
#define SETTLE_MS 150	/* stock has more to do 100 ms after a first run */
#define SLACK 64	/* ticks: the first vCPU's way through the code is another */

#define CREATION "kvm_set_tsc_khz kvm_synchronize_tsc"
#define FIRST_RUN "kvm_clock_pass kvm_guest_time_update kvm_update_masterclock pvclock_update_vm_gtod_copy " \
	"kvm_end_pvclock_update kvmclock_update_fn"

static uint64_t creation(struct vm *vm, int id)
{
	trace_forget();
	vm_add_idle_vcpu(vm, id);
	return spent_ticks();
}

/* The VM has others others, which are in the guest now and then. */
static uint64_t first_run(int others)
{
	static struct vm vm;
	struct vcpu *last;
	uint64_t ticks;
	int id;

	vm_open(&vm, 0);
	for (id = 0; id < others - 1; id++)
		vm_add_idle_vcpu(&vm, VM_MAX_VCPUS + id);
	vm_add_vcpu(&vm);
	vcpu_set_page(&vm.vcpu[0], MSR_CLOCK_NEW);
	host_sleep_ms(SETTLE_MS);
	vcpu_guest_tsc(&vm.vcpu[0]);
	last = vm_add_vcpu(&vm);
	spent_in(FIRST_RUN);
	vcpu_guest_tsc(last);
	host_sleep_ms(SETTLE_MS);
	ticks = spent_ticks();
	vm_close(&vm);
	return ticks;
}

static void compare(const char *what, const char *name, uint64_t few, uint64_t many)
{
	char figure[64];

	tap_ok(many <= few + SLACK, "K33: %s costs the clock no more with %d vCPUs than with few",
	       what, MANY);
	snprintf(figure, sizeof(figure), "%s_few", name);
	tap_figure("K33", figure, (long long)few, "instructions");
	snprintf(figure, sizeof(figure), "%s_%d", name, MANY);
	tap_figure("K33", figure, (long long)many, "instructions");
}

int main(void)
{
	uint64_t first, second, last, few;
	static struct vm vm;
	int id;

	vm_open(&vm, 0);
	spent_in(CREATION);
	first = creation(&vm, 0);
	second = creation(&vm, 1);
	for (id = 2; id < MANY - 1; id++)
		vm_add_idle_vcpu(&vm, id);
	last = creation(&vm, id);
	vm_close(&vm);
	tap_ok(first && last, "K33: the clock's functions were seen");
	tap_figure("K33", "creation_2nd", (long long)second, "instructions");
	compare("creation", "creation", first, last);
	few = first_run(1);
	compare("a first run", "first_run", few, first_run(MANY - 1));
	trace_function(NULL);
	return tap_end();
}
