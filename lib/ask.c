// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Every system call that the library makes, and nothing else. */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <time.h>

#include "internal.h"

#define IOCTL(name, advice) { name, #name, advice }
#define IS_VCPU "check that the descriptor is this vCPU's, and that the VM's own process calls"

const struct call call_check_extension = IOCTL(KVM_CHECK_EXTENSION,
	"check that vm_fd is a VM's, and that the VM's own process calls");
const struct call call_get_clock = IOCTL(KVM_GET_CLOCK,
	"check that vm_fd is a VM's, and that the VM's own process calls");
const struct call call_set_clock = IOCTL(KVM_SET_CLOCK,
	"check that vm_fd is a VM's, and that the VM's own process calls");
const struct call call_get_khz = IOCTL(KVM_GET_TSC_KHZ,
	"before 5.19 give a VM with one new vCPU; later the host's TSC is not usable");
const struct call call_set_khz = IOCTL(KVM_SET_TSC_KHZ,
	"set it before vCPUs are created; a host without TSC scaling runs its own frequency or faster in software");
const struct call call_get_attr = IOCTL(KVM_GET_DEVICE_ATTR, IS_VCPU);
const struct call call_set_attr = IOCTL(KVM_SET_DEVICE_ATTR, IS_VCPU);
const struct call call_get_msr = IOCTL(KVM_GET_MSRS, IS_VCPU);
const struct call call_set_msr = IOCTL(KVM_SET_MSRS,
	"restore CPUID and the LAPIC before this call");
const struct call call_get_line = IOCTL(KVM_GET_CLOCK_GUEST, IS_VCPU);
const struct call call_set_line = IOCTL(KVM_SET_CLOCK_GUEST,
	"the VM's clock is no line now: look at reasons in its state file in debugfs");
const struct call call_ctrl = IOCTL(KVM_KVMCLOCK_CTRL, IS_VCPU);
const struct call call_cpuid = IOCTL(KVM_GET_SUPPORTED_CPUID,
	"check that kvm_fd is open on /dev/kvm");
const struct call call_gettime = { 0, "clock_gettime", "allow clock_gettime(CLOCK_REALTIME)" };
const struct call call_adjtimex = { 0, "adjtimex", "allow adjtimex, which glibc makes as clock_adjtime; it reads only" };

