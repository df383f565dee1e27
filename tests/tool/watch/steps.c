// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * For an emulated host, while kvmclock watch runs: does to a small VM's clock what
 * moves it, and prints each step that its guest saw:
 *   guest: step vcpu V step_ns N
 *   guest: then WHAT
 *   guest: begin TIME
 * "then" tells what the steps behind it are of, "begin" when it began to look.  The VM lives for a while before and after.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "probe.h"
#include "provoke.h"

#define VCPUS 3
#define GAP_MS 50
#define SETTLE_MS 700	/* watch looks more often */

void probe_fail(const char *what, ...)
{
	va_list more;

	va_start(more, what);
	vprintf(what, more);
	va_end(more);
	printf(": %s\n", strerror(errno));
	exit(2);
}

static struct {
	struct scene_observer observer;	/* first */
	int64_t off_ns[VM_MAX_VCPUS];
} seen;

static void saw(struct scene_observer *observer, int vcpu, int64_t off_ns, uint64_t htsc)
{
	(void)observer;
	(void)htsc;
	if (off_ns != seen.off_ns[vcpu])
		printf("guest: step vcpu %d step_ns %" PRId64 "\n", vcpu, off_ns - seen.off_ns[vcpu]);
	seen.off_ns[vcpu] = off_ns;
}

static void told(struct scene_observer *observer, const char *what, uint64_t htsc)
{
	(void)observer;
	(void)what;
	(void)htsc;
}

/* As watch writes times: who compares them need only compare words. */
static void say_begin(void)
{
	struct timespec now;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime(&now.tv_sec));
	printf("guest: begin %s.%09ldZ\n", text, now.tv_nsec);
}

static void say(const char *what)
{
	printf("guest: then %s\n", what);
	fflush(stdout);
}

static void set_clock(struct scene *scene, int64_t by_ns)
{
	struct kvm_clock_data data = vm_get_clock(&scene->vm);

	data.flags = 0;
	data.clock += (uint64_t)by_ns;
	vm_ioctl(&scene->vm, KVM_SET_CLOCK, &data);
	scene_check(scene);
}

int main(void)
{
	struct scene scene;
	int id;

	seen.observer = (struct scene_observer){ saw, told };
	scene_open(&scene, scene_scaled_khz(), VCPUS);
	scene.observer = &seen.observer;
	say_begin();
	scene_check(&scene);
	host_sleep_ms(SETTLE_MS);
	say("settled");
	for (id = 0; id < PROVOKE_COUNT; id++) {
		say(provocation_name[id]);
		provoke(&scene, id, GAP_MS);
		host_sleep_ms(GAP_MS);
	}
	say("clock_set");
	set_clock(&scene, 123456789);
	host_sleep_ms(GAP_MS);
	set_clock(&scene, -1000000);
	host_sleep_ms(SETTLE_MS);
	say("end");
	scene_close(&scene);
	return 0;
}
