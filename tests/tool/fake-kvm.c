// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Preloaded (LD_PRELOAD), it answers for KVM where the tree has /dev/null as
 * /dev/kvm; FAKE_KVM says what kind of KVM, words with blanks between:
 * ignores (TSC offsets are taken, and not applied), refuses (they cannot be set),
 * old (only a vCPU tells the frequency), none (no offsets), novcpu, busy.
 * "real": a real KVM answers, but for offsets that are set, which it never sees.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static bool is(const char *word)
{
	const char *kind = getenv("FAKE_KVM");

	return kind && strstr(kind, word);
}

static int fails(int error)
{
	errno = error;
	return -1;
}

static int extension(unsigned long capability)
{
	switch (capability) {
	case KVM_CAP_ADJUST_CLOCK:
		return KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC;
	case KVM_CAP_VCPU_ATTRIBUTES:
		return !is("none");
	default:
		return 0;
	}
}

static int clock_data(struct kvm_clock_data *data)
{
	*data = (struct kvm_clock_data) {
		.clock = 5, .flags = KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC,
		.realtime = 7, .host_tsc = __builtin_ia32_rdtsc(),
	};
	return 0;
}

static int offset(unsigned long request, const struct kvm_device_attr *attr)
{
	static uint64_t held = 12345;
	uint64_t *value = (uint64_t *)(uintptr_t)attr->addr;

	if (request == KVM_GET_DEVICE_ATTR)
		*value = held;
	else if (is("refuses"))
		return fails(EINVAL);
	else if (!is("ignores"))
		held = *value;
	return 0;
}

static int fake(unsigned long request, void *argument)
{
	static bool vcpu;

	switch (request) {
	case KVM_GET_API_VERSION:
		return KVM_API_VERSION;
	case KVM_CREATE_VCPU:
		vcpu = true;
		return is("novcpu") ? fails(ENOMEM) : open("/dev/null", O_RDWR);
	case KVM_CREATE_VM:
		return is("busy") ? fails(EBUSY) : open("/dev/null", O_RDWR);
	case KVM_CHECK_EXTENSION:
		return extension((uintptr_t)argument);
	case KVM_GET_CLOCK:
		return clock_data(argument);
	case KVM_GET_TSC_KHZ:
		return is("old") && !vcpu ? fails(ENOTTY) : 2100000;
	case KVM_GET_SUPPORTED_CPUID:
		((struct kvm_cpuid2 *)argument)->nent = 0;
		return 0;
	case KVM_GET_DEVICE_ATTR:
	case KVM_SET_DEVICE_ATTR:
		return offset(request, argument);
	default:
		return fails(ENOTTY);
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list more;
	void *argument;

	va_start(more, request);
	argument = va_arg(more, void *);
	va_end(more);
	if (!is("real"))
		return fake(request, argument);
	if (request == KVM_SET_DEVICE_ATTR)
		return 0;
	return ((int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl"))(fd, request, argument);
}
