// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "vm.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe.h"

#define GPA_PML4	0x1000
#define GPA_PDPT	0x2000
#define GPA_PD		0x3000
#define GPA_CODE	0x10000
#define GPA_BOXES	0x20000
#define BOX_SIZE	0x1000

_Static_assert(GPA_BOXES + VM_MAX_VCPUS * BOX_SIZE <= VM_MEM_SIZE, "boxes fit");
_Static_assert(sizeof(struct guest_box) <= BOX_SIZE - 512, "room for a stack");

static void *map(size_t size, int fd)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (mem == MAP_FAILED)
		probe_fail("mmap");
	return mem;
}

static void add_slot(struct vm *vm, unsigned int slot, uint64_t gpa, void *mem, size_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = slot == VM_CLOCK_SLOT ? KVM_MEM_LOG_DIRTY_PAGES : 0,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)mem,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		probe_fail("KVM_SET_USER_MEMORY_REGION");
}

/* The first 2 MB of the address space, mapped to themselves. */
static void fill_memory(struct vm *vm)
{
	*(uint64_t *)(vm->mem + GPA_PML4) = GPA_PDPT | 3;
	*(uint64_t *)(vm->mem + GPA_PDPT) = GPA_PD | 3;
	*(uint64_t *)(vm->mem + GPA_PD) = 0x83;
	memcpy(vm->mem + GPA_CODE, __start_guest_code,
	       (size_t)(__stop_guest_code - __start_guest_code));
}

void vm_open(struct vm *vm, uint32_t khz)
{
	memset(vm, 0, sizeof(*vm));
	vm->fd = ioctl(host()->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		probe_fail("KVM_CREATE_VM");
	ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul);
	vm->mem = map(VM_MEM_SIZE, -1);
	vm->clock_mem = map(VM_CLOCK_SIZE, -1);
	fill_memory(vm);
	add_slot(vm, 0, 0, vm->mem, VM_MEM_SIZE);
	add_slot(vm, VM_CLOCK_SLOT, VM_CLOCK_GPA, vm->clock_mem, VM_CLOCK_SIZE);
	vm->khz = khz ? khz : host()->khz;
	if (khz && ioctl(vm->fd, KVM_SET_TSC_KHZ, khz))
		probe_fail("KVM_SET_TSC_KHZ %u of the VM", khz);
}

struct vm_cpuid vm_cpuid(void)
{
	struct vm_cpuid cpuid = { .head.nent = VM_CPUID_ENTRIES };

	if (ioctl(host()->kvm, KVM_GET_SUPPORTED_CPUID, &cpuid))
		probe_fail("KVM_GET_SUPPORTED_CPUID");
	return cpuid;
}

void vm_cpuid_add(struct vm_cpuid *cpuid, struct kvm_cpuid_entry2 entry)
{
	if (cpuid->head.nent >= VM_CPUID_ENTRIES)
		probe_fail("too many leaves of CPUID");
	cpuid->entry[cpuid->head.nent++] = entry;
}

void vcpu_set_cpuid(struct vcpu *vcpu, const struct vm_cpuid *cpuid)
{
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid))
		probe_fail("KVM_SET_CPUID2");
}

static void set_long_mode(int fd)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .s = 1,
		.l = 1, .g = 1,
	};
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .s = 1,
		.db = 1, .g = 1,
	};
	struct kvm_sregs sregs;

	if (ioctl(fd, KVM_GET_SREGS, &sregs))
		probe_fail("KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr3 = GPA_PML4;
	sregs.cr4 = 0x20;		/* PAE */
	sregs.cr0 = 0x80000033;		/* PG, NE, ET, MP, PE */
	sregs.efer = 0x500;		/* LMA, LME */
	if (ioctl(fd, KVM_SET_SREGS, &sregs))
		probe_fail("KVM_SET_SREGS");
}

static void set_start(const struct vcpu *vcpu)
{
	uint64_t box = GPA_BOXES + (uint64_t)vcpu->id * BOX_SIZE;
	struct kvm_regs regs = {
		.rip = GPA_CODE + ((uintptr_t)guest_main - (uintptr_t)__start_guest_code),
		.rsp = box + BOX_SIZE - 8,
		.rdi = box,
		.rflags = 2,
	};

	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		probe_fail("KVM_SET_REGS");
}

