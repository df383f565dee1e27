/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A stopped VM as bytes, to a file, a pipe or another host:
 *   struct stream_head
 *   struct vm_state up to vcpu[], then count times struct vcpu_state
 *   runs of memory, ascending: struct stream_run and its bytes; one of size 0 ends them.
 *   What is in no run is zero.  With memory kept elsewhere, no runs but the last.
 *   struct stream_sum over all of it
 * All of it in the order and layout of x86-64.  A reader believes none of it.
 */
#ifndef VMM_STREAM_H
#define VMM_STREAM_H

#include "state.h"

#define STREAM_MAGIC	0x31304d564d4d564bull	/* "KVMMVM01" */
#define STREAM_VERSION	1

struct stream_head {
	uint64_t magic;
	uint32_t version;
	uint32_t with_memory;
	uint32_t vm_size, vcpu_size;	/* of the structures */
};

struct stream_run {
	uint64_t gpa, size;
};

struct stream_sum {
	uint64_t sum, weighted;
};

int stream_write(int fd, const struct vm *vm, const struct vm_state *state, bool with_memory);
/* Opens vm's memory, its own or mem_fd's.  The state is within its bounds; the rest is for KVM to check. */
int stream_read(int fd, struct vm *vm, struct vm_state *state, int mem_fd);
bool stream_valid(const struct vm_state *state);

#endif
