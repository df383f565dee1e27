// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "clock.h"

#define MSR_KVM_WALL_CLOCK	0x11
#define MSR_KVM_CLOCK		0x12
#define MSR_KVM_WALL_CLOCK_NEW	0x4b564d00

struct msr_list {
	struct kvm_msr_list head;
	uint32_t index[STATE_MAX_MSRS];
};

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

struct cpuid {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entry[VM_MAX_CPUID];
};

/* A part of a vCPU that one ioctl gets and one sets. */
struct part {
	const char *name;
	unsigned long get, set;
	size_t offset;
};

#define PART(name, member) \
	{ #name, KVM_GET_##name, KVM_SET_##name, offsetof(struct vcpu_state, member) }

/* In the order in which they are set: the interrupt controller's address is in sregs. */
static const struct part parts[] = {
	PART(SREGS, sregs), PART(XCRS, xcrs), PART(XSAVE, xsave),
	PART(DEBUGREGS, debugregs), PART(LAPIC, lapic),
};

/* After the MSRs, and after KVM has settled: until then it shall take no interrupt. */
static const struct part last_parts[] = {
	PART(REGS, regs), PART(VCPU_EVENTS, events), PART(MP_STATE, mp_state),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int do_parts(struct vcpu *vcpu, const struct part *part, size_t count, bool set,
		    struct vcpu_state *state)
{
	for (; count--; part++) {
		/* A host without XSAVE has none to set. */
		if (set && part->set == KVM_SET_XCRS && !state->xcrs.nr_xcrs)
			continue;
		if (ioctl(vcpu->fd, set ? part->set : part->get, (char *)state + part->offset))
			return complain("vCPU %d: KVM_%s_%s", vcpu->id, set ? "SET" : "GET", part->name);
	}
	return 0;
}

/* The clock's own are the library's; setting a wall clock's writes to the guest's memory. */
static bool is_mine(uint32_t msr)
{
	return !clock_owns_msr(msr) && msr != MSR_KVM_WALL_CLOCK && msr != MSR_KVM_WALL_CLOCK_NEW;
}

static int save_msrs(struct vcpu *vcpu, const struct msr_list *list, struct vcpu_state *state)
{
	uint32_t i;

	for (i = 0; i < list->head.nmsrs; i++) {
		struct one_msr msr = { .head.nmsrs = 1, .entry.index = list->index[i] };

		/* Some are listed that this guest's CPUID does not have. */
		if (is_mine(list->index[i]) && ioctl(vcpu->fd, KVM_GET_MSRS, &msr) == 1)
			state->msr[state->msrs++] = msr.entry;
	}
	return 0;
}

static int set_msr(struct vcpu *vcpu, const struct kvm_msr_entry *wanted)
{
	struct one_msr msr = { .head.nmsrs = 1, .entry = *wanted };
	struct one_msr now = { .head.nmsrs = 1, .entry.index = wanted->index };

	/* Some cannot be set, but have the value already. */
	if (ioctl(vcpu->fd, KVM_GET_MSRS, &now) == 1 && now.entry.data == wanted->data)
		return 0;
	errno = 0;
	if (ioctl(vcpu->fd, KVM_SET_MSRS, &msr) == 1)
		return 0;
	return complain("vCPU %d: KVM_SET_MSRS %#x to %#llx: this host cannot run this guest", vcpu->id,
			wanted->index, wanted->data);
}

/* KVM's own to its guests, most of which are the address of a page that KVM writes. */
static bool is_paravirtual(uint32_t msr)
{
	return msr >> 8 == 0x4b564d || msr == MSR_KVM_WALL_CLOCK || msr == MSR_KVM_CLOCK;
}

static int set_msrs(struct vcpu *vcpu, const struct vcpu_state *state, bool paravirtual)
{
	uint32_t i;

	for (i = 0; i < state->msrs; i++) {
		uint32_t index = state->msr[i].index;

		if (is_mine(index) && is_paravirtual(index) == paravirtual &&
		    set_msr(vcpu, &state->msr[i]))
			return -1;
	}
	return 0;
}

static int save_vcpu(struct vcpu *vcpu, const struct msr_list *list, struct vcpu_state *state)
{
	struct cpuid cpuid = { .head.nent = VM_MAX_CPUID };

	if (ioctl(vcpu->fd, KVM_GET_CPUID2, &cpuid))
		return complain("vCPU %d: KVM_GET_CPUID2", vcpu->id);
	state->cpuids = cpuid.head.nent;
	memcpy(state->cpuid, cpuid.entry, sizeof(state->cpuid));
	/* First, for it brings pending events into a state that the others can tell. */
	if (do_parts(vcpu, &last_parts[COUNT(last_parts) - 1], 1, false, state) ||
	    do_parts(vcpu, last_parts, COUNT(last_parts), false, state))
		return -1;
	if (do_parts(vcpu, parts, COUNT(parts), false, state))
		return -1;
	return save_msrs(vcpu, list, state);
}

int state_save(struct vm *vm, struct vm_state *state)
{
	struct msr_list list = { .head.nmsrs = STATE_MAX_MSRS };
	uint32_t i;

	memset(state, 0, sizeof(*state));
	state->mem_size = vm->mem_size;
	state->count = (uint32_t)vm->count;
	/* First: what time passes until the rest is saved is nobody's. */
	if (clock_save(vm, state->clock, &state->clock_size))
		return -1;
	if (ioctl(vm->kvm, KVM_GET_MSR_INDEX_LIST, &list))
		return complain("KVM_GET_MSR_INDEX_LIST");
	for (i = 0; i < state->count; i++) {
		if (save_vcpu(&vm->vcpu[i], &list, &state->vcpu[i]))
			return -1;
	}
	for (i = 0; i < 3; i++) {
		state->irqchip[i].chip_id = i;
		if (ioctl(vm->fd, KVM_GET_IRQCHIP, &state->irqchip[i]))
			return complain("KVM_GET_IRQCHIP %u", i);
	}
	if (ioctl(vm->fd, KVM_GET_PIT2, &state->pit))
		return complain("KVM_GET_PIT2");
	state->serial = vm->serial.state;
	return 0;
}

static int restore_vcpu(struct vm *vm, uint32_t id, const struct vcpu_state *stored)
{
	struct vcpu_state *state = (struct vcpu_state *)stored;	/* it is only read */
	struct vcpu *vcpu = &vm->vcpu[id];

	if (do_parts(vcpu, parts, COUNT(parts), true, state) || set_msrs(vcpu, state, false))
		return -1;
	/* TSC and deadline: the controller and its timer's mode are there now. */
	return clock_restore_vcpu(vm, (int)id);
}

/*
 * Stock KVM draws its clock anew at a vCPU's first entry after its TSC was set.
 * That is done before the clock is set, or it would be moved by it.  No page of
 * the guest's is known to KVM until all are settled: should this fail, the source
 * goes on with them.
 */
static int settle_vcpu(struct vm *vm, uint32_t id)
{
	struct kvm_mp_state running = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct vcpu *vcpu = &vm->vcpu[id];

	if (ioctl(vcpu->fd, KVM_SET_MP_STATE, &running))
		return complain("vCPU %d: KVM_SET_MP_STATE", vcpu->id);
	return vcpu_settle(vcpu);
}

static int restore_rest(struct vm *vm, uint32_t id, const struct vcpu_state *stored)
{
	struct vcpu_state *state = (struct vcpu_state *)stored;	/* it is only read */

	if (set_msrs(&vm->vcpu[id], state, true))
		return -1;
	return do_parts(&vm->vcpu[id], last_parts, COUNT(last_parts), true, state);
}

static int add_vcpus(struct vm *vm, const struct vm_state *state)
{
	struct cpuid cpuid;
	uint32_t i;

	for (i = 0; i < state->count; i++) {
		memset(&cpuid, 0, sizeof(cpuid));
		cpuid.head.nent = state->vcpu[i].cpuids;
		memcpy(cpuid.entry, state->vcpu[i].cpuid, sizeof(cpuid.entry));
		if (vm_add_vcpu(vm, &cpuid.head))
			return -1;
	}
	return 0;
}

int state_restore(struct vm *vm, const struct vm_state *state)
{
	struct kvm_irqchip irqchip;
	struct kvm_pit_state2 pit = state->pit;
	uint32_t i;

	if (clock_restore_vm(vm, state->clock, state->clock_size) || add_vcpus(vm, state))
		return -1;
	for (i = 0; i < 3; i++) {
		irqchip = state->irqchip[i];
		if (ioctl(vm->fd, KVM_SET_IRQCHIP, &irqchip))
			return complain("KVM_SET_IRQCHIP %u", i);
	}
	if (ioctl(vm->fd, KVM_SET_PIT2, &pit))
		return complain("KVM_SET_PIT2");
	vm->serial.state = state->serial;
	for (i = 0; i < state->count; i++) {
		if (restore_vcpu(vm, i, &state->vcpu[i]))
			return -1;
	}
	for (i = 0; i < state->count; i++) {
		if (settle_vcpu(vm, i))
			return -1;
	}
	for (i = 0; i < state->count; i++) {
		if (restore_rest(vm, i, &state->vcpu[i]))
			return -1;
	}
	serial_update_irq(&vm->serial);
	return clock_finish(vm);
}
