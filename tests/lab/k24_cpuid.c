// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K24: Xen's timing leaf of CPUID is the monitor's: as set, it is what the guest sees. */
#include <stdio.h>
#include <string.h>

#include "tap.h"
#include "vm.h"

#define XEN_BASE 0x40000100u	/* beside KVM's own leaves */
#define TIMING (XEN_BASE + 3)
#define SUBLEAVES 3

/* No value that a host would put there. */
static struct kvm_cpuid_entry2 timing(uint32_t subleaf)
{
	return (struct kvm_cpuid_entry2) {
		.function = TIMING, .index = subleaf,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.eax = 0x1a2b3c00 + subleaf, .ebx = 0x2b3c4d00 + subleaf,
		.ecx = 0x3c4d5e00 + subleaf, .edx = 0x4d5e6f00 + subleaf,
	};
}

static void set_leaves(struct vcpu *vcpu)
{
	struct vm_cpuid cpuid = vm_cpuid();
	struct kvm_cpuid_entry2 base = { .function = XEN_BASE, .eax = XEN_BASE + 4 };
	uint32_t i;

	memcpy(&base.ebx, "XenVMMXenVMM", 12);
	vm_cpuid_add(&cpuid, base);
	for (i = 0; i < SUBLEAVES; i++)
		vm_cpuid_add(&cpuid, timing(i));
	vcpu_set_cpuid(vcpu, &cpuid);
}

static int words_other(struct kvm_cpuid_entry2 a, struct kvm_cpuid_entry2 b)
{
	return (a.eax != b.eax) + (a.ebx != b.ebx) + (a.ecx != b.ecx) + (a.edx != b.edx);
}

static struct kvm_cpuid_entry2 guests(struct vcpu *vcpu, uint32_t subleaf)
{
	const uint64_t *out = vcpu->box->out;

	vcpu_run(vcpu, GUEST_CPUID, TIMING, subleaf);
	return (struct kvm_cpuid_entry2) {
		.eax = (uint32_t)out[0], .ebx = (uint32_t)out[1],
		.ecx = (uint32_t)out[2], .edx = (uint32_t)out[3],
	};
}

static struct kvm_cpuid_entry2 monitors(struct vcpu *vcpu, uint32_t subleaf)
{
	struct vm_cpuid cpuid = { .head.nent = VM_CPUID_ENTRIES };
	uint32_t i;

	if (vcpu_ioctl(vcpu, KVM_GET_CPUID2, &cpuid))
		tap_bail("KVM_GET_CPUID2");
	for (i = 0; i < cpuid.head.nent; i++)
		if (cpuid.entry[i].function == TIMING && cpuid.entry[i].index == subleaf)
			return cpuid.entry[i];
	return (struct kvm_cpuid_entry2) { 0 };
}

int main(void)
{
	int rewritten = 0;
	static struct vm vm;
	struct vcpu *vcpu;
	uint32_t i;

	vm_open(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	set_leaves(vcpu);
	vcpu_set_page(vcpu, MSR_CLOCK_NEW);
	vcpu_fresh_page(vcpu);
	for (i = 0; i < SUBLEAVES; i++) {
		int guest = words_other(guests(vcpu, i), timing(i));
		int monitor = words_other(monitors(vcpu, i), timing(i));

		tap_ok(!guest, "K24: subleaf %u as set is what the guest sees", i);
		tap_ok(!monitor, "K24: subleaf %u as set is what KVM_GET_CPUID2 gives", i);
		rewritten += guest + monitor;
	}
	tap_figure("K24", "words_rewritten", rewritten, "words");
	vm_close(&vm);
	return tap_end();
}
