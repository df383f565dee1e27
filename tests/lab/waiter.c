// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "waiter.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define RIVALS 2

static atomic_bool busy;

uint64_t waiter_raw_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t waiter_run_delay_ns(void)
{
	int fd = open("/proc/thread-self/schedstat", O_RDONLY);
	unsigned long long run_ns, delay_ns = 0;
	char text[128] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 ||
	    sscanf(text, "%llu %llu", &run_ns, &delay_ns) != 2)
		tap_bail("/proc/thread-self/schedstat");
	close(fd);
	return delay_ns;
}

static void pin(const cpu_set_t *cpus)
{
	if (sched_setaffinity(0, sizeof(*cpus), cpus))
		tap_bail("sched_setaffinity");
}

static void *keep_busy(void *arg)
{
	pin(arg);
	while (atomic_load(&busy))
		;
	return NULL;
}

void waiter_wait(unsigned int ms)
{
	uint64_t until_ns = waiter_run_delay_ns() + ms * 1000000ull;
	pthread_t rival[RIVALS];
	cpu_set_t before, one;
	int i;

	if (sched_getaffinity(0, sizeof(before), &before))
		tap_bail("sched_getaffinity");
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	pin(&one);
	atomic_store(&busy, true);
	for (i = 0; i < RIVALS; i++)
		if (pthread_create(&rival[i], NULL, keep_busy, &one))
			tap_bail("pthread_create");
	while (waiter_run_delay_ns() < until_ns)
		;
	atomic_store(&busy, false);
	for (i = 0; i < RIVALS; i++)
		pthread_join(rival[i], NULL);
	pin(&before);
}

static void *run_once(void *arg)
{
	vcpu_run(arg, GUEST_TSC, 0, 0);
	return NULL;
}

void waiter_run_elsewhere(struct vcpu *vcpu)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_once, vcpu))
		tap_bail("pthread_create");
	pthread_join(thread, NULL);
}
