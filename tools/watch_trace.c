// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "watch_trace.h"
#include "watch_leftovers.h"
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <traceevent/event-parse.h>
#include <tracefs.h>

/* A guest's writes of the MSRs that a clock or TSC is set by: old and new system time, TSC, TSC_ADJUST. */
#define MSRS "write == 1 && (ecx == 0x12 || ecx == 0x4b564d01 || ecx == 0x10 || ecx == 0x3b)"

struct watch_trace {
	struct tracefs_instance *instance;
	struct tep_handle *tep;
	struct watch_reader *reader;
	struct tracefs_dynevent *probe[2];
	char group[32];
	unsigned int ring_kb, removed;
	int cpus;
	bool has_ioctls, by_monotonic;
};

/* Without these there is nothing to watch. */
static const char *const events[] = {
	"kvm_pvclock_update", "kvm_update_master_clock", "kvm_track_tsc", "kvm_write_tsc_offset",
};

/* The ioctls by their whole numbers; of the VM, and of a vCPU. */
static const struct {
	const char *event, *function, *filter;
} probes[2] = {
	/* KVM_SET_CLOCK, KVM_SET_TSC_KHZ, KVM_XEN_HVM_SET_ATTR */
	{ "vm_ioctl", "kvm_arch_vm_ioctl",
	  "cmd == 0x4030ae7b || cmd == 0xaea2 || cmd == 0x4048aec9" },
	/* KVM_SET_TSC_KHZ, KVM_SET_CLOCK_GUEST, KVM_XEN_VCPU_SET_ATTR */
	{ "vcpu_ioctl", "kvm_arch_vcpu_ioctl",
	  "cmd == 0xaea2 || cmd == 0x4020aed6 || cmd == 0x4048aecb" },
};

static bool is_below(const char *dir, const char *name)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return !access(path, F_OK);
}

static int find_tracefs(void)
{
	static char dir[4096];
	const char *found;

	if (*settings.root) {
		snprintf(dir, sizeof(dir), "%s/sys/kernel/tracing", settings.root);
		if (access(dir, F_OK))
			return fail(dir, "not there: --root is for copies; tracing needs the host's own tracefs");
		tracefs_set_tracing_dir(dir);
	}
	if (access("/sys/kernel/tracing", F_OK) && !*settings.root)
		return fail("/sys/kernel/tracing", "not there: this kernel has no tracing (CONFIG_TRACING)");
	found = *settings.root ? dir : tracefs_tracing_dir();
	if (!found)
		return fail("/sys/kernel/tracing", geteuid() ? "not readable: run it as root" :
			    "tracefs is not mounted: mount -t tracefs nodev /sys/kernel/tracing");
	if (access(found, R_OK | W_OK | X_OK))
		return fail(found, "%s: run it as root", strerror(errno));
	if (!is_below(found, "instances"))
		return fail(found, "no instances in it: tracefs is not mounted there, or forbidden (lockdown)");
	if (!is_below(found, "events/kvm/kvm_pvclock_update"))
		return fail("events/kvm", "KVM is not loaded, or has no such events: modprobe kvm_intel or kvm_amd");
	return 0;
}

static void add_probes(struct watch_trace *trace)
{
	unsigned int i;

	snprintf(trace->group, sizeof(trace->group), WATCH_NAME "_%d", getpid());
	trace->has_ioctls = true;
	for (i = 0; i < 2; i++) {
		trace->probe[i] = tracefs_kprobe_alloc(trace->group, probes[i].event, probes[i].function,
						       "cmd=%si:u32");
		if (!trace->probe[i] || tracefs_dynevent_create(trace->probe[i]))
			trace->has_ioctls = false;
	}
}

static bool enable(struct watch_trace *trace, const char *system, const char *event, const char *filter)
{
	if (filter && tracefs_event_file_write(trace->instance, system, event, "filter", filter) < 0)
		return false;
	return !tracefs_event_enable(trace->instance, system, event);
}

static int enable_all(struct watch_trace *trace)
{
	unsigned int i;

	for (i = 0; i < 2 && trace->has_ioctls; i++)
		trace->has_ioctls = enable(trace, trace->group, probes[i].event, probes[i].filter);
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (!enable(trace, "kvm", events[i], NULL))
			return fail(events[i], "%s: it cannot be enabled", strerror(errno));
	/* Without it causes are less exact. */
	enable(trace, "kvm", "kvm_msr", MSRS);
	return 0;
}

