/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A move of a VM from one simulated host to another, or to the same, step by step. */
#ifndef LIBTEST_SCENE_H
#define LIBTEST_SCENE_H

#include "in.h"
#include "sim.h"

enum { BYTES_ROOM = 64 + 160 + 48 * SIM_VCPUS + 4096 };

struct scene {
	struct sim_world world;
	struct sim_host source, other, *destination;
	struct sim_vm a, b;			/* there and here */
	int32_t vcpu_fds[SIM_VCPUS];
	struct kvmclock_ops ops_a, ops_b;
	struct kvmclock_vm vm_a, vm_b;
	struct kvmclock_abilities abilities_a, abilities_b;
	struct kvmclock_vcpu vcpus_saved[SIM_VCPUS], vcpus[SIM_VCPUS];
	struct kvmclock_state saved, state;
	u8 bytes[BYTES_ROOM];
	size_t nr_bytes;
	struct kvmclock_request request;
	struct kvmclock_plan plan;
	struct kvmclock_restore restore;
	struct kvmclock_result result;
	struct kvmclock_verdict verdict;
	struct kvmclock_error error;
	u64 nr_vcpus, away_ps;
	u32 guest_khz;			/* 0: the source's */
	u64 restore_begin_htsc, restore_end_htsc;	/* around the first restore_vcpu */
	u64 finish_begin_htsc, finish_end_htsc;
	/* Of true time at the two instants, for the error of elapsed time. */
	u64 saved_ps;
};

/* A host of any kind; world must be set.  Then the scene's parameters may be changed. */
void scene_draw(struct in *in, struct scene *s);
/* As drawn, but by parts: what is on both sides of a move. */
struct sim_host scene_host(struct in *in, struct scene *s);
/* A host beside another: of nearly its frequency, or able to scale. */
void scene_befriend(struct in *in, struct scene *s);
/* Unequal offsets or frequencies of vCPUs, MSRs' values. */
void scene_draw_vcpus(struct in *in, struct scene *s, bool unequal);
/* A request that refuses nothing. */
struct kvmclock_request scene_any(u32 policy);

/* Each returns as the library does. */
int scene_create(struct scene *s);	/* the source's VM, probed, vCPUs made and run */
int scene_save(struct scene *s);
int scene_carry(struct scene *s);	/* encodes and decodes */
void scene_away(struct scene *s);	/* time passes; a new VM at the destination */
int scene_probe(struct scene *s);
int scene_restore_vm(struct scene *s);	/* and then makes vCPUs there */
int scene_restore_vcpu(struct scene *s, u32 vcpu);
int scene_finish(struct scene *s);
int scene_verify(struct scene *s, bool has_run);
int scene_to(struct scene *s);		/* from probe to finish; 0 or the first code */
int scene_all(struct scene *s);		/* all, verify too */

/* Fresh structs with their sizes. */
void scene_fresh(struct scene *s);

/* ---- what should be, by wide.h ---- */

/* vCPU's TSC at the instant of the save, and at the chosen one, by the policy. */
u64 should_be_saved_gtsc(const struct scene *s, u32 vcpu);
u64 should_be_elapsed_ns(const struct scene *s, bool *same_host);
u64 should_be_gtsc(const struct scene *s, u32 vcpu);
/* The state's line at a TSC of vCPU 0. */
u64 should_be_line_ns(const struct kvmclock_state *state, u64 gtsc);
/* Distance of two clocks that wrap. */
u64 apart(u64 a, u64 b);
/* An order-independent summary of a VM's readable state, for in_hash. */
void hash_state(struct in *in, const struct sim_vm *vm);

#endif
