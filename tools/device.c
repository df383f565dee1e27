// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "tool.h"

#define MOVED_GTSC 1000000

bool offset_holds(int vcpu_fd)
{
	uint64_t before = 0, set, after = 0;
	struct kvm_device_attr attr = { .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET };

	attr.addr = (uintptr_t)&before;
	if (ioctl(vcpu_fd, KVM_GET_DEVICE_ATTR, &attr))
		return false;
	set = before - MOVED_GTSC;
	attr.addr = (uintptr_t)&set;
	if (ioctl(vcpu_fd, KVM_SET_DEVICE_ATTR, &attr))
		return false;
	attr.addr = (uintptr_t)&after;
	return !ioctl(vcpu_fd, KVM_GET_DEVICE_ATTR, &attr) && after == set;
}

void find_offset_ignored(struct document *doc)
{
	document_finding(doc, "offset_ignored", VERDICT_UNSAFE,
			 "This KVM takes a TSC offset and does not apply it: a guest's TSC would not be as it was",
			 "run guests whose clocks matter on another host; kvmclock_verify(3) measures it after a restore");
}

static void no_answer(struct device_facts *device, const char *call, int error)
{
	device->call = call;
	device->error = error;
}

static int ask_library(struct device_facts *device, const struct kvmclock_vm *vm)
{
	int ret;

	device->abilities = (struct kvmclock_abilities) { .size = sizeof(device->abilities) };
	device->library = (struct kvmclock_error) { .size = sizeof(device->library) };
	ret = kvmclock_probe(vm, &device->abilities, &device->library);
	if (ret)
		no_answer(device, device->library.call ? device->library.call : "kvmclock_probe",
			  device->library.sys_errno ? device->library.sys_errno : ENOTSUP);
	else
		no_answer(device, NULL, 0);
	return ret;
}

/* The vCPU tells whether offsets hold, and, before 5.19, the frequency. */
static void ask_vm(struct device_facts *device, struct kvmclock_vm *vm, int32_t *vcpu_fd)
{
	int ret = ask_library(device, vm);

	if (ret && (ret != KVMCLOCK_E_SYSTEM || device->error != ENOTTY))
		return;
	*vcpu_fd = ioctl(vm->vm_fd, KVM_CREATE_VCPU, 0);
	if (*vcpu_fd < 0) {
		device->library.code = 0;
		no_answer(device, "KVM_CREATE_VCPU", errno);
		return;
	}
	vm->vcpu_count = 1;
	if (ret && ask_library(device, vm))
		return;
	if (!(device->abilities.bits & KVMCLOCK_HAS_OFFSET) || offset_holds(*vcpu_fd))
		return;
	device->offset_ignored = true;
	device->abilities.bits &= ~KVMCLOCK_HAS_OFFSET;
	device->abilities.tier = KVMCLOCK_TIER_3;
}

static bool is_kvm(int fd)
{
	struct stat is;

	return !fstat(fd, &is) && S_ISCHR(is.st_mode) &&
	       ioctl(fd, KVM_GET_API_VERSION, 0) == KVM_API_VERSION;
}

struct device_facts device_ask(void)
{
	struct device_facts device = { 0 };
	int32_t vcpu_fd = -1;
	struct kvmclock_vm vm = { .size = sizeof(vm), .vcpu_fds = &vcpu_fd };

	vm.kvm_fd = open_below(O_RDWR, "/dev/kvm");
	if (vm.kvm_fd < 0) {
		no_answer(&device, "open", -vm.kvm_fd);
		return device;
	}
	if (!is_kvm(vm.kvm_fd)) {
		no_answer(&device, "KVM_GET_API_VERSION", ENOTTY);
	} else if ((vm.vm_fd = ioctl(vm.kvm_fd, KVM_CREATE_VM, 0)) < 0) {
		no_answer(&device, "KVM_CREATE_VM", errno);
	} else {
		ask_vm(&device, &vm, &vcpu_fd);
		if (vcpu_fd >= 0)
			close(vcpu_fd);
		close(vm.vm_fd);
	}
	close(vm.kvm_fd);
	return device;
}
