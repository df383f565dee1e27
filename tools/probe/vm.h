/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Small VMs whose vCPUs run guest.c in long mode.  What must not fail
 * ends in probe_fail(); what is asked about returns 0 or a negative errno.
 */
#ifndef PROBE_VM_H
#define PROBE_VM_H

#include "guest.h"

#define VM_MAX_VCPUS 64

/* Guest physical addresses. */
#define VM_SHARED_GPA	0x8000u		/* slot 0: a page for what vCPUs share */
#define VM_MEM_SIZE	0x100000u	/* slot 0: page tables, code, boxes */
#define VM_CLOCK_GPA	0x100000u	/* slot 1: the clock pages, 64 bytes each */
#define VM_WALL_GPA	0x101000u	/* slot 1: wall clock */
#define VM_XEN_GPA	0x102000u	/* slot 1: Xen's shared_info */
#define VM_CLOCK_SIZE	0x3000u
#define VM_CLOCK_SLOT	1

#define MSR_TSC			0x10
#define MSR_CLOCK_OLD		0x12
#define MSR_TSC_ADJUST		0x3b
#define MSR_WALL_CLOCK_NEW	0x4b564d00
#define MSR_CLOCK_NEW		0x4b564d01

#define VM_CLOCK_ALL_FLAGS (KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)

/* What the host is. */
struct host {
	int kvm;		/* /dev/kvm */
	bool svm;
	bool scaling;		/* hardware scales the TSC */
	bool xen;		/* a guest may be Xen's, with a shared_info page */
	int line;		/* KVM_CAP_CLOCK_LINE's mask; 0 on stock */
	uint32_t khz;		/* of the host TSC */
	uint8_t frac;		/* of the ratio: 48 on VMX, 32 on SVM */
};

struct vcpu {
	int fd, id;
	uint32_t khz;		/* asked for */
	struct vm *vm;
	struct kvm_run *run;
	struct guest_box *box;
};

struct vm {
	int fd, count;
	uint32_t khz;		/* asked for, of vCPUs to come; 0: the host's */
	char *mem, *clock_mem;
	struct vcpu vcpu[VM_MAX_VCPUS];
};

#define VM_CPUID_ENTRIES 160

struct vm_cpuid {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entry[VM_CPUID_ENTRIES];
};

extern const char *host_kvm_path;	/* "/dev/kvm" */
/* Opened at first use. */
const struct host *host(void);
uint64_t host_tsc(void);
void host_sleep_ms(unsigned int ms);

/* A VM without vCPUs, its vCPUs-to-be at khz (0: the host's). */
void vm_open(struct vm *vm, uint32_t khz);
/* The same with vCPUs, each of which has set its clock page and run. */
void vm_open_running(struct vm *vm, uint32_t khz, int count);
struct vcpu *vm_add_vcpu(struct vm *vm);
/* A vCPU that never runs; ids from VM_MAX_VCPUS on are no other's. */
void vm_add_idle_vcpu(struct vm *vm, int id);
void vm_close(struct vm *vm);

int vm_ioctl(struct vm *vm, unsigned long request, void *arg);
struct kvm_clock_data vm_get_clock(struct vm *vm);
int vm_set_xen_page(struct vm *vm);
/* What the host supports, which vCPUs have unless they are given another before they run. */
struct vm_cpuid vm_cpuid(void);
void vm_cpuid_add(struct vm_cpuid *cpuid, struct kvm_cpuid_entry2 entry);
void vcpu_set_cpuid(struct vcpu *vcpu, const struct vm_cpuid *cpuid);

int vcpu_ioctl(struct vcpu *vcpu, unsigned long request, void *arg);
/* op: KVM_HAS_, KVM_GET_ or KVM_SET_DEVICE_ATTR. */
int vcpu_tsc_attr(struct vcpu *vcpu, unsigned long op, uint64_t attr, void *value);
uint64_t vcpu_tsc_offset(struct vcpu *vcpu);
void vcpu_set_tsc_offset(struct vcpu *vcpu, uint64_t offset);
/* As KVM tells it, or else as this host's KVM is known to compute it. */
struct exact_tsc vcpu_tsc(struct vcpu *vcpu);
/* From outside, as a monitor does it. */
void vcpu_set_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value);
uint64_t vcpu_get_msr(struct vcpu *vcpu, uint32_t msr);
int vcpu_set_khz(struct vcpu *vcpu, uint32_t khz);

/* One run of the guest; the box holds what came of it. */
void vcpu_run(struct vcpu *vcpu, enum guest_op op, uint64_t arg0, uint64_t arg1);
uint64_t vcpu_guest_tsc(struct vcpu *vcpu);
/* The guest sets its clock page, by the old MSR or the new one. */
void vcpu_set_page(struct vcpu *vcpu, uint32_t msr);
uint64_t vcpu_page_gpa(const struct vcpu *vcpu);
/* A copy of the page as it lies in memory; no run. */
struct pvclock_vcpu_time_info vcpu_page(const struct vcpu *vcpu);
/* A run that lets KVM deliver what is pending, then the page. */
struct pvclock_vcpu_time_info vcpu_fresh_page(struct vcpu *vcpu);

#endif
