/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * libkvmclock: a KVM guest's TSC and clock, carried to another process, kernel
 * or host as one line.  kvmclock(7) is the concept, kvmclock_recipe(7) the
 * order of calls for a monitor.
 *
 * The line reads, at the guest's TSC t, in ns and modulo 2^64,
 *
 *	line_ns + floor(S(t - line_gtsc) * line_mul / 2^32)
 *
 * with S a shift left by line_shift, or right by -line_shift.  A vCPU's TSC at
 * the host TSC h is floor(h * tsc_ratio / 2^frac_bits) + tsc_offset_gtsc.
 *
 * Units: _ns nanoseconds, _htsc ticks of the host's TSC, _gtsc ticks of a
 * guest's, _khz kilohertz, _ppb parts in 10^9.  Clocks and TSCs wrap at 2^64.
 *
 * Nothing here opens, keeps, allocates, prints, locks or starts anything; there
 * are no globals.  Calls on different objects may run at once.  Structs begin
 * with their size, which the caller sets to sizeof: a later library knows by it
 * what an earlier caller has, and an earlier one refuses what a later caller asks
 * for beyond it, but zeroes.  What the library does not fill is left as it is.
 * Functions return 0, or a count where said, or a negative KVMCLOCK_E_*.
 */
#ifndef KVMCLOCK_H
#define KVMCLOCK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct timespec;
struct timex;

/* Codes; they keep their numbers.  kvmclock_strerror() has a sentence for each. */
#define KVMCLOCK_E_SIZE		(-1)	/* a struct's size is none that is known, or its end is not */
#define KVMCLOCK_E_ARGUMENT	(-2)	/* an argument is outside its domain */
#define KVMCLOCK_E_ORDER	(-3)	/* a call out of order */
#define KVMCLOCK_E_SYSTEM	(-4)	/* a system call failed: see the error */
#define KVMCLOCK_E_UNABLE	(-5)	/* this kernel or host cannot do it */
#define KVMCLOCK_E_MOVING	(-6)	/* a vCPU's TSC changed during the save */
#define KVMCLOCK_E_ROOM		(-7)	/* the caller's memory is too small */
#define KVMCLOCK_E_BUDGET_STEP	(-8)	/* the step would exceed the budget */
#define KVMCLOCK_E_BUDGET_TSC	(-9)	/* the TSC's step would exceed the budget */
#define KVMCLOCK_E_BUDGET_RATE	(-10)	/* the rate error would exceed the budget */
#define KVMCLOCK_E_BUDGET_TIER	(-11)	/* the tier is below the lowest allowed */
#define KVMCLOCK_E_BACKWARDS	(-12)	/* the clock would go backwards */
#define KVMCLOCK_E_OTHER_HOST	(-13)	/* live-update, but not the same host's TSC */
#define KVMCLOCK_E_FREQUENCY	(-14)	/* this host cannot run this TSC frequency */
#define KVMCLOCK_E_RATIO	(-15)	/* the TSC does not run at the ratio computed */
#define KVMCLOCK_E_TRUNCATED	(-16)	/* saved bytes: too few */
#define KVMCLOCK_E_MAGIC	(-17)	/* saved bytes: not a state */
#define KVMCLOCK_E_VERSION	(-18)	/* saved bytes: of an incompatible version */
#define KVMCLOCK_E_CHECKSUM	(-19)	/* saved bytes: damaged */
#define KVMCLOCK_E_FORMAT	(-20)	/* saved bytes: a value outside its domain */
#define KVMCLOCK_E_INCOMPLETE	(-21)	/* the state lacks what this policy needs */

/* What a call changed before it failed; what is not named was not changed. */
#define KVMCLOCK_CHANGED_KHZ		0x01u
#define KVMCLOCK_CHANGED_OFFSET		0x02u
#define KVMCLOCK_CHANGED_TSC_ADJUST	0x04u
#define KVMCLOCK_CHANGED_DEADLINE	0x08u
#define KVMCLOCK_CHANGED_CLOCK		0x10u
#define KVMCLOCK_CHANGED_STOPPED	0x20u	/* KVM_KVMCLOCK_CTRL on some vCPUs */

/* Why a call failed.  Every function takes one; NULL if it is of no interest. */
struct kvmclock_error {
	uint32_t size;
	int32_t code;		/* as returned */
	int32_t sys_errno;	/* of the system call, positive, or 0 */
	int32_t vcpu;		/* index, or -1 */
	uint32_t changed;	/* KVMCLOCK_CHANGED_* */
	uint32_t pad;
	const char *call;	/* "KVM_SET_CLOCK", or NULL; never to be freed */
	const char *advice;	/* what to do, one sentence */
};

