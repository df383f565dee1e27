/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What runs inside a vCPU: a loop that does what its box says, then exits.
 * The code is copied into the guest's memory; there is no libc and no data.
 */
#ifndef PROBE_GUEST_H
#define PROBE_GUEST_H

#include "exact.h"

#define GUEST_PORT 0x4c
#define GUEST_PAST 48	/* pages remembered */

enum guest_op {
	GUEST_TSC,	/* out[0] = TSC */
	GUEST_RDMSR,	/* msr arg[0]; out[0] = value */
	GUEST_WRMSR,	/* msr arg[0] = arg[1] */
	GUEST_READ,	/* page at arg[0]; out[0] = TSC, out[1] = ns, page */
	GUEST_COMPARE,	/* as READ; out[2], out[3] = step, worst step: below */
	GUEST_SPIN,	/* until arg[0] ticks have passed */
	GUEST_HYPERCALL, /* vmmcall if arg[3], else vmcall, of arg[0..2]; out[0] */
	GUEST_HAMMER,	/* page at arg[0] read arg[1] times: below */
	GUEST_CPUID,	/* leaf arg[0], subleaf arg[1]; out[0..3] = eax to edx */
	GUEST_HYPERV,	/* as READ; Hyper-V's page at arg[1]; out[2], out[3]: below */
	GUEST_HYPERV_WALK, /* Hyper-V's page at arg[0], arg[1] times: below */
};

/*
 * One for each vCPU, a page of guest memory; its stack is the page's upper end.
 * GUEST_COMPARE reads the page and the past ones at one TSC: out[2] is what
 * the page reads beyond the last of past, out[3] the one of largest magnitude
 * beyond any of past (both signed ns, 0 without past).
 *
 * GUEST_HAMMER compares each reading that has the stable bit with the highest
 * that any vCPU had before it, which is kept at gpa arg[2]: out[0] such
 * readings, out[1] of them less than that, out[2] by how many ns at worst,
 * out[3] with another slope than the box's page has.  If arg[3] is not 0, one
 * without the bit is kept too where it is higher: a guest that guards itself
 * has told it.
 *
 * GUEST_HYPERV reads both pages at one TSC: out[2] = Hyper-V's in 100 ns, and
 * out[3] = its sequence; with sequence 0 there is nothing to read.
 * GUEST_HYPERV_WALK reads Hyper-V's page, its counter's MSR and its page again:
 * out[0] is how often one read less than the one before, out[1] by how much at
 * worst, out[2], out[3] what counter and page had at worst beyond the one before.
 */
struct guest_box {
	uint32_t op;
	uint32_t past_count;
	uint64_t arg[4];
	uint64_t out[4];
	struct pvclock_vcpu_time_info page;
	struct pvclock_vcpu_time_info past[GUEST_PAST];
};

/* Hyper-V's reference TSC page: tsc * scale / 2^64 + offset, in 100 ns. */
struct guest_hyperv_page {
	uint32_t sequence, reserved;	/* 0: not to be used */
	uint64_t scale, offset;
};

#define GUEST_HYPERV_COUNTER 0x40000020	/* the MSR that counts the same */

void guest_main(struct guest_box *box);

/* The bounds of the guest's code. */
extern const char __start_guest_code[], __stop_guest_code[];

#endif
