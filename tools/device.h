/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What /dev/kvm tells of this host's KVM, whoever asks. */
#ifndef KVMCLOCK_DEVICE_H
#define KVMCLOCK_DEVICE_H

#include <stdbool.h>

#include <kvmclock.h>

struct document;

struct device_facts {
	int error;			/* 0: it answered; else an errno ... */
	const char *call;		/* ... of this call */
	struct kvmclock_error library;	/* with a code: it was kvmclock_probe() that failed */
	/* As kvmclock_probe() found them; of tier 3 without KVMCLOCK_HAS_OFFSET where offsets are ignored. */
	struct kvmclock_abilities abilities;
	bool offset_ignored;
};

/* By a VM of one vCPU and no memory, which never runs, and is gone again. */
struct device_facts device_ask(void);

/* Does a TSC offset that is set hold?  It moves this vCPU's.  There are KVMs that take any, and apply none. */
bool offset_holds(int vcpu_fd);
/* The finding that it does not. */
void find_offset_ignored(struct document *doc);

#endif