const char *kvmclock_strerror(int32_t code);
const char *kvmclock_version(void);

/*
 * How the library reaches the system; a NULL member is the system's own.  Each
 * returns as the call it is named after does, but -errno for -1 and errno.
 */
struct kvmclock_ops {
	uint32_t size;
	uint32_t pad;
	void *context;
	int (*ioctl)(void *context, int fd, unsigned long request, void *argument);
	int (*clock_gettime)(void *context, int clock, struct timespec *now);
	int (*adjtimex)(void *context, struct timex *timex);
	uint64_t (*rdtsc)(void *context);
	/* Guest memory, 0 or -errno.  NULL: the guest's page is not looked at. */
	int (*read_guest)(void *context, uint64_t gpa, void *to, size_t bytes);
};

/* A VM, by descriptors that the caller owns. */
struct kvmclock_vm {
	uint32_t size;
	int32_t kvm_fd;			/* /dev/kvm */
	int32_t vm_fd;
	uint32_t vcpu_count;
	const int32_t *vcpu_fds;	/* vcpu_count of them */
	const struct kvmclock_ops *ops;	/* NULL: the system */
};

/* ---- probe ------------------------------------------------------------- */

#define KVMCLOCK_HAS_CLOCK	0x001u	/* KVM_GET_CLOCK and KVM_SET_CLOCK */
#define KVMCLOCK_HAS_REALTIME	0x002u	/* ... with a realtime, from 5.16 */
#define KVMCLOCK_HAS_HOST_TSC	0x004u	/* ... with a host TSC, from 5.16 */
#define KVMCLOCK_HAS_OFFSET	0x008u	/* KVM_VCPU_TSC_OFFSET, from 5.16 */
#define KVMCLOCK_HAS_SCALE	0x010u	/* KVM_VCPU_TSC_SCALE */
#define KVMCLOCK_HAS_LINE	0x020u	/* KVM_GET_CLOCK_GUEST, KVM_SET_CLOCK_GUEST */
#define KVMCLOCK_HAS_VM_KHZ	0x040u	/* KVM_SET_TSC_KHZ on the VM */
#define KVMCLOCK_HAS_SCALING	0x080u	/* TSC scaling hardware */
#define KVMCLOCK_HAS_EXACT	0x100u	/* KVM_GET_CLOCK reads the guest's line */
#define KVMCLOCK_IS_MASTER	0x200u	/* this VM's clock is a line now */
#define KVMCLOCK_HAS_READING	0x400u	/* the reading below is filled in */

#define KVMCLOCK_TIER_0		0u	/* the line itself: exact */
#define KVMCLOCK_TIER_1		1u	/* offset, clock; residual measured and corrected */
#define KVMCLOCK_TIER_2		2u	/* offset; clock by realtime */
#define KVMCLOCK_TIER_3		3u	/* TSC by MSR 0x10: KVM's one-second rule */

/* The host's TSC and realtime at one instant. */
struct kvmclock_reading {
	uint64_t htsc;
	int64_t realtime_ns;		/* since 1970, UTC */
	int64_t tai_offset_s;		/* TAI - UTC, 0 where the host does not know */
	uint64_t realtime_error_ns;	/* as the host's adjtimex states it */
	uint64_t width_ns;		/* the two are at most so far apart */
};

struct kvmclock_abilities {
	uint32_t size;
	uint32_t bits;			/* KVMCLOCK_HAS_*, KVMCLOCK_IS_MASTER */
	uint32_t tier;			/* of a VM in master mode here */
	uint32_t host_khz;		/* 1 or more */
	uint32_t frac_bits;		/* F: 48 on VMX, 32 on SVM */
	uint32_t tolerance_ppm;		/* kvm's tsc_tolerance_ppm; probe says 250 */
	struct kvmclock_reading now;
};

/*
 * What this kernel and host can do for vm.  Before the VM's frequency is set:
 * KVM tells the host's own only until then.  No vCPU is needed, but before 5.19,
 * where only a vCPU tells: one new vCPU, if need be of another VM.  Changes
 * nothing.  tolerance_ppm is KVM's default; a caller that knows better sets it.
 * E_SIZE, E_ARGUMENT, E_SYSTEM, E_UNABLE (no KVM_GET_CLOCK, no frequency).
 */
int kvmclock_probe(const struct kvmclock_vm *vm, struct kvmclock_abilities *abilities,
		   struct kvmclock_error *error);

/* ---- saved state ------------------------------------------------------- */

