/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Simulated hosts: true time, a TSC, a realtime clock that may drift, step and
 * lie, calls that take time, and a KVM, stock or ours, as far as a VM's clock
 * goes.  Written from the interfaces' facts; nothing of core/ or lib/ is in it.
 */
#ifndef LIBTEST_SIM_H
#define LIBTEST_SIM_H

#include "../../lib/kvmclock.h"
#include "wide.h"

enum { SIM_VCPUS = 1024, SIM_KVM_FD = 3, SIM_VM_FD = 4, SIM_VCPU_FD = 100 };

/* True time and noise; hosts in one world share both. */
struct sim_world {
	u64 now_ps;
	u64 noise;
};

/* What happens to a host's realtime at its call number `at`; 0: nothing. */
struct sim_event {
	u64 at;
	s64 step_ns;
	s64 leap_s;		/* realtime goes back by it, TAI's offset forth */
};

struct sim_host {
	struct sim_world *world;
	u64 tsc_start, hz;	/* its TSC is tsc_start + floor(true time * hz) */
	u32 khz;		/* what its kernel believes */
	u32 frac_bits;		/* F */
	u32 tolerance_ppm;
	bool ours, scaling, has_offset, has_host_tsc, has_vm_khz, allow_unmatched,
	     ignores_offset,	/* takes it, and goes on as before */
	     is_host_mode;	/* its clocksource is not the TSC */
	s64 realtime_ns;	/* at true time 0 */
	s64 drift_ppb;
	s64 tai_s;
	u64 stated_us;		/* adjtimex's maxerror */
	u64 latency_ps;		/* of half a call */
	u64 noise_ps;
	struct sim_event event;
	u64 calls;
	u64 fail_at;		/* the call of this number fails; 0: none */
	int fail_errno;
	bool failed;
};

struct sim_vcpu {
	u64 ratio, offset;
	u32 khz, stopped;
	u64 tsc_adjust, deadline, page_msr;
	bool catch_up;
};

/* Of a page, the layout that guests read. */
struct sim_page {
	u32 version, pad0;
	u64 tsc_timestamp, system_time;
	u32 mul;
	signed char shift;
	unsigned char flags, pad[2];
};

/* What a guest or a monitor can tell of a VM; compared bit by bit. */
struct sim_state {
	u32 default_khz, nr;
	/* Ours: the line, over a TSC of this ratio and offset. */
	u64 t0, n0, line_ratio, line_offset;
	struct slope slope;
	/* Stock, and ours without a line: the clock's value at a host TSC. */
	u64 base_htsc, base_ns;
	struct sim_vcpu vcpus[SIM_VCPUS];
};

struct sim_vm {
	struct sim_host *host;
	struct sim_state s;
	struct sim_page pages[SIM_VCPUS];	/* guest memory */
	u64 write_base_htsc, write_base_gtsc;	/* the one-second rule's */
	bool has_written;
	u64 move_at;		/* the guest's TSC moves at this call; 0: it does not */
	bool moves_on;		/* and at all after it */
	u32 written;		/* KVMCLOCK_CHANGED_* that were accepted */
	u32 write_calls;	/* writing ioctls, refused ones too */
	unsigned long failed_request;	/* of the call that fail_at made fail; 0: no ioctl */
	int failed_fd;
	u64 last_htsc, last_realtime, last_clock;	/* KVM_GET_CLOCK's answer */
};

/* ---- host ---- */
u64 sim_random(struct sim_world *world);
u64 sim_htsc_at(const struct sim_host *host, u64 ps);
u64 sim_htsc(const struct sim_host *host);
s64 sim_realtime_at(const struct sim_host *host, u64 ps);
s64 sim_realtime(const struct sim_host *host);
void sim_pass(const struct sim_host *host);
/* True: this call is to fail by host->fail_errno. */
bool sim_begin_call(struct sim_host *host);
struct kvmclock_ops sim_ops(struct sim_vm *vm);

/* ---- vm ---- */
void sim_vm_create(struct sim_vm *vm, struct sim_host *host);
void sim_vcpus_create(struct sim_vm *vm, u32 nr);
void sim_vcpus_run(struct sim_vm *vm);
u64 sim_gtsc_at(const struct sim_vm *vm, u32 vcpu, u64 htsc);
/* The clock as the host has it, and as vCPU vcpu reads it from its page. */
u64 sim_clock_at(const struct sim_vm *vm, u64 htsc);
u64 sim_guest_clock_at(const struct sim_vm *vm, u32 vcpu, u64 htsc);
struct sim_page sim_page_of(const struct sim_vm *vm, u32 vcpu, u64 htsc);
bool sim_is_master(const struct sim_vm *vm);
int sim_ioctl(void *context, int fd, unsigned long request, void *argument);

/* For a test's own use: 0 or -errno. */
int sim_set_vcpu_khz(struct sim_vm *vm, u32 vcpu, u32 khz);
void sim_set_offset(struct sim_vm *vm, u32 vcpu, u64 offset);
void sim_set_clock(struct sim_vm *vm, u64 clock_ns);

#endif
