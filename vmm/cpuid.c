// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the host's KVM supports, its own leaves among them, so that the guest
 * takes its clock from kvm-clock; and of it, what differs between vCPUs.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vm.h"

#define BIT(n) (1u << (n))
#define ID_SHIFT 2	/* bits of an APIC ID that number the cores */

_Static_assert(VM_MAX_VCPUS <= 1 << ID_SHIFT, "ids fit");

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t sub)
{
	uint32_t i;

	for (i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == leaf && cpuid->entries[i].index == sub)
			return &cpuid->entries[i];
	}
	return NULL;
}

static struct kvm_cpuid_entry2 *find_or_add(struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t sub)
{
	struct kvm_cpuid_entry2 *entry = find(cpuid, leaf, sub);

	if (entry || cpuid->nent == VM_MAX_CPUID)
		return entry;
	entry = &cpuid->entries[cpuid->nent++];
	*entry = (struct kvm_cpuid_entry2){
		.function = leaf, .index = sub, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
	};
	return entry;
}

/* One thread a core, all cores in one package. */
static void set_topology(struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t id, uint32_t count)
{
	struct kvm_cpuid_entry2 *threads = find(cpuid, leaf, 0), *cores;

	if (!threads)
		return;
	threads->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	cores = find_or_add(cpuid, leaf, 1);
	threads = find(cpuid, leaf, 0);
	if (!cores)
		return;
	threads->eax = 0;
	threads->ebx = 1;
	threads->ecx = 1 << 8;
	cores->eax = ID_SHIFT;
	cores->ebx = count;
	cores->ecx = 1 | 2 << 8;
	threads->edx = cores->edx = id;
}

static void set_features(struct vm *vm, struct kvm_cpuid_entry2 *entry, uint32_t id, uint32_t count)
{
	entry->ebx = (entry->ebx & 0xffff) | id << 24 | (count > 1 ? 1u << ID_SHIFT : 1u) << 16;
	entry->ecx |= BIT(21) | BIT(31);	/* x2APIC, hypervisor */
	entry->ecx &= ~BIT(5);			/* VMX: its state is not saved */
	if (ioctl(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0)
		entry->ecx |= BIT(24);
	entry->edx &= ~BIT(28);
	if (count > 1)
		entry->edx |= BIT(28);		/* HTT: more than one */
}

static void set_leaf(struct vm *vm, struct kvm_cpuid_entry2 *entry, uint32_t id, uint32_t count)
{
	switch (entry->function) {
	case 1:
		set_features(vm, entry, id, count);
		break;
	case 4:
		entry->eax &= 0x3fff;
		if (entry->eax)
			entry->eax |= (count > 1 ? (1u << ID_SHIFT) - 1 : 0) << 26;
		break;
	case 0xa:			/* no performance counters, which are not saved */
		entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
		break;
	case 0x80000001:
		entry->ecx &= ~(BIT(2) | BIT(22));	/* SVM; topology leaves */
		break;
	case 0x80000008:
		entry->ecx = (count - 1) | ID_SHIFT << 12;
		break;
	case 0x8000001e:
		entry->eax = entry->ebx = id;
		entry->ecx = 0;
		break;
	}
}

int vm_cpuid(struct vm *vm, int id, int count, struct kvm_cpuid2 *cpuid)
{
	uint32_t i;

	memset(cpuid, 0, sizeof(*cpuid));
	cpuid->nent = VM_MAX_CPUID;
	if (ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid))
		return complain("KVM_GET_SUPPORTED_CPUID");
	errno = 0;
	for (i = 0; i < cpuid->nent; i++)
		set_leaf(vm, &cpuid->entries[i], (uint32_t)id, (uint32_t)count);
	set_topology(cpuid, 0xb, (uint32_t)id, (uint32_t)count);
	set_topology(cpuid, 0x1f, (uint32_t)id, (uint32_t)count);
	return 0;
}
