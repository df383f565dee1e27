// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

/* Below 4 GB, where no memory is: Intel's KVM wants four pages. */
#define TSS_ADDRESS	0xfffbd000ul
#define IDENTITY_MAP	0xfffbc000ull

int complain(const char *text, ...)
{
	int error = errno;
	va_list list;

	fputs("kvmclock-vmm: ", stderr);
	va_start(list, text);
	vfprintf(stderr, text, list);
	va_end(list);
	fprintf(stderr, error ? ": %s\n" : "\n", strerror(error));
	return -1;
}

int vm_open_memory(struct vm *vm, uint64_t size, int mem_fd)
{
	errno = 0;
	if (size < (uint64_t)VM_MIN_MB << 20 || size > (uint64_t)VM_MAX_MB << 20 || size & 0xfff)
		return complain("guest memory of %llu bytes: %d to %d MB can be had",
				(unsigned long long)size, VM_MIN_MB, VM_MAX_MB);
	vm->mem_fd = mem_fd < 0 ? memfd_create("guest", 0) : mem_fd;
	if (vm->mem_fd < 0)
		return complain("memfd_create");
	if (mem_fd < 0 && ftruncate(vm->mem_fd, (off_t)size))
		return complain("guest memory of %llu bytes", (unsigned long long)size);
	if (lseek(vm->mem_fd, 0, SEEK_END) != (off_t)size)
		return complain("guest memory: is not %llu bytes", (unsigned long long)size);
	vm->mem_size = size;
	vm->mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->mem_fd, 0);
	if (vm->mem == MAP_FAILED)
		return complain("mmap of the guest's memory");
	return 0;
}

static int add_memory(struct vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = vm->mem_size,
		.userspace_addr = (uintptr_t)vm->mem,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		return complain("KVM_SET_USER_MEMORY_REGION");
	return 0;
}

int vm_open(struct vm *vm)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	uint64_t identity_map = IDENTITY_MAP;

	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->changed, NULL);
	vm->pausing = true;
	vm->ended_fd = eventfd(0, EFD_CLOEXEC);
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		return complain("/dev/kvm");
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		return complain("KVM_CREATE_VM");
	vm->serial.vm_fd = vm->fd;
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDRESS))
		return complain("KVM_SET_TSS_ADDR");
	if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map))
		return complain("KVM_SET_IDENTITY_MAP_ADDR");
	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0))
		return complain("KVM_CREATE_IRQCHIP");
	if (ioctl(vm->fd, KVM_CREATE_PIT2, &pit))
		return complain("KVM_CREATE_PIT2");
	return add_memory(vm) || clock_open(vm) ? -1 : 0;
}

int vm_add_vcpu(struct vm *vm, const struct kvm_cpuid2 *cpuid)
{
	struct vcpu *vcpu = &vm->vcpu[vm->count];
	int size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vcpu->vm = vm;
	vcpu->id = vm->count;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, vcpu->id);
	if (vcpu->fd < 0)
		return complain("vCPU %d: KVM_CREATE_VCPU", vcpu->id);
	vcpu->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (size < (int)sizeof(*vcpu->run) || vcpu->run == MAP_FAILED)
		return complain("vCPU %d: mmap", vcpu->id);
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid))
		return complain("vCPU %d: KVM_SET_CPUID2", vcpu->id);
	vm->count++;
	return 0;
}
