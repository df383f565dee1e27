/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A live update in one process: the clock goes on in a second VM that has the
 * first one's memory.  cc live_update.c $(pkg-config --cflags --libs kvmclock)
 */
#include <errno.h>
#include <fcntl.h>
#include <kvmclock.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { VCPUS = 2, MSR_PAGE = 0x4b564d01, BYTES = 4096 };
#define BASE 0xfffff000u	/* the page in which a vCPU starts, at its end */

static _Alignas(4096) uint8_t memory[BYTES];		/* the guest's, in both VMs */
static struct { struct kvm_cpuid2 list; struct kvm_cpuid_entry2 entries[256]; } cpuid;
static struct kvmclock_error e = { .size = sizeof(e) };

#define MUST(call) must(call, #call)
static int must(int ret, const char *what)
{
	if (ret < 0)
		exit(fprintf(stderr, "%s: %s; %s: %s\n", what, strerror(errno),
			     kvmclock_strerror(e.code), e.code ? e.advice : "") > 0);
	return ret;
}

static int read_guest(void *context, uint64_t gpa, void *to, size_t bytes)
{
	return gpa < BASE || bytes > BASE + (uint64_t)BYTES - gpa ? -1 :
	       (memcpy(to, (uint8_t *)context + (gpa - BASE), bytes), 0);
}

static void create_vm(struct kvmclock_vm *vm, struct kvmclock_abilities *abilities)
{
	struct kvm_userspace_memory_region region = { 0, 0, BASE, BYTES, (uintptr_t)memory };

	vm->vm_fd = MUST(ioctl(vm->kvm_fd, KVM_CREATE_VM, 0));
	MUST(ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region));
	MUST(kvmclock_probe(vm, abilities, &e));
}

/* CPUID first, then the MSRs but for those that are the library's. */
static void create_vcpu(struct kvmclock_vm *vm, int32_t *fds, uint32_t i)
{
	struct { struct kvm_msrs list; struct kvm_msr_entry msr; } saved[] = {
		{ { 1, 0 }, { 0x10, 0, 0 } }, { { 1, 0 }, { MSR_PAGE, 0, (BASE + 64 * i) | 1 } } };

	fds[i] = MUST(ioctl(vm->vm_fd, KVM_CREATE_VCPU, i));
	MUST(ioctl(fds[vm->vcpu_count++], KVM_SET_CPUID2, &cpuid));
	for (int k = 0; k < 2; k++)
		if (kvmclock_msr_rule(saved[k].msr.index) == KVMCLOCK_MSR_ANY)
			MUST(ioctl(fds[i], KVM_SET_MSRS, &saved[k]) - 1);
}

/* Stock KVM draws the clock anew when a vCPU first runs: let it, but not the guest. */
static void settle(int fd)
{
	struct { struct kvm_signal_mask head; uint8_t none[8]; } open_mask = { { 8 }, { 0 } };
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	MUST(ioctl(fd, KVM_SET_SIGNAL_MASK, &open_mask));
	raise(SIGUSR1);
	ioctl(fd, KVM_RUN, 0);		/* EINTR */
	sigwaitinfo(&usr1, NULL);
	MUST(ioctl(fd, KVM_SET_SIGNAL_MASK, NULL));
}

int main(void)
{
	struct kvmclock_ops ops = { .size = sizeof(ops), .context = memory, .read_guest = read_guest };
	int32_t fds[2][VCPUS], kvm = MUST(open("/dev/kvm", O_RDWR)), i;
	struct kvmclock_vm old = { sizeof(old), kvm, -1, 0, fds[0], &ops }, new = old;
	struct kvmclock_abilities there = { .size = sizeof(there) }, here = there;
	struct kvmclock_vcpu vcpus[VCPUS];
	struct kvmclock_state state = { .size = sizeof(state), .vcpus = vcpus, .vcpu_room = VCPUS };
	struct kvmclock_request budget = { .size = sizeof(budget), .policy = KVMCLOCK_LIVE_UPDATE,
		.lowest_tier = KVMCLOCK_TIER_1, .max_step_ns = 100 };
	struct kvmclock_plan plan = { .size = sizeof(plan) };
	struct kvmclock_restore restore = { .size = sizeof(restore) };
	struct kvmclock_result result = { .size = sizeof(result) };
	struct kvmclock_verdict seen = { .size = sizeof(seen) };

	memcpy(memory + BYTES - 16, "\xf4\xeb\xfd", 3);	/* hlt, over and over */
	cpuid.list.nent = 256;
	MUST(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid));
	create_vm(&old, &there);
	for (i = 0; i < VCPUS; i++)
		create_vcpu(&old, fds[0], i), MUST(ioctl(fds[0][i], KVM_RUN, 0));
	MUST(kvmclock_save(&old, &there, &state, &e));
	new.vcpu_fds = fds[1];
	create_vm(&new, &here);
	MUST(kvmclock_plan(&state, &here, &budget, &plan, &e));
	printf("plan: tier %u, at most %u ns\n", plan.tier, (unsigned)plan.step_ns);
	MUST(kvmclock_restore_vm(&restore, &new, &state, &here, &budget, &e));
	for (i = 0; i < VCPUS; i++)
		create_vcpu(&new, fds[1], i);
	for (i = 0; i < VCPUS; i++)
		MUST(kvmclock_restore_vcpu(&restore, &new, i, &e));
	for (i = 0; i < VCPUS; i++)
		settle(fds[1][i]);
	MUST(kvmclock_restore_finish(&restore, &new, &result, &e));
	printf("finish: residual %d ns, %u tries\n", (int)result.residual_ns, result.tries);
	for (int has_run = 0; has_run < 2; has_run++) {
		for (i = 0; has_run && i < VCPUS; i++)
			MUST(ioctl(fds[1][i], KVM_RUN, 0));
		MUST(kvmclock_verify(&restore, &new, has_run, &seen, &e));
		printf("%s the first run: %u cycles, %u ns, %u pages\n", has_run ? "after" : "before",
		       (unsigned)seen.worst_cycles, (unsigned)seen.worst_ns, seen.from_page);
	}
	return 0;
}
