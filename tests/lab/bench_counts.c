// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the clock does over a fixed scenario, as lines
 * bench|WHAT|COUNT|COUNT|COUNT|UNIT: page writes and master clock updates by
 * KVM's tracepoints, and requests as the host serves them: each time that a
 * vCPU on its way into the guest is sent through the function of trace_pass().  The
 * host needs two processors and the HPET.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "trace.h"
#include "vm.h"

#define VCPUS 64
#define ROUNDS 3
#define SETTLE_MS 150	/* stock updates again after 100 ms */
#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

static void say(const char *when, const char *what, int count)
{
	printf("bench|%s: %s|%d|%d|%d|times\n", when, what, count, count, count);
	fflush(stdout);
}

static void say_counts(const char *when)
{
	say(when, "page writes", trace_count("kvm_pvclock_update"));
	say(when, "requests served", trace_count_lines(" <-", ""));
	say(when, "master clock updates", trace_count("kvm_update_master_clock"));
	trace_forget();
}

static void run_all(struct vm *vm)
{
	int i;

	for (i = 0; i < vm->count; i++)
		vcpu_run(&vm->vcpu[i], GUEST_TSC, 0, 0);
}

static void go_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		tap_bail("CPU %d", cpu);
}

static void set_clocksource(const char *name)
{
	int fd = open(CLOCKSOURCE, O_WRONLY);

	if (fd < 0 || write(fd, name, strlen(name)) < 0)
		tap_bail("clocksource %s", name);
	close(fd);
}

/* Until all that comes of the last event has been done. */
static void settle(struct vm *vm)
{
	host_sleep_ms(SETTLE_MS);
	run_all(vm);
	host_sleep_ms(SETTLE_MS);
	run_all(vm);
}

static void scenario(struct vm *vm)
{
	int round;

	vm_open_running(vm, 0, VCPUS);
	settle(vm);
	say_counts("64 vCPUs created and run");
	for (round = 0; round < ROUNDS; round++)
		settle(vm);
	say_counts("all run, six times in a second");
	for (round = 0; round < ROUNDS; round++) {
		go_to_cpu(1);
		settle(vm);
		go_to_cpu(0);
		settle(vm);
	}
	say_counts("all moved between CPUs, six times");
	set_clocksource("hpet");
	settle(vm);
	say_counts("clocksource from TSC to HPET");
	set_clocksource("tsc");
	settle(vm);
	say_counts("clocksource back to TSC");
}

int main(void)
{
	static struct vm vm;

	go_to_cpu(0);
	trace_put("buffer_size_kb", "8192");
	trace_function(trace_pass());
	trace_enable("kvm_pvclock_update", true);
	trace_enable("kvm_update_master_clock", true);
	scenario(&vm);
	trace_enable("kvm_pvclock_update", false);
	trace_enable("kvm_update_master_clock", false);
	trace_function(NULL);
	vm_close(&vm);
	return 0;
}