#define KVMCLOCK_VCPU_HAS_TSC_ADJUST	0x1u
#define KVMCLOCK_VCPU_HAS_DEADLINE	0x2u
#define KVMCLOCK_VCPU_HAS_GTSC		0x4u	/* tsc_gtsc instead of an offset */

/* One vCPU, 48 bytes; it does not grow. */
struct kvmclock_vcpu {
	uint64_t tsc_offset_gtsc;
	uint64_t tsc_ratio;		/* guest ticks for 2^frac_bits host ticks */
	uint64_t tsc_gtsc;		/* its TSC at the reading */
	uint64_t tsc_adjust_gtsc;	/* MSR 0x3b */
	uint64_t deadline_gtsc;		/* MSR 0x6e0, 0: none */
	uint32_t tsc_khz;
	uint32_t flags;			/* KVMCLOCK_VCPU_* */
};

#define KVMCLOCK_STATE_LINE		0x01u	/* line_* are filled in */
#define KVMCLOCK_STATE_LINE_EXACT	0x02u	/* by KVM_GET_CLOCK_GUEST */
#define KVMCLOCK_STATE_LINE_PAGE	0x04u	/* as the guest's page shows it */
#define KVMCLOCK_STATE_HOST_TSC		0x08u	/* at.htsc, offsets and ratios */
#define KVMCLOCK_STATE_REALTIME		0x10u	/* at.realtime_ns */
#define KVMCLOCK_STATE_TSC		0x20u	/* every vCPU's TSC is known */

#define KVMCLOCK_SOURCE_OWN		0u
#define KVMCLOCK_SOURCE_KVM		1u	/* a raw struct kvm_clock_data */
#define KVMCLOCK_SOURCE_QEMU		2u
#define KVMCLOCK_SOURCE_FIRECRACKER	3u
#define KVMCLOCK_SOURCE_CLOUD_HYPERVISOR 4u

struct kvmclock_state {
	uint32_t size;
	uint32_t flags;			/* KVMCLOCK_STATE_* */
	uint32_t source;		/* KVMCLOCK_SOURCE_* */
	uint32_t host_khz;
	uint32_t frac_bits;
	uint32_t line_mul;
	int32_t line_shift;		/* -31 to 31 */
	uint32_t vcpu_count;
	uint32_t vcpu_room;		/* set by the caller: how many vcpus holds */
	uint32_t pad;
	struct kvmclock_vcpu *vcpus;	/* the caller's */
	struct kvmclock_reading at;	/* all of it is of this instant */
	uint64_t clock_ns;		/* KVM_GET_CLOCK then */
	uint64_t line_gtsc;		/* over vCPU 0's TSC */
	uint64_t line_ns;
	uint64_t width_ns;		/* TSC and clock are at most so far apart */
	const void *unknown;		/* records of a later version, in the decoded bytes */
	uint64_t unknown_bytes;
};

/*
 * Saves all vCPUs of vm, which must not run meanwhile.  Changes nothing.
 * abilities are those of kvmclock_probe() on this VM.  state->vcpus and
 * vcpu_room are the caller's.
 * E_SIZE, E_ARGUMENT, E_ROOM, E_SYSTEM, E_UNABLE, E_MOVING, E_RATIO.
 */
int kvmclock_save(const struct kvmclock_vm *vm, const struct kvmclock_abilities *abilities,
		  struct kvmclock_state *state, struct kvmclock_error *error);

/* Bytes that kvmclock_encode() will write; 0 for what is no state. */
size_t kvmclock_encoded_bytes(const struct kvmclock_state *state);

/* Writes state into bytes; *used is how many.  The same state gives the same bytes. */
int kvmclock_encode(const struct kvmclock_state *state, void *bytes, size_t room, size_t *used,
		    struct kvmclock_error *error);

/*
 * Reads a state from any bytes at all.  state->vcpus and vcpu_room are the
 * caller's; kvmclock_encoded_vcpus() tells how many are needed.  What a later
 * version added stays in the bytes, which must live as long as the state, and
 * is written again by kvmclock_encode().
 */
int kvmclock_decode(const void *bytes, size_t length, struct kvmclock_state *state,
		    struct kvmclock_error *error);

/* The number of vCPUs in a state's bytes, at most KVMCLOCK_VCPUS_MAX. */
int kvmclock_encoded_vcpus(const void *bytes, size_t length, struct kvmclock_error *error);
#define KVMCLOCK_VCPUS_MAX	65536u

