// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "steal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vm.h"

#define MSR_KVM_STEAL_TIME	0x4b564d03
#define ENABLED			1
#define ADDRESS			(~63ULL)
#define RECORD_SIZE		64

static int steal_msr(const struct vcpu *vcpu, unsigned long request, uint64_t *value)
{
	struct { struct kvm_msrs head; struct kvm_msr_entry entry; } msr = {
		.head.nmsrs = 1, .entry = { .index = MSR_KVM_STEAL_TIME, .data = *value }
	};

	if (ioctl(vcpu->fd, request, &msr) != 1)
		return complain("vCPU %d: MSR_KVM_STEAL_TIME", vcpu->id);
	*value = msr.entry.data;
	return 0;
}

/* The record: the time, 8 bytes, and its version, 4. */
static uint8_t *record(struct vm *vm, long id)
{
	uint64_t msr = 0;

	errno = 0;
	if (id < 0 || id >= vm->count) {
		complain("vCPU %ld: none such", id);
		return NULL;
	}
	if (steal_msr(&vm->vcpu[id], KVM_GET_MSRS, &msr))
		return NULL;
	if (!(msr & ENABLED) || (msr & ADDRESS) > vm->mem_size - RECORD_SIZE) {
		complain("vCPU %ld: the guest has no steal record", id);
		return NULL;
	}
	return vm->mem + (msr & ADDRESS);
}

int steal_plant(struct vm *vm, long id, uint64_t add_ns)
{
	uint8_t *steal = record(vm, id);
	uint64_t was_ns, is_ns;

	if (!steal)
		return -1;
	memcpy(&was_ns, steal, sizeof(was_ns));
	is_ns = was_ns + add_ns;
	memcpy(steal, &is_ns, sizeof(is_ns));
	fprintf(stderr, "steal: vcpu %ld at %#tx was %lld is %lld\n", id, steal - vm->mem,
		(long long)was_ns, (long long)is_ns);
	return 0;
}

int steal_tear(struct vm *vm, long id)
{
	uint8_t *steal = record(vm, id);
	uint32_t version = 1;
	uint64_t none = 0;

	if (!steal || steal_msr(&vm->vcpu[id], KVM_SET_MSRS, &none))
		return -1;
	memcpy(steal + sizeof(uint64_t), &version, sizeof(version));
	return 0;
}
