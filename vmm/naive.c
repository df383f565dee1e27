// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "naive.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define MSR_TSC		 0x10
#define MSR_TSC_DEADLINE 0x6e0

struct naive {
	struct kvm_clock_data clock;
	struct { uint64_t tsc, deadline; } vcpu[VM_MAX_VCPUS];
};

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

static struct naive naive;

bool naive_owns_msr(uint32_t msr)
{
	return msr == MSR_TSC || msr == MSR_TSC_DEADLINE;
}

static int msr(struct vm *vm, int id, unsigned long request, uint32_t index, uint64_t *data)
{
	struct one_msr one = { .head.nmsrs = 1, .entry = { .index = index, .data = *data } };

	errno = 0;
	if (ioctl(vm->vcpu[id].fd, request, &one) != 1)
		return complain("vCPU %d: MSR %#x", id, index);
	*data = one.entry.data;
	return 0;
}

int naive_save(struct vm *vm, uint8_t *state, uint32_t *size)
{
	int i;

	memset(&naive, 0, sizeof(naive));
	if (ioctl(vm->fd, KVM_GET_CLOCK, &naive.clock))
		return complain("KVM_GET_CLOCK");
	for (i = 0; i < vm->count; i++) {
		if (msr(vm, i, KVM_GET_MSRS, MSR_TSC, &naive.vcpu[i].tsc) ||
		    msr(vm, i, KVM_GET_MSRS, MSR_TSC_DEADLINE, &naive.vcpu[i].deadline))
			return -1;
	}
	memcpy(state, &naive, sizeof(naive));
	*size = sizeof(naive);
	return 0;
}

int naive_restore_vm(const uint8_t *state, uint32_t size)
{
	errno = 0;
	if (size != sizeof(naive))
		return complain("the saved clock is of another policy");
	memcpy(&naive, state, sizeof(naive));
	return 0;
}

int naive_restore_vcpu(struct vm *vm, int id)
{
	return msr(vm, id, KVM_SET_MSRS, MSR_TSC, &naive.vcpu[id].tsc) ||
	       msr(vm, id, KVM_SET_MSRS, MSR_TSC_DEADLINE, &naive.vcpu[id].deadline) ? -1 : 0;
}

int naive_finish(struct vm *vm)
{
	struct kvm_clock_data clock = { .clock = naive.clock.clock };
	int i;

	if (ioctl(vm->fd, KVM_SET_CLOCK, &clock))
		return complain("KVM_SET_CLOCK");
	for (i = 0; i < vm->count; i++)
		ioctl(vm->vcpu[i].fd, KVM_KVMCLOCK_CTRL, 0);
	return 0;
}
