/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A small VM as libkvmclock takes it, and one call for a whole move. */
#ifndef PROBE_MONITOR_H
#define PROBE_MONITOR_H

#include <kvmclock.h>

#include "vm.h"

struct monitor {
	struct vm vm;
	int32_t vcpu_fds[VM_MAX_VCPUS];
	struct kvmclock_ops ops;
	struct kvmclock_vm handle;
	struct kvmclock_abilities abilities;
	struct kvmclock_vcpu vcpus[VM_MAX_VCPUS];
	struct kvmclock_state state;
	struct kvmclock_restore restore;
	struct kvmclock_result result;
	struct kvmclock_verdict before_run, after_run;
	uint64_t calls;		/* of ioctl, since the last monitor_begin_count() */
	uint64_t calls_ns;	/* that they took */
};

/* A VM without vCPUs, probed before its frequency is set. */
void monitor_open(struct monitor *monitor);
/* Its vCPUs, at khz (0: the host's), each with its page set and run. */
void monitor_start(struct monitor *monitor, uint32_t khz, int count);
void monitor_close(struct monitor *monitor);
void monitor_begin_count(struct monitor *monitor);

/*
 * A new VM whose state is filled in is restored, and its guest runs; settled:
 * only after its vCPUs took what KVM has pending for them.
 */
void monitor_restore(struct monitor *to, const struct kvmclock_request *request, bool settled);
/* Saves from, of which the state's bytes go to a new VM, to. */
void monitor_move(struct monitor *from, struct monitor *to, const struct kvmclock_request *request,
		  bool settled);

/* Ends the program when code is negative, with what the error says. */
void monitor_must(int code, const struct kvmclock_error *error);

#endif