int try_ioctl(const struct kvmclock_vm *vm, int fd, const struct call *call, void *argument)
{
	int ret;

	if (vm->ops && vm->ops->ioctl)
		return vm->ops->ioctl(vm->ops->context, fd, call->request, argument);
	do
		ret = ioctl(fd, call->request, argument);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

int ask(const struct kvmclock_vm *vm, int vcpu, const struct call *call, void *argument,
	struct kvmclock_error *error)
{
	int fd = vcpu == NO_VCPU ? vm->vm_fd : vm->vcpu_fds[vcpu];
	int ret = try_ioctl(vm, fd, call, argument);

	return ret < 0 ? fail_call(error, call, vcpu, ret) : ret;
}

static struct kvm_device_attr tsc_attr(uint64_t attr, void *value)
{
	return (struct kvm_device_attr) {
		.group = KVM_VCPU_TSC_CTRL, .attr = attr, .addr = (uintptr_t)value
	};
}

int get_attr(const struct kvmclock_vm *vm, int vcpu, uint64_t attr, void *value,
	     struct kvmclock_error *error)
{
	struct kvm_device_attr a = tsc_attr(attr, value);

	return ask(vm, vcpu, &call_get_attr, &a, error);
}

int set_offset(const struct kvmclock_vm *vm, int vcpu, uint64_t offset,
	       struct kvmclock_error *error)
{
	struct kvm_device_attr a = tsc_attr(KVM_VCPU_TSC_OFFSET, &offset);

	return ask(vm, vcpu, &call_set_attr, &a, error);
}

/* The list of one that the ioctls take. */
struct one_msr {
	struct kvm_msrs list;
	struct kvm_msr_entry entry;
};

int get_msr(const struct kvmclock_vm *vm, int vcpu, uint32_t msr, uint64_t *value,
	    struct kvmclock_error *error)
{
	struct one_msr m = { .list.nmsrs = 1, .entry.index = msr };
	int ret = ask(vm, vcpu, &call_get_msr, &m, error);

	if (ret > 0)
		*value = m.entry.data;
	return ret;
}

int set_msr(const struct kvmclock_vm *vm, int vcpu, uint32_t msr, uint64_t value,
	    struct kvmclock_error *error)
{
	struct one_msr m = { .list.nmsrs = 1, .entry = { .index = msr, .data = value } };
	int ret = ask(vm, vcpu, &call_set_msr, &m, error);

	return ret == 0 ? fail_call(error, &call_set_msr, vcpu, -EINVAL) : ret;
}

uint64_t read_htsc(const struct kvmclock_vm *vm)
{
	uint32_t low, high;

	if (vm->ops && vm->ops->rdtsc)
		return vm->ops->rdtsc(vm->ops->context);
	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static int read_timex(const struct kvmclock_vm *vm, struct timex *timex,
		      struct kvmclock_error *error)
{
	int ret;

	*timex = (struct timex) { .modes = 0 };
	if (vm->ops && vm->ops->adjtimex)
		ret = vm->ops->adjtimex(vm->ops->context, timex);
	else
		ret = adjtimex(timex) < 0 ? -errno : 0;
	return ret < 0 ? fail_call(error, &call_adjtimex, NO_VCPU, ret) : 0;
}

static int read_tai(const struct kvmclock_vm *vm, int64_t *offset_s,
		    uint64_t *realtime_error_ns, struct kvmclock_error *error)
{
	struct timex timex;
	int ret = read_timex(vm, &timex, error);

	if (ret)
		return ret;
	*offset_s = timex.tai;
	*realtime_error_ns = timex.maxerror < 0 ? KVMCLOCK_UNKNOWN : timex.maxerror * 1000ull;
	return 0;
}

static int read_realtime(const struct kvmclock_vm *vm, int64_t *ns, struct kvmclock_error *error)
{
	struct timespec now = { 0 };
	int ret;

	if (vm->ops && vm->ops->clock_gettime)
		ret = vm->ops->clock_gettime(vm->ops->context, CLOCK_REALTIME, &now);
	else
		ret = clock_gettime(CLOCK_REALTIME, &now) ? -errno : 0;
	if (ret < 0)
		return fail_call(error, &call_gettime, NO_VCPU, ret);
	*ns = (int64_t)((uint64_t)now.tv_sec * KC_NS_PER_S + (uint64_t)now.tv_nsec);
	return 0;
}

static int read_narrowest(const struct kvmclock_vm *vm, struct kvmclock_reading *now,
			  struct kvmclock_error *error)
{
	uint64_t narrowest = KVMCLOCK_UNKNOWN;

	for (int i = 0; i < 16; i++) {
		uint64_t before = read_htsc(vm), width;
		int64_t realtime_ns = 0;
		int ret = read_realtime(vm, &realtime_ns, error);

		if (ret)
			return ret;
		width = read_htsc(vm) - before;
		if (width >= narrowest)
			continue;
		narrowest = width;
		now->htsc = before + width / 2;
		now->realtime_ns = realtime_ns;
	}
	now->width_ns = narrowest;
	return 0;
}

/* UTC and its offset are of one instant only if the offset is the same after as before. */
int read_now(const struct kvmclock_vm *vm, uint32_t khz, struct kvmclock_reading *now,
	     struct kvmclock_error *error)
{
	int64_t after_s;
	int ret;

	for (int i = 0; i < 4; i++) {
		ret = read_tai(vm, &now->tai_offset_s, &now->realtime_error_ns, error);
		ret = ret ? ret : read_narrowest(vm, now, error);
		ret = ret ? ret : read_tai(vm, &after_s, &now->realtime_error_ns, error);
		if (ret)
			return ret;
		if (after_s == now->tai_offset_s)
			break;
	}
	now->width_ns = ticks_to_ns_above(now->width_ns, khz);
	return 0;
}

int read_page(const struct kvmclock_vm *vm, int vcpu, struct kc_pvclock *page,
	      struct kvmclock_error *error)
{
	uint64_t msr;
	int ret;

	if (!vm->ops || !vm->ops->read_guest)
		return 0;
	ret = get_msr(vm, vcpu, MSR_SYSTEM_TIME, &msr, error);
	if (ret <= 0 || !(msr & 1))
		return ret < 0 ? ret : 0;
	if (vm->ops->read_guest(vm->ops->context, msr & ~1ull, page, sizeof(*page)) < 0)
		return 0;
	return !(page->version & 1) && page->tsc_to_system_mul && page->tsc_shift >= -31 &&
	       page->tsc_shift <= 31;
}