/* What others have stored of a VM's clock. */
struct kvmclock_foreign {
	uint32_t size;
	uint32_t source;		/* KVMCLOCK_SOURCE_*, not OWN */
	const void *clock;		/* struct kvm_clock_data; for QEMU its section's bytes */
	size_t clock_bytes;
	const uint64_t *tsc_gtsc;	/* each vCPU's MSR 0x10, or NULL */
	const uint32_t *tsc_khz;	/* each vCPU's, or NULL */
	uint32_t vcpu_count;
	uint32_t pad;
};

/*
 * A state made of that.  What they do not store is not in the state's flags:
 * kvmclock_plan() names it.
 */
int kvmclock_from_foreign(const struct kvmclock_foreign *foreign, struct kvmclock_state *state,
			  struct kvmclock_error *error);

/* ---- plan -------------------------------------------------------------- */

#define KVMCLOCK_LIVE_UPDATE	1u	/* same host: everything goes on, no wall clock is read */
#define KVMCLOCK_ADVANCE	2u	/* the time away counts, for TSC and clock together */
#define KVMCLOCK_FROZEN		3u	/* no time has passed for the guest */
#define KVMCLOCK_CLONE		4u	/* as frozen, and any number of times from one state */

#define KVMCLOCK_NO_BACKWARDS	0x1u	/* refuse rather than let the clock go back */
#define KVMCLOCK_SAME_HOST	0x2u	/* live-update: the caller knows; no wall clock is looked at */

struct kvmclock_request {
	uint32_t size;
	uint32_t policy;
	uint32_t flags;			/* KVMCLOCK_NO_BACKWARDS, KVMCLOCK_SAME_HOST */
	uint32_t lowest_tier;		/* KVMCLOCK_TIER_*: 0 allows the best only */
	uint64_t max_step_ns;
	uint64_t max_step_cycles;
	uint64_t max_rate_ppb;		/* of the TSC, against the state's */
	uint32_t max_tries;		/* of tier 1's correction; 0: 100 */
	uint32_t max_time_us;		/* for it; 0: 5000 */
};

#define KVMCLOCK_REASON_NO_LINE_IOCTLS	0x0001u	/* the destination's kernel has no line */
#define KVMCLOCK_REASON_NO_LINE		0x0002u	/* the source's clock was no line */
#define KVMCLOCK_REASON_NO_HOST_TSC	0x0004u	/* the state has no host TSC */
#define KVMCLOCK_REASON_NO_REALTIME	0x0008u	/* the state has no realtime */
#define KVMCLOCK_REASON_NO_TSC		0x0010u	/* the state has not every vCPU's TSC */
#define KVMCLOCK_REASON_NO_OFFSET	0x0020u	/* the destination has no TSC offset attribute */
#define KVMCLOCK_REASON_SCALED_STOCK	0x0040u	/* scaled TSC: stock KVM draws a rounded slope */
#define KVMCLOCK_REASON_OTHER_RATE	0x0080u	/* the TSC will run at another rate */
#define KVMCLOCK_REASON_CATCH_UP	0x0100u	/* software would have to catch up the TSC */
#define KVMCLOCK_REASON_NO_SCALING	0x0200u	/* host faster than the guest, no scaling */
#define KVMCLOCK_REASON_SAME_HOST	0x0400u	/* the TSC is that of the state's host */
#define KVMCLOCK_REASON_OTHER_HOST	0x0800u	/* it is not */
#define KVMCLOCK_REASON_REALTIME_BACK	0x1000u	/* realtime is before the state's: counted as 0 */
#define KVMCLOCK_REASON_UNEQUAL_TSCS	0x2000u	/* vCPUs' TSCs differ: no stable bit */

#define KVMCLOCK_UNKNOWN	UINT64_MAX

struct kvmclock_plan {
	uint32_t size;
	int32_t verdict;		/* 0, or why it is refused */
	uint32_t tier;
	uint32_t reasons;		/* KVMCLOCK_REASON_* */
	uint64_t step_ns;		/* predicted, of the clock, worst; or KVMCLOCK_UNKNOWN */
	uint64_t step_cycles;		/* of a TSC, or KVMCLOCK_UNKNOWN */
	int64_t rate_error_ppb;		/* of the TSC against the state's, rounded away from 0 */
	int64_t slope_error_ppb;	/* of the clock against the TSC, likewise */
	uint64_t elapsed_ns;		/* that will be counted, if abilities have a reading */
	uint64_t elapsed_error_ns;	/* its bound, both hosts' together; or KVMCLOCK_UNKNOWN */
};

/*
 * What a restore of state would do at a destination.  Pure: no system call, on
 * any machine.  Returns plan->verdict, or E_SIZE, E_ARGUMENT, E_FORMAT.
 */
