/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A model of what was watched, and what came out of it. */
#ifndef TEST_WATCH_MODEL_H
#define TEST_WATCH_MODEL_H

#include "watch_model.h"

#define MAX_OUT 64

struct watched {
	struct watch_model *model;
	struct watch_step out[MAX_OUT];
	int count;
	uint64_t now_ns;
};

void watched_open(struct watched *watched, uint32_t vms, uint32_t vcpus, bool always_drawn);
void watched_close(struct watched *watched);

/* Events of vCPU vcpu of VM 7-vm, 1 ms after the one before; what came of each is out. */
void watched_page(struct watched *watched, uint32_t vm, uint32_t vcpu, uint32_t version,
		  struct kc_line line, bool stable);
void watched_offset(struct watched *watched, uint32_t vm, uint32_t vcpu, uint64_t from, uint64_t to);
void watched_track(struct watched *watched, uint32_t vm, uint32_t matched, uint32_t online, bool master);
void watched_master(struct watched *watched, uint32_t vm, bool master);
void watched_ioctl(struct watched *watched, uint32_t vm, uint32_t ioctl);
void watched_lost(struct watched *watched);
void watched_passes(struct watched *watched, uint64_t ns);

bool ok(bool good, const char *name);
/* Random streams of events against 128-bit integers. */
void random_streams(uint64_t seed);

#endif
