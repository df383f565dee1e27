// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* hold VMS: opens /dev/kvm, makes that many VMs, says "holds", and waits to be ended. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vms = argc > 1 ? atoi(argv[1]) : 0;

	if (kvm < 0)
		return 1;
	while (vms-- > 0)
		if (ioctl(kvm, KVM_CREATE_VM, 0) < 0)
			return 1;
	puts("holds");
	fflush(stdout);
	for (;;)
		pause();
}
