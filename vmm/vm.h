/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A virtual machine: its memory, its vCPUs and their threads.  Functions that
 * can fail say why on stderr and return -1.
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serial.h"

#define VM_MAX_VCPUS	4
#define VM_MAX_CPUID	256
#define VM_MIN_MB	96
#define VM_MAX_MB	2048

struct vm;

struct vcpu {
	int fd, id;
	struct kvm_run *run;
	struct vm *vm;
	pthread_t thread;
};

struct vm {
	int kvm, fd;
	int mem_fd;		/* the guest's memory, a memfd, which outlives this process */
	uint8_t *mem;
	uint64_t mem_size;
	int count;
	struct vcpu vcpu[VM_MAX_VCPUS];
	struct serial serial;

	pthread_mutex_t lock;	/* all below, and the devices */
	pthread_cond_t changed;
	bool pausing;		/* vCPUs are to stay out of the guest, or are on their way out */
	int parked;		/* vCPUs that are out */
	int ended_fd;		/* readable when the guest has ended */
	int exit_code;
};

/* Says it on stderr, with errno if there is one; returns -1. */
int complain(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* Memory of its own (mem_fd < 0), or that of another process. */
int vm_open_memory(struct vm *vm, uint64_t size, int mem_fd);
/* The VM and its interrupt chip.  What must come before vCPUs comes after this. */
int vm_open(struct vm *vm);
int vm_add_vcpu(struct vm *vm, const struct kvm_cpuid2 *cpuid);
/* cpuid has room for VM_MAX_CPUID entries: what the host supports, for that vCPU of count. */
int vm_cpuid(struct vm *vm, int id, int count, struct kvm_cpuid2 *cpuid);

/* KVM does what is requested of the vCPU; the guest does not run. */
int vcpu_settle(struct vcpu *vcpu);

/* Threads start paused. */
int vm_start_threads(struct vm *vm);
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);
void vm_end(struct vm *vm, int exit_code);

#endif
