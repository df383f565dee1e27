// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "probe.h"

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int counted_ioctl(void *context, int fd, unsigned long request, void *argument)
{
	struct monitor *monitor = context;
	uint64_t start_ns = now_ns();
	int ret = ioctl(fd, request, argument);

	ret = ret < 0 ? -errno : ret;
	monitor->calls_ns += now_ns() - start_ns;
	monitor->calls++;
	return ret;
}

static int read_guest(void *context, uint64_t gpa, void *to, size_t bytes)
{
	const struct monitor *monitor = context;

	if (gpa < VM_CLOCK_GPA || gpa - VM_CLOCK_GPA > VM_CLOCK_SIZE - bytes)
		return -EFAULT;
	memcpy(to, monitor->vm.clock_mem + (gpa - VM_CLOCK_GPA), bytes);
	return 0;
}

void monitor_must(int code, const struct kvmclock_error *error)
{
	errno = error->sys_errno;
	if (code < 0)
		probe_fail("%s: %s, vCPU %d: %s", kvmclock_strerror(code),
			 error->call ? error->call : "-", error->vcpu, error->advice);
}

void monitor_begin_count(struct monitor *monitor)
{
	monitor->calls = monitor->calls_ns = 0;
}

void monitor_open(struct monitor *monitor)
{
	struct kvmclock_error error = { .size = sizeof(error) };

	memset(monitor, 0, sizeof(*monitor));
	monitor->ops = (struct kvmclock_ops) {
		.size = sizeof(monitor->ops), .context = monitor,
		.ioctl = counted_ioctl, .read_guest = read_guest,
	};
	vm_open(&monitor->vm, 0);
	monitor->handle = (struct kvmclock_vm) {
		.size = sizeof(monitor->handle), .kvm_fd = host()->kvm,
		.vm_fd = monitor->vm.fd, .ops = &monitor->ops, .vcpu_fds = monitor->vcpu_fds,
	};
	monitor->abilities.size = sizeof(monitor->abilities);
	monitor->state.size = sizeof(monitor->state);
	monitor->state.vcpus = monitor->vcpus;
	monitor->state.vcpu_room = VM_MAX_VCPUS;
	monitor->restore.size = sizeof(monitor->restore);
	monitor->result.size = sizeof(monitor->result);
	monitor->before_run.size = monitor->after_run.size = sizeof(monitor->before_run);
	monitor_must(kvmclock_probe(&monitor->handle, &monitor->abilities, &error), &error);
}

static void add_vcpus(struct monitor *monitor, int count)
{
	while (monitor->vm.count < count)
		monitor->vcpu_fds[monitor->handle.vcpu_count++] = vm_add_vcpu(&monitor->vm)->fd;
}

static void set_pages(struct monitor *monitor)
{
	for (int i = 0; i < monitor->vm.count; i++)
		vcpu_set_page(&monitor->vm.vcpu[i], MSR_CLOCK_NEW);
}

void monitor_start(struct monitor *monitor, uint32_t khz, int count)
{
	if (khz && vm_ioctl(&monitor->vm, KVM_SET_TSC_KHZ, (void *)(uintptr_t)khz))
		probe_fail("KVM_SET_TSC_KHZ %u of the VM", khz);
	if (khz)
		monitor->vm.khz = khz;
	add_vcpus(monitor, count);
	set_pages(monitor);
	/* Twice: one vCPU's first run may have every page drawn anew. */
	for (int i = 0; i < 2 * count; i++)
		vcpu_fresh_page(&monitor->vm.vcpu[i % count]);
}

void monitor_close(struct monitor *monitor)
{
	vm_close(&monitor->vm);
}

/*
 * One KVM_RUN that a pending signal ends before the guest runs.  The stock KVM
 * draws the clock anew at a vCPU's first run after its TSC was set: this lets
 * it do so before the clock is set, not after.
 */
static void settle(struct vcpu *vcpu)
{
	const struct timespec none = { 0, 0 };
	struct {
		struct kvm_signal_mask head;
		uint8_t set[8];
	} in_guest = { .head.len = 8 };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) || vcpu_ioctl(vcpu, KVM_SET_SIGNAL_MASK, &in_guest))
		probe_fail("KVM_SET_SIGNAL_MASK");
	raise(SIGUSR1);
	if (vcpu_ioctl(vcpu, KVM_RUN, NULL) != -EINTR)
		probe_fail("KVM_RUN is not ended by a signal");
	if (sigtimedwait(&signals, NULL, &none) != SIGUSR1 || vcpu_ioctl(vcpu, KVM_SET_SIGNAL_MASK, NULL))
		probe_fail("KVM_SET_SIGNAL_MASK");
}

/* Through its bytes, as any state goes. */
static void carry(const struct kvmclock_state *from, struct kvmclock_state *to)
{
	struct kvmclock_error error = { .size = sizeof(error) };
	size_t room = kvmclock_encoded_bytes(from), used;
	void *bytes = malloc(room);

	if (!bytes)
		probe_fail("malloc");
	monitor_must(kvmclock_encode(from, bytes, room, &used, &error), &error);
	monitor_must(kvmclock_decode(bytes, used, to, &error), &error);
	free(bytes);
}

/* The guest sets its page with its first run, as a restored one has it set by a MSR. */
void monitor_restore(struct monitor *to, const struct kvmclock_request *request, bool settled)
{
	struct kvmclock_error error = { .size = sizeof(error) };
	uint32_t i;

	monitor_must(kvmclock_restore_vm(&to->restore, &to->handle, &to->state, &to->abilities,
					 request, &error), &error);
	to->vm.khz = to->state.vcpus[0].tsc_khz;
	add_vcpus(to, (int)to->state.vcpu_count);
	for (i = 0; i < to->state.vcpu_count; i++) {
		vcpu_set_msr(&to->vm.vcpu[i], MSR_CLOCK_NEW, vcpu_page_gpa(&to->vm.vcpu[i]) | 1);
		monitor_must(kvmclock_restore_vcpu(&to->restore, &to->handle, i, &error), &error);
	}
	for (i = 0; settled && i < to->state.vcpu_count; i++)
		settle(&to->vm.vcpu[i]);
	monitor_must(kvmclock_restore_finish(&to->restore, &to->handle, &to->result, &error), &error);
	monitor_must(kvmclock_verify(&to->restore, &to->handle, 0, &to->before_run, &error), &error);
	for (i = 0; i < to->state.vcpu_count; i++)
		vcpu_fresh_page(&to->vm.vcpu[i]);
	monitor_must(kvmclock_verify(&to->restore, &to->handle, 1, &to->after_run, &error), &error);
}

void monitor_move(struct monitor *from, struct monitor *to, const struct kvmclock_request *request,
		  bool settled)
{
	struct kvmclock_error error = { .size = sizeof(error) };

	monitor_must(kvmclock_save(&from->handle, &from->abilities, &from->state, &error), &error);
	carry(&from->state, &to->state);
	monitor_restore(to, request, settled);
}
