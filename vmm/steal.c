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

/* The record's first eight bytes: the time.  NULL: the guest has given none. */
static uint8_t *record(struct vm *vm, const struct vcpu *vcpu)
{
	struct { struct kvm_msrs head; struct kvm_msr_entry entry; } msr = {
		.head.nmsrs = 1, .entry.index = MSR_KVM_STEAL_TIME
	};

	if (ioctl(vcpu->fd, KVM_GET_MSRS, &msr) != 1)
		return NULL;
	if (!(msr.entry.data & ENABLED) ||
	    (msr.entry.data & ADDRESS) > vm->mem_size - RECORD_SIZE)
		return NULL;
	return vm->mem + (msr.entry.data & ADDRESS);
}

int steal_plant(struct vm *vm, long id, uint64_t add_ns)
{
	uint64_t was_ns, is_ns;
	uint8_t *steal;

	errno = 0;
	if (id < 0 || id >= vm->count)
		return complain("vCPU %ld: none such", id);
	steal = record(vm, &vm->vcpu[id]);
	if (!steal)
		return complain("vCPU %ld: the guest has no steal record", id);
	memcpy(&was_ns, steal, sizeof(was_ns));
	is_ns = was_ns + add_ns;
	memcpy(steal, &is_ns, sizeof(is_ns));
	fprintf(stderr, "steal: vcpu %ld was %lld is %lld\n", id, (long long)was_ns,
		(long long)is_ns);
	return 0;
}
