/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of libkvmclock share. */
#ifndef KVMCLOCK_INTERNAL_H
#define KVMCLOCK_INTERNAL_H

#include "../core/line.h"
#include "../core/move.h"
#include "../core/pvclock.h"
#include "../core/tsc.h"
#include "../uapi/kvm_clock.h"
#include "kvmclock.h"

#define KVMCLOCK_PUBLIC __attribute__((visibility("default")))

#define MSR_TSC			0x10
#define MSR_TSC_ADJUST		0x3b
#define MSR_TSC_DEADLINE	0x6e0
#define MSR_SYSTEM_TIME		0x4b564d01

/* A system call by its name, and what to do when it fails. */
struct call {
	unsigned long request;
	const char *name;
	const char *advice;
};

extern const struct call call_check_extension, call_get_clock, call_set_clock, call_get_khz,
	call_set_khz, call_get_attr, call_set_attr, call_get_msr, call_set_msr, call_get_line,
	call_set_line, call_ctrl, call_cpuid, call_gettime, call_adjtimex;

/* Of a call on the VM rather than on one vCPU. */
#define NO_VCPU (-1)

void error_begin(struct kvmclock_error *error);
void error_changed(struct kvmclock_error *error, uint32_t what);
/* Fills in error, and returns code. */
int fail(struct kvmclock_error *error, int code, const char *advice);
int fail_vcpu(struct kvmclock_error *error, int code, int vcpu, const char *advice);
int fail_call(struct kvmclock_error *error, const struct call *call, int vcpu, int negative_errno);

/* Is size what a caller of this or a later version has? */
bool is_size(uint32_t size, size_t ours);
/* Of what only the caller fills: a later one's may not ask for what is not known here. */
bool is_asked(const void *object, size_t ours);
/* Also of the ops that it brings. */
bool is_vm(const struct kvmclock_vm *vm);

/* ---- asking and telling: 0 or more, or E_SYSTEM with error filled in ---- */

/* As the system returns it, -errno for errors, no error filled in. */
int try_ioctl(const struct kvmclock_vm *vm, int fd, const struct call *call, void *argument);
/* On vCPU vcpu, or on the VM for NO_VCPU. */
int ask(const struct kvmclock_vm *vm, int vcpu, const struct call *call, void *argument,
	struct kvmclock_error *error);
int get_attr(const struct kvmclock_vm *vm, int vcpu, uint64_t attr, void *value,
	     struct kvmclock_error *error);
int set_offset(const struct kvmclock_vm *vm, int vcpu, uint64_t offset,
	       struct kvmclock_error *error);
/* 1: *value is read; 0: the vCPU has no such MSR. */
int get_msr(const struct kvmclock_vm *vm, int vcpu, uint32_t msr, uint64_t *value,
	    struct kvmclock_error *error);
int set_msr(const struct kvmclock_vm *vm, int vcpu, uint32_t msr, uint64_t value,
	    struct kvmclock_error *error);
uint64_t read_htsc(const struct kvmclock_vm *vm);
/* One instant, by the narrowest of several brackets. */
int read_now(const struct kvmclock_vm *vm, uint32_t khz, struct kvmclock_reading *now,
	     struct kvmclock_error *error);
/* 1: the vCPU's page in guest memory is a line; 0: there is none to be seen. */
int read_page(const struct kvmclock_vm *vm, int vcpu, struct kc_pvclock *page,
	      struct kvmclock_error *error);

/* ---- arithmetic -------------------------------------------------------- */

/* floor(ticks * 10^6 / khz) + 1: no less than these ticks take.  khz not 0. */
uint64_t ticks_to_ns_above(uint64_t ticks, uint32_t khz);
/* ceil(ns * khz / 10^6), all ones if that needs more than 64 bits. */
uint64_t ns_to_ticks_ceil(uint64_t ns, uint32_t khz);
uint64_t magnitude(int64_t x);
/* a + b, or KVMCLOCK_UNKNOWN where it does not fit or either is that. */
uint64_t sum(uint64_t a, uint64_t b);
/* Does a ratio make another TSC of the host's?  F up to 63. */
bool is_scaled(uint32_t frac_bits, uint64_t ratio);
/* The ratio at which KVM runs a TSC of khz here; 0: it cannot. */
uint64_t ratio_here(const struct kvmclock_abilities *host, uint32_t khz, bool *catch_up);
/* The period of khz in ns.  khz not 0. */
struct kc_rate rate_of_khz_nearest(uint32_t khz);
/* The slope by which this kernel draws the clock of a TSC at ratio. */
struct kc_rate rate_drawn(const struct kvmclock_abilities *abilities, uint64_t ratio);
/* How much faster b's period in ns makes a clock than a's, away from 0. */
int64_t rate_apart_ppb(struct kc_rate a, struct kc_rate b);
/* Are they inside their domain? */
bool is_host(const struct kvmclock_abilities *abilities);
struct kc_host host_of(const struct kvmclock_abilities *abilities);
struct kc_host host_of_state(const struct kvmclock_state *state);
struct kc_tsc tsc_of(const struct kvmclock_vcpu *vcpu);
struct kc_line line_of_state(const struct kvmclock_state *state);
struct kc_line line_of_restore(const struct kvmclock_restore *restore);

/* Is every member inside its domain?  A state may come from anywhere. */
bool state_is_sound(const struct kvmclock_state *state);

/* Elapsed time by policy from the state's reading to now; adds to plan. */
void count_elapsed(const struct kvmclock_state *state, const struct kvmclock_reading *now,
		   const struct kvmclock_request *request, struct kvmclock_plan *plan);
/* A vCPU's TSC as it is to be, at the ratio that KVM has for it. */
int wanted_tsc(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm, uint32_t vcpu,
	       struct kc_tsc *tsc, struct kvmclock_error *error);

/* vCPU 0's TSC, and the line that is to hold. */
uint64_t restore_gtsc_at(const struct kvmclock_restore *restore, uint64_t htsc);
uint64_t restore_line_at(const struct kvmclock_restore *restore, uint64_t htsc);
/* Tier 1's clock.  1: set, but KVM is in host mode. */
int correct_clock(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
		  struct kvmclock_result *result, struct kvmclock_error *error);

enum { PHASE_VM = 0x6b630001, PHASE_VCPU, PHASE_DONE };

#endif
