// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Records how the running KVM turns a guest's TSC frequency into a page's mul
 * and shift.  For each frequency: a VM, one vCPU at that KVM_SET_TSC_KHZ, the
 * new system-time MSR written by the host, one run of a guest that halts, and
 * what then stands in the page.  One line each, tab-separated:
 *   asked kHz, kHz that KVM says, host kHz, mul, shift
 * Frequencies in kHz are the arguments; none: a list around the host's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MSR_SYSTEM_TIME_NEW 0x4b564d01
#define PAGE_AT 0x1000
#define CODE_AT 0x2000
#define MEMORY 0x10000

struct recorded {
	uint32_t mul;
	int8_t shift;
	int khz;
};

static int failed(const char *what)
{
	fprintf(stderr, "record-vectors: %s: %s\n", what, strerror(errno));
	return -1;
}

static int set_real_mode(int vcpu)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = CODE_AT, .rflags = 2 };

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return failed("KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs))
		return failed("KVM_SET_SREGS");
	return ioctl(vcpu, KVM_SET_REGS, &regs) ? failed("KVM_SET_REGS") : 0;
}

static int place_page(int vcpu)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head.nmsrs = 1 };

	msrs.entry.index = MSR_SYSTEM_TIME_NEW;
	msrs.entry.data = PAGE_AT | 1;
	return ioctl(vcpu, KVM_SET_MSRS, &msrs) == 1 ? 0 : failed("KVM_SET_MSRS");
}

static int record_vcpu(int kvm, int vcpu, uint8_t *memory, int khz,
		       struct recorded *recorded)
{
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_SHARED, vcpu, 0);

	if (run == MAP_FAILED)
		return failed("mmap");
	if (ioctl(vcpu, KVM_SET_TSC_KHZ, khz))
		return failed("KVM_SET_TSC_KHZ");
	recorded->khz = ioctl(vcpu, KVM_GET_TSC_KHZ, 0);
	memory[CODE_AT] = 0xf4;		/* hlt */
	if (set_real_mode(vcpu) || place_page(vcpu))
		return -1;
	if (ioctl(vcpu, KVM_RUN, 0) || run->exit_reason != KVM_EXIT_HLT)
		return failed("KVM_RUN");
	memcpy(&recorded->mul, memory + PAGE_AT + 24, 4);
	recorded->shift = memory[PAGE_AT + 28];
	munmap(run, size);
	return 0;
}

static int record(int kvm, int khz, struct recorded *recorded)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0), vcpu, result;
	uint8_t *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.memory_size = MEMORY, .userspace_addr = (uintptr_t)memory,
	};

	if (vm < 0 || memory == MAP_FAILED)
		return failed("KVM_CREATE_VM");
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region))
		return failed("KVM_SET_USER_MEMORY_REGION");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		return failed("KVM_CREATE_VCPU");
	result = record_vcpu(kvm, vcpu, memory, khz, recorded);
	close(vcpu);
	close(vm);
	munmap(memory, MEMORY);
	return result;
}

/* What a vCPU has that nobody gave a frequency: the host's. */
static int host_khz(int kvm)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);
	int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	int khz = ioctl(vcpu, KVM_GET_TSC_KHZ, 0);

	close(vcpu);
	close(vm);
	return khz;
}

static int record_line(int kvm, int host, int khz)
{
	struct recorded recorded;

	if (record(kvm, khz, &recorded))
		return -1;
	printf("%d\t%d\t%d\t%u\t%d\n", khz, recorded.khz, host, recorded.mul,
	       recorded.shift);
	return 0;
}

int main(int argc, char **argv)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), host, i, nr_failed = 0;

	if (kvm < 0) {
		failed("/dev/kvm");
		return 77;
	}
	host = host_khz(kvm);
	if (host <= 0) {
		failed("KVM_GET_TSC_KHZ");
		return 1;
	}
	for (i = 1; i < argc; i++)
		nr_failed += record_line(kvm, host, atoi(argv[i])) != 0;
	for (i = 0; argc < 2 && i < 40; i++)	/* a tenth to four times */
		nr_failed += record_line(kvm, host, (int64_t)host *
					 (1 + i) / 10 + i * 7919) != 0;
	if (argc < 2)
		nr_failed += record_line(kvm, host, host) != 0;
	return nr_failed != 0;
}
