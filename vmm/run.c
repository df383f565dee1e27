// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The vCPUs' threads, and what a guest leaves KVM for. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vm.h"

#define KICK		SIGUSR1
#define PORT_RESET	0x64	/* the keyboard controller's, which also resets */
#define RESET		0xfe

void vm_end(struct vm *vm, int exit_code)
{
	uint64_t one = 1;

	vm->exit_code = exit_code;
	if (write(vm->ended_fd, &one, sizeof(one)) != sizeof(one))
		_exit(exit_code);
}

static bool is_serial(uint16_t port)
{
	return port >= SERIAL_PORT && port < SERIAL_PORT + 8;
}

static void port_io(struct vm *vm, struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t i, size = run->io.size * run->io.count;

	if (run->io.direction == KVM_EXIT_IO_IN) {
		memset(data, 0xff, size);
		for (i = 0; i < run->io.count && is_serial(run->io.port); i++)
			data[i * run->io.size] = serial_in(&vm->serial, run->io.port);
		return;
	}
	for (i = 0; i < run->io.count && is_serial(run->io.port); i++)
		serial_out(&vm->serial, run->io.port, data[i * run->io.size]);
	if (run->io.port == PORT_RESET && data[0] == RESET)
		vm_end(vm, 0);
}

/* False: this vCPU shall run no more. */
static bool handle_exit(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct kvm_run *run = vcpu->run;
	bool good = true;

	pthread_mutex_lock(&vm->lock);
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		port_io(vm, run);
		break;
	case KVM_EXIT_MMIO:
		if (!run->mmio.is_write)
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		break;
	case KVM_EXIT_SHUTDOWN:
		vm_end(vm, 0);
		good = false;
		break;
	default:
		errno = 0;
		complain("vCPU %d: KVM_RUN ended with exit %u, hardware %#llx", vcpu->id, run->exit_reason,
			 (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		vm_end(vm, 3);
		good = false;
	}
	pthread_mutex_unlock(&vm->lock);
	return good;
}

static void park_while_pausing(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	if (vm->pausing) {
		vm->parked++;
		pthread_cond_broadcast(&vm->changed);
		while (vm->pausing)
			pthread_cond_wait(&vm->changed, &vm->lock);
		vm->parked--;
	}
	pthread_mutex_unlock(&vm->lock);
}

/* Out of the guest for good, and for others as if parked. */
static void stay_out(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->parked += VM_MAX_VCPUS;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;

	park_while_pausing(vcpu->vm);
	for (;;) {
		/* With immediate_exit it finishes an access that is under way, and enters no guest. */
		if (!ioctl(vcpu->fd, KVM_RUN, 0)) {
			if (!handle_exit(vcpu))
				break;
		} else if (errno == EINTR) {
			park_while_pausing(vcpu->vm);
		} else if (errno != EAGAIN) {
			complain("vCPU %d: KVM_RUN", vcpu->id);
			vm_end(vcpu->vm, 3);
			break;
		}
	}
	stay_out(vcpu->vm);
	return NULL;
}

static void on_kick(int signal)
{
	(void)signal;
}

/*
 * KVM_RUN that enters no guest: with a signal pending, KVM does first what was
 * requested of the vCPU, and leaves.  immediate_exit would leave before that.
 */
int vcpu_settle(struct vcpu *vcpu)
{
	struct { struct kvm_signal_mask head; uint8_t set[8]; } none = { .head.len = 8 };
	struct timespec at_once = { 0 };
	sigset_t kick;
	int ret, error;

	sigemptyset(&kick);
	sigaddset(&kick, KICK);
	pthread_sigmask(SIG_BLOCK, &kick, NULL);
	pthread_kill(pthread_self(), KICK);
	if (ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &none))
		return complain("vCPU %d: KVM_SET_SIGNAL_MASK", vcpu->id);
	ret = ioctl(vcpu->fd, KVM_RUN, 0);
	error = errno;
	ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, NULL);
	sigtimedwait(&kick, NULL, &at_once);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	errno = error;
	return ret < 0 && error == EINTR ? 0 : complain("vCPU %d: KVM_RUN was to enter no guest", vcpu->id);
}

int vm_start_threads(struct vm *vm)
{
	struct sigaction action = { .sa_handler = on_kick };
	int i;

	sigaction(KICK, &action, NULL);
	for (i = 0; i < vm->count; i++) {
		errno = pthread_create(&vm->vcpu[i].thread, NULL, vcpu_thread, &vm->vcpu[i]);
		if (errno)
			return complain("vCPU %d: pthread_create", i);
	}
	return 0;
}

void vm_pause(struct vm *vm)
{
	int i;

	pthread_mutex_lock(&vm->lock);
	vm->pausing = true;
	for (i = 0; i < vm->count; i++) {
		vm->vcpu[i].run->immediate_exit = 1;
		pthread_kill(vm->vcpu[i].thread, KICK);
	}
	while (vm->parked < vm->count)
		pthread_cond_wait(&vm->changed, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
}

void vm_resume(struct vm *vm)
{
	int i;

	pthread_mutex_lock(&vm->lock);
	for (i = 0; i < vm->count; i++)
		vm->vcpu[i].run->immediate_exit = 0;
	vm->pausing = false;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}
