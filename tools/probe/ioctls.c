// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

/* KVM leaves a TSC unscaled that is this near to the host's. */
#define TOLERANCE_PPM 250

const char *host_kvm_path = "/dev/kvm";

static void look_at_host(struct host *host)
{
	int vm, khz;

	host->kvm = open(host_kvm_path, O_RDWR | O_CLOEXEC);
	if (host->kvm < 0)
		probe_fail("%s", host_kvm_path);
	host->svm = !access("/sys/module/kvm_amd", F_OK);
	host->scaling = ioctl(host->kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL) > 0;
	host->xen = ioctl(host->kvm, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM) &
		    KVM_XEN_HVM_CONFIG_SHARED_INFO;
	host->line = ioctl(host->kvm, KVM_CHECK_EXTENSION, KVM_CAP_CLOCK_LINE);
	host->frac = host->svm ? 32 : 48;
	vm = ioctl(host->kvm, KVM_CREATE_VM, 0);
	khz = vm < 0 ? vm : ioctl(vm, KVM_GET_TSC_KHZ, 0);
	if (khz <= 0)
		probe_fail("KVM_GET_TSC_KHZ of a new VM");
	host->khz = (uint32_t)khz;
	close(vm);
}

const struct host *host(void)
{
	static struct host host;

	if (!host.khz)
		look_at_host(&host);
	return &host;
}

uint64_t host_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

void host_sleep_ms(unsigned int ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000l };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

int vm_ioctl(struct vm *vm, unsigned long request, void *arg)
{
	return ioctl(vm->fd, request, arg) < 0 ? -errno : 0;
}

int vcpu_ioctl(struct vcpu *vcpu, unsigned long request, void *arg)
{
	return ioctl(vcpu->fd, request, arg) < 0 ? -errno : 0;
}

struct kvm_clock_data vm_get_clock(struct vm *vm)
{
	struct kvm_clock_data data;

	memset(&data, 0, sizeof(data));
	if (ioctl(vm->fd, KVM_GET_CLOCK, &data))
		probe_fail("KVM_GET_CLOCK");
	return data;
}

int vm_set_xen_page(struct vm *vm)
{
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL,
		.msr = 0x40000200,
	};
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_SHARED_INFO,
		.u.shared_info.gfn = VM_XEN_GPA >> 12,
	};
	int error = vm_ioctl(vm, KVM_XEN_HVM_CONFIG, &config);

	return error ? error : vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &attr);
}

int vcpu_tsc_attr(struct vcpu *vcpu, unsigned long op, uint64_t attr, void *value)
{
	struct kvm_device_attr data = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = attr,
		.addr = (uintptr_t)value,
	};

	return vcpu_ioctl(vcpu, op, &data);
}

uint64_t vcpu_tsc_offset(struct vcpu *vcpu)
{
	uint64_t offset;

	if (vcpu_tsc_attr(vcpu, KVM_GET_DEVICE_ATTR, KVM_VCPU_TSC_OFFSET, &offset))
		probe_fail("get KVM_VCPU_TSC_OFFSET");
	return offset;
}

void vcpu_set_tsc_offset(struct vcpu *vcpu, uint64_t offset)
{
	if (vcpu_tsc_attr(vcpu, KVM_SET_DEVICE_ATTR, KVM_VCPU_TSC_OFFSET, &offset))
		probe_fail("set KVM_VCPU_TSC_OFFSET");
}

static uint64_t expected_ratio(uint32_t khz)
{
	uint64_t one = 1ull << host()->frac;
	uint64_t apart = khz > host()->khz ? khz - host()->khz : host()->khz - khz;

	if (!host()->scaling || apart * 1000000 <= (uint64_t)host()->khz * TOLERANCE_PPM)
		return one;
	return (uint64_t)((exact_u128)one * khz / host()->khz);
}

struct exact_tsc vcpu_tsc(struct vcpu *vcpu)
{
	struct exact_tsc tsc = {
		.ratio = expected_ratio(vcpu->khz),
		.frac = host()->frac,
		.offset = vcpu_tsc_offset(vcpu),
	};
	struct kvm_vcpu_tsc_scale scale;

	if (!vcpu_tsc_attr(vcpu, KVM_GET_DEVICE_ATTR, KVM_VCPU_TSC_SCALE, &scale)) {
		tsc.ratio = scale.tsc_ratio;
		tsc.frac = scale.tsc_frac_bits;
	}
	return tsc;
}

int vcpu_set_khz(struct vcpu *vcpu, uint32_t khz)
{
	if (ioctl(vcpu->fd, KVM_SET_TSC_KHZ, khz))
		return -errno;
	vcpu->khz = khz;
	return 0;
}

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

void vcpu_set_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	struct one_msr one = { .head.nmsrs = 1, .entry = { .index = msr, .data = value } };

	if (ioctl(vcpu->fd, KVM_SET_MSRS, &one) != 1)
		probe_fail("KVM_SET_MSRS %#x", msr);
}

uint64_t vcpu_get_msr(struct vcpu *vcpu, uint32_t msr)
{
	struct one_msr one = { .head.nmsrs = 1, .entry.index = msr };

	if (ioctl(vcpu->fd, KVM_GET_MSRS, &one) != 1)
		probe_fail("KVM_GET_MSRS %#x", msr);
	return one.entry.data;
}