struct vcpu *vm_add_vcpu(struct vm *vm)
{
	struct vcpu *vcpu = &vm->vcpu[vm->count];
	static struct vm_cpuid cpuid;

	if (!cpuid.head.nent)
		cpuid = vm_cpuid();
	vcpu->vm = vm;
	vcpu->id = vm->count;
	vcpu->khz = vm->khz;
	vcpu->box = (void *)(vm->mem + GPA_BOXES + vcpu->id * BOX_SIZE);
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, vcpu->id);
	if (vcpu->fd < 0)
		probe_fail("KVM_CREATE_VCPU %d", vcpu->id);
	vcpu->run = map(0x1000, vcpu->fd);
	vcpu_set_cpuid(vcpu, &cpuid);
	set_long_mode(vcpu->fd);
	set_start(vcpu);
	vm->count++;
	return vcpu;
}

/* KVM keeps it while there is the VM. */
void vm_add_idle_vcpu(struct vm *vm, int id)
{
	int fd = ioctl(vm->fd, KVM_CREATE_VCPU, id);

	if (fd < 0)
		probe_fail("KVM_CREATE_VCPU %d", id);
	close(fd);
}

void vm_open_running(struct vm *vm, uint32_t khz, int count)
{
	vm_open(vm, khz);
	while (vm->count < count)
		vm_add_vcpu(vm);
	for (count = 0; count < vm->count; count++)
		vcpu_set_page(&vm->vcpu[count], MSR_CLOCK_NEW);
	for (count = 0; count < vm->count; count++)
		vcpu_fresh_page(&vm->vcpu[count]);
}

void vm_close(struct vm *vm)
{
	while (vm->count) {
		vm->count--;
		munmap(vm->vcpu[vm->count].run, 0x1000);
		close(vm->vcpu[vm->count].fd);
	}
	close(vm->fd);
	munmap(vm->mem, VM_MEM_SIZE);
	munmap(vm->clock_mem, VM_CLOCK_SIZE);
}

void vcpu_run(struct vcpu *vcpu, enum guest_op op, uint64_t arg0, uint64_t arg1)
{
	vcpu->box->op = op;
	vcpu->box->arg[0] = arg0;
	vcpu->box->arg[1] = arg1;
	while (ioctl(vcpu->fd, KVM_RUN, 0)) {
		if (errno != EINTR && errno != EAGAIN)
			probe_fail("KVM_RUN of vCPU %d, operation %d", vcpu->id, op);
	}
	errno = 0;
	if (vcpu->run->exit_reason != KVM_EXIT_IO || vcpu->run->io.port != GUEST_PORT)
		probe_fail("vCPU %d left operation %d with exit %u, hardware %#llx", vcpu->id, op,
			 vcpu->run->exit_reason,
			 (unsigned long long)vcpu->run->fail_entry.hardware_entry_failure_reason);
}

uint64_t vcpu_guest_tsc(struct vcpu *vcpu)
{
	vcpu_run(vcpu, GUEST_TSC, 0, 0);
	return vcpu->box->out[0];
}

uint64_t vcpu_page_gpa(const struct vcpu *vcpu)
{
	return VM_CLOCK_GPA + 64u * (unsigned int)vcpu->id;
}

void vcpu_set_page(struct vcpu *vcpu, uint32_t msr)
{
	vcpu_run(vcpu, GUEST_WRMSR, msr, vcpu_page_gpa(vcpu) | 1);
}

struct pvclock_vcpu_time_info vcpu_page(const struct vcpu *vcpu)
{
	struct pvclock_vcpu_time_info page;

	memcpy(&page, vcpu->vm->clock_mem + (vcpu_page_gpa(vcpu) - VM_CLOCK_GPA), sizeof(page));
	return page;
}

struct pvclock_vcpu_time_info vcpu_fresh_page(struct vcpu *vcpu)
{
	vcpu_run(vcpu, GUEST_READ, vcpu_page_gpa(vcpu), 0);
	return vcpu_page(vcpu);
}