/* Only what is needed: all of KVM's would take long. */
static bool learn_format(struct watch_trace *trace, const char *system, const char *event)
{
	int size = 0;
	char *text = tracefs_event_file_read(trace->instance, system, event, "format", &size);
	bool learnt = text && !tep_parse_event(trace->tep, text, (unsigned long)size, system);

	free(text);
	return learnt;
}

static bool learn_formats(struct watch_trace *trace)
{
	bool learnt = true;
	unsigned int i;

	trace->tep = tep_alloc();
	if (!trace->tep)
		return false;
	tep_set_long_size(trace->tep, sizeof(long));
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		learnt &= learn_format(trace, "kvm", events[i]);
	learn_format(trace, "kvm", "kvm_msr");
	for (i = 0; i < 2 && trace->has_ioctls; i++)
		trace->has_ioctls = learn_format(trace, trace->group, probes[i].event);
	return learnt;
}

static int open_reader(struct watch_trace *trace)
{
	struct tracefs_cpu **cpus;
	long count = sysconf(_SC_NPROCESSORS_CONF), i;

	cpus = calloc((size_t)count, sizeof(*cpus));
	if (!learn_formats(trace) || !cpus) {
		free(cpus);
		return fail("events", "%s: their formats cannot be read", strerror(errno));
	}
	for (i = 0; i < count; i++) {
		cpus[trace->cpus] = tracefs_cpu_open(trace->instance, (int)i, true);
		trace->cpus += cpus[trace->cpus] != NULL;
	}
	trace->reader = watch_reader_new(trace->tep, trace->has_ioctls ? trace->group : NULL, cpus, trace->cpus);
	if (!trace->cpus || !trace->reader)
		return fail("per_cpu", "the buffers cannot be read, or the events have another format");
	return 0;
}

struct watch_trace *watch_trace_open(unsigned int ring_kb)
{
	struct watch_trace *trace = calloc(1, sizeof(*trace));
	char name[32];

	if (!trace || find_tracefs() < 0) {
		free(trace);
		return NULL;
	}
	trace->ring_kb = ring_kb;
	trace->removed = watch_remove_leftovers();
	snprintf(name, sizeof(name), WATCH_NAME "-%d", getpid());
	trace->instance = tracefs_instance_create(name);
	if (!trace->instance) {
		fail(name, "%s: no tracing instance can be made", strerror(errno));
		free(trace);
		return NULL;
	}
	trace->by_monotonic = tracefs_instance_file_write(trace->instance, "trace_clock", "mono") > 0;
	tracefs_instance_set_buffer_size(trace->instance, ring_kb, -1);
	add_probes(trace);
	if (open_reader(trace) < 0 || enable_all(trace) < 0) {
		watch_trace_close(trace);
		return NULL;
	}
	return trace;
}

void watch_trace_close(struct watch_trace *trace)
{
	int i;

	if (trace->reader)
		watch_reader_free(trace->reader);
	if (trace->tep)
		tep_free(trace->tep);
	if (tracefs_instance_destroy(trace->instance))
		fail(tracefs_instance_get_name(trace->instance),
		     "%s: the tracing instance is left behind: the next watch removes it", strerror(errno));
	tracefs_instance_free(trace->instance);
	watch_remove_probes(trace->group);
	for (i = 0; i < 2; i++)
		if (trace->probe[i])
			tracefs_dynevent_free(trace->probe[i]);
	free(trace);
}

struct watch_reader *watch_trace_reader(struct watch_trace *trace)
{
	return trace->reader;
}

bool watch_trace_has_ioctls(const struct watch_trace *trace)
{
	return trace->has_ioctls;
}

uint64_t watch_trace_now_ns(const struct watch_trace *trace)
{
	struct timespec now;

	/* Another clock cannot be asked: all that is there is taken as it comes. */
	if (!trace->by_monotonic)
		return UINT64_MAX;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t watch_trace_ring_bytes(const struct watch_trace *trace)
{
	return (uint64_t)trace->cpus * trace->ring_kb * 1024;
}

unsigned int watch_trace_removed(const struct watch_trace *trace)
{
	return trace->removed;
}
