/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * All that a stopped VM is, but its memory and its clock: structures of a fixed
 * size without pointers, as they are stored and sent.
 */
#ifndef VMM_STATE_H
#define VMM_STATE_H

#include "vm.h"

#define STATE_MAX_MSRS	512
#define STATE_MAX_CLOCK	4096

struct vcpu_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp_state;
	uint32_t msrs, cpuids;
	struct kvm_msr_entry msr[STATE_MAX_MSRS];
	struct kvm_cpuid_entry2 cpuid[VM_MAX_CPUID];
};

struct vm_state {
	uint64_t mem_size;
	uint32_t count;			/* of vCPUs */
	uint32_t clock_size;
	uint8_t clock[STATE_MAX_CLOCK];	/* the library's own format */
	struct kvm_irqchip irqchip[3];
	struct kvm_pit_state2 pit;
	struct serial_state serial;
	struct vcpu_state vcpu[VM_MAX_VCPUS];	/* count of them are stored */
};

/* vCPUs are parked. */
int state_save(struct vm *vm, struct vm_state *state);
/* A VM with vCPUs that have not run, the clock's part included.  See clock.h. */
int state_restore(struct vm *vm, const struct vm_state *state);

#endif
