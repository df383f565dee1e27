// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "boot.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define GPA_GDT		0x1000u
#define GPA_PML4	0x2000u
#define GPA_PDPT	0x3000u
#define GPA_PD		0x4000u		/* four of them, for 4 GB */
#define GPA_PARAMS	0x8000u
#define GPA_CMDLINE	0x20000u
#define GPA_HIGH	0x100000u

#define HEADER_OFFSET	0x1f1u
#define ENTRY_64	0x200u
#define BOOT_CS		0x10
#define BOOT_DS		0x18
#define E820_RAM	1
#define MAX_KERNEL	(64u << 20)

/* The file, wholly, to mem; its size, or -1. */
static int64_t read_part(int fd, const char *name, off_t from, uint8_t *mem, uint64_t size)
{
	uint64_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, mem + done, size - done, from + (off_t)done);

		if (n < 0)
			return complain("%s: cannot be read", name);
		if (!n)
			break;
		done += (uint64_t)n;
	}
	return (int64_t)done;
}

static int64_t file_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : (int64_t)st.st_size;
}

static int load_initrd(struct vm *vm, const char *name, struct setup_header *header)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	uint64_t at, floor = header->pref_address + header->init_size;
	int64_t size = fd < 0 ? -1 : file_size(fd);
	int64_t done = -1;

	if (size < 0) {
		if (fd >= 0)
			close(fd);
		return complain("initramfs %s: cannot be opened", name);
	}
	errno = 0;
	at = (vm->mem_size - (uint64_t)size) & ~0xfffull;
	if ((uint64_t)size >= vm->mem_size || at < floor || at + (uint64_t)size - 1 > header->initrd_addr_max)
		complain("initramfs %s: no room for it: give the guest more memory", name);
	else
		done = read_part(fd, name, 0, vm->mem + at, (uint64_t)size);
	close(fd);
	if (done != size)
		return -1;
	header->ramdisk_image = (uint32_t)at;
	header->ramdisk_size = (uint32_t)size;
	return 0;
}

static int check_header(const struct vm *vm, const char *name, const struct setup_header *header)
{
	errno = 0;
	if (header->boot_flag != 0xaa55 || memcmp(&header->header, "HdrS", 4))
		return complain("%s: not a Linux kernel (bzImage)", name);
	if (header->version < 0x020c || !(header->xloadflags & XLF_KERNEL_64))
		return complain("%s: has no 64-bit entry", name);
	if (header->pref_address < GPA_HIGH ||
	    header->pref_address > vm->mem_size ||
	    header->init_size > vm->mem_size - header->pref_address)
		return complain("%s: needs more memory than the guest has", name);
	return 0;
}

/* The real-mode part is not used, but for its header. */
static int load_kernel(struct vm *vm, const char *name, int fd, struct boot_params *params)
{
	struct setup_header *header = &params->hdr;
	uint8_t first[1024] = { 0 };
	int64_t size = file_size(fd);
	size_t header_size;
	off_t from;

	if (read_part(fd, name, 0, first, sizeof(first)) != sizeof(first))
		return complain("%s: too short", name);
	header_size = 0x202u + first[0x201] - HEADER_OFFSET;
	if (header_size > sizeof(*header))
		header_size = sizeof(*header);
	memcpy(header, first + HEADER_OFFSET, header_size);
	if (check_header(vm, name, header))
		return -1;
	from = ((header->setup_sects ? header->setup_sects : 4) + 1) * 512;
	if (size <= from || size > MAX_KERNEL || (uint64_t)(size - from) > header->init_size)
		return complain("%s: %lld bytes: cannot be", name, (long long)size);
	if (read_part(fd, name, from, vm->mem + header->pref_address, (uint64_t)(size - from)) < 0)
		return -1;
	return 0;
}

static void add_e820(struct boot_params *params, uint64_t addr, uint64_t end)
{
	struct boot_e820_entry *entry = &params->e820_table[params->e820_entries++];

	entry->addr = addr;
	entry->size = end - addr;
	entry->type = E820_RAM;
}

static void write_tables(struct vm *vm)
{
	uint64_t *gdt = (void *)(vm->mem + GPA_GDT);
	uint64_t *pml4 = (void *)(vm->mem + GPA_PML4);
	uint64_t *pdpt = (void *)(vm->mem + GPA_PDPT);
	uint64_t *pd = (void *)(vm->mem + GPA_PD);
	unsigned int i;

	gdt[BOOT_CS / 8] = 0x00af9b000000ffff;
	gdt[BOOT_DS / 8] = 0x00cf93000000ffff;
	pml4[0] = GPA_PDPT | 3;
	for (i = 0; i < 4; i++)
		pdpt[i] = (GPA_PD + i * 0x1000) | 3;
	for (i = 0; i < 4 * 512; i++)
		pd[i] = ((uint64_t)i << 21) | 0x83;
}

static int set_registers(struct vm *vm, uint64_t entry)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = BOOT_CS, .type = 11, .present = 1, .s = 1,
		.l = 1, .g = 1,
	};
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = BOOT_DS, .type = 3, .present = 1, .s = 1,
		.db = 1, .g = 1,
	};
	struct kvm_regs regs = { .rip = entry, .rsi = GPA_PARAMS, .rsp = GPA_PARAMS, .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu[0].fd, KVM_GET_SREGS, &sregs))
		return complain("vCPU 0: KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.gdt.base = GPA_GDT;
	sregs.gdt.limit = BOOT_DS + 7;
	sregs.cr3 = GPA_PML4;
	sregs.cr4 = 0x20;		/* PAE */
	sregs.cr0 = 0x80000033;		/* PG, NE, ET, MP, PE */
	sregs.efer = 0x500;		/* LMA, LME */
	if (ioctl(vm->vcpu[0].fd, KVM_SET_SREGS, &sregs))
		return complain("vCPU 0: KVM_SET_SREGS");
	if (ioctl(vm->vcpu[0].fd, KVM_SET_REGS, &regs))
		return complain("vCPU 0: KVM_SET_REGS");
	return 0;
}

int boot_linux(struct vm *vm, const char *kernel, const char *initrd, const char *cmdline)
{
	struct boot_params *params = (void *)(vm->mem + GPA_PARAMS);
	size_t length = strlen(cmdline);
	int fd = open(kernel, O_RDONLY | O_CLOEXEC);
	int bad;

	if (fd < 0)
		return complain("kernel %s", kernel);
	bad = load_kernel(vm, kernel, fd, params);
	close(fd);
	if (bad || (initrd && load_initrd(vm, initrd, &params->hdr)))
		return -1;
	if (length > params->hdr.cmdline_size)
		return complain("the kernel's command line is too long");
	memcpy(vm->mem + GPA_CMDLINE, cmdline, length + 1);
	params->hdr.cmd_line_ptr = GPA_CMDLINE;
	params->hdr.type_of_loader = 0xff;
	params->hdr.vid_mode = 0xffff;
	add_e820(params, 0, MPTABLE_GPA);
	add_e820(params, GPA_HIGH, vm->mem_size);
	mptable_write(vm);
	write_tables(vm);
	return set_registers(vm, params->hdr.pref_address + ENTRY_64);
}
