// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * usage: stand COMMAND [ARGUMENT]...
 * VMs that stand still while COMMAND looks at them from outside; prints each as
 * "# stand NAME FD KHZ OFFSET...", as the ioctls tell.  Exits as COMMAND does.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "vm.h"

#define APART 12345

static struct vm equal, apart, scaled, old_msr;

static void print_vm(const char *name, struct vm *vm)
{
	printf("# stand %s %d %d", name, vm->fd, ioctl(vm->vcpu[0].fd, KVM_GET_TSC_KHZ, 0));
	for (int i = 0; i < vm->count; i++)
		printf(" %" PRIu64, vcpu_tsc_offset(&vm->vcpu[i]));
	putchar('\n');
}

static int run_command(char **command)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execvp(command[0], command);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		tap_bail("%s", command[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 64;
	vm_open_running(&equal, 0, 3);
	print_vm("equal", &equal);
	vm_open_running(&apart, 0, 2);
	vcpu_set_tsc_offset(&apart.vcpu[1], vcpu_tsc_offset(&apart.vcpu[0]) + APART);
	print_vm("apart", &apart);
	vm_open_running(&old_msr, 0, 1);
	vcpu_set_page(&old_msr.vcpu[0], MSR_CLOCK_OLD);
	print_vm("old_msr", &old_msr);
	if (host()->scaling) {
		vm_open_running(&scaled, host()->khz + host()->khz / 4, 1);
		print_vm("scaled", &scaled);
	}
	fflush(stdout);
	return run_command(argv + 1);
}