int kvmclock_plan(const struct kvmclock_state *state, const struct kvmclock_abilities *destination,
		  const struct kvmclock_request *request, struct kvmclock_plan *plan,
		  struct kvmclock_error *error);

/* ---- restore ----------------------------------------------------------- */

/* A restore on its way.  The caller's memory; all members are the library's but size. */
struct kvmclock_restore {
	uint32_t size;
	uint32_t phase;
	const struct kvmclock_state *state;
	struct kvmclock_abilities abilities;
	struct kvmclock_request request;
	struct kvmclock_plan plan;
	struct kvmclock_reading at;	/* the chosen instant here */
	uint32_t next_vcpu;
	uint32_t line_mul;
	int32_t line_shift;
	uint32_t tsc_khz;
	uint64_t line_gtsc;		/* the line that is to hold, over vCPU 0's TSC */
	uint64_t line_ns;
	uint64_t tsc_ratio;		/* vCPU 0's here */
	uint64_t tsc_offset_gtsc;
	int64_t residual_ns;		/* of the clock, as finish measured it */
	uint64_t residual_error_ns;
};

/*
 * First: before any vCPU exists.  Plans, and refuses what is beyond the budget
 * before anything is written; then sets the VM's TSC frequency.  state and its
 * vcpus must live until the last kvmclock_verify() of this restore.
 */
int kvmclock_restore_vm(struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
			const struct kvmclock_state *state,
			const struct kvmclock_abilities *abilities,
			const struct kvmclock_request *request, struct kvmclock_error *error);

/*
 * Then for each vCPU, in ascending order, when all of them exist: after the
 * other MSRs and the LAPIC.  Sets its frequency where it differs from the VM's,
 * its TSC, MSR 0x3b and MSR 0x6e0.  E_UNABLE: the KVM took the TSC's offset and
 * did not apply it.
 */
int kvmclock_restore_vcpu(struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
			  uint32_t vcpu, struct kvmclock_error *error);

struct kvmclock_result {
	uint32_t size;
	uint32_t tier;			/* that was reached */
	uint32_t tries;			/* of tier 1 */
	uint32_t line_kept;		/* 1: the state's line bit for bit */
	int64_t residual_ns;		/* the clock's error as measured, signed */
	uint64_t residual_error_ns;	/* its bound, vCPUs being settled, or KVMCLOCK_UNKNOWN */
};

/*
 * Last: the clock, then KVM_KVMCLOCK_CTRL on every vCPU, so that the guest's
 * watchdogs forgive the time away.  No vCPU may be created, and none's TSC
 * changed, between this and the first run.
 *
 * Tier 1: the stock KVM draws the clock anew when a vCPU runs for the first time
 * after its TSC was set, and that moves it by nanoseconds.  A KVM_RUN of each
 * vCPU before this call, ended by a pending signal before the guest runs (not
 * by immediate_exit), has it done earlier: kvmclock_recipe(7).
 */
int kvmclock_restore_finish(struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
			    struct kvmclock_result *result, struct kvmclock_error *error);

/* How a monitor that restores MSRs treats these. */
#define KVMCLOCK_MSR_ANY	0	/* not ours: as ever */
#define KVMCLOCK_MSR_DROP	1	/* must not be written: the library sets the TSC */
#define KVMCLOCK_MSR_DEFER	2	/* the library writes it; the monitor, if it must, afterwards */
int kvmclock_msr_rule(uint32_t msr);

/* ---- verify ------------------------------------------------------------ */

struct kvmclock_verdict {
	uint32_t size;
	uint32_t vcpus;			/* that were measured */
	uint64_t worst_cycles;		/* TSC against what was to be */
	uint64_t worst_cycles_error;	/* its bound, 0 by offset, else the bracket's width */
	uint64_t worst_ns;		/* clock against what was to be */
	uint64_t worst_ns_error;	/* its bound */
	uint32_t worst_vcpu;		/* the last that was worse than those before, in either */
	uint32_t from_page;		/* vCPUs whose page was read */
};

/*
 * What the guest will see, or sees, against what was to be: before the first
 * run, and again after it, with vCPUs stopped.  has_run is 1 when every vCPU
 * has run since kvmclock_restore_finish(): then their pages, too, are looked at
 * where ops can read guest memory.  Changes nothing.
 */
int kvmclock_verify(const struct kvmclock_restore *restore, const struct kvmclock_vm *vm,
		    uint32_t has_run, struct kvmclock_verdict *verdict,
		    struct kvmclock_error *error);

#ifdef __cplusplus
}
#endif

#endif /* KVMCLOCK_H */
