// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* KVM's ioctls. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "../../uapi/kvm_clock.h"
#include "sim.h"

static int check_extension(const struct sim_host *host, unsigned long capability)
{
	int flags = host->has_host_tsc ? KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC : 0;

	switch (capability) {
	case KVM_CAP_ADJUST_CLOCK:
		return KVM_CLOCK_TSC_STABLE | flags;
	case KVM_CAP_VCPU_ATTRIBUTES:
		return host->has_offset;
	case KVM_CAP_VM_TSC_CONTROL:
		return host->has_vm_khz;
	case KVM_CAP_TSC_CONTROL:
		return host->scaling;
	case KVM_CAP_CLOCK_LINE:
		return host->ours ? 15 : 0;
	}
	return 0;
}

static int get_clock(struct sim_vm *vm, struct kvm_clock_data *clock)
{
	u64 htsc = sim_htsc(vm->host);

	*clock = (struct kvm_clock_data) { .clock = sim_clock_at(vm, htsc) };
	if (sim_is_master(vm)) {
		clock->flags = KVM_CLOCK_TSC_STABLE;
		if (vm->host->has_host_tsc) {
			clock->flags |= KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC;
			clock->host_tsc = htsc;
			clock->realtime = (u64)sim_realtime(vm->host);
		}
	}
	vm->last_htsc = htsc;
	vm->last_clock = clock->clock;
	vm->last_realtime = clock->realtime;
	return 0;
}

static int set_clock(struct sim_vm *vm, const struct kvm_clock_data *clock)
{
	u64 ns = clock->clock, now = (u64)sim_realtime(vm->host);

	vm->write_calls++;
	if (clock->flags & ~(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC) ||
	    (clock->flags && !vm->host->has_host_tsc))
		return -EINVAL;
	if (clock->flags & KVM_CLOCK_REALTIME && now > clock->realtime)
		ns += now - clock->realtime;
	sim_set_clock(vm, ns);
	vm->written |= KVMCLOCK_CHANGED_CLOCK;
	return 0;
}

static int get_cpuid(const struct sim_host *host, struct kvm_cpuid2 *list)
{
	if (list->nent < 1)
		return -E2BIG;
	list->nent = 1;
	list->entries[0] = (struct kvm_cpuid_entry2) { .function = 0 };
	memcpy(&list->entries[0].ebx, host->frac_bits == 32 ? "Auth" : "Genu", 4);
	return 0;
}

static int vm_ioctl(struct sim_vm *vm, unsigned long request, void *argument)
{
	switch (request) {
	case KVM_CHECK_EXTENSION:
		return check_extension(vm->host, (unsigned long)argument);
	case KVM_GET_CLOCK:
		return get_clock(vm, argument);
	case KVM_SET_CLOCK:
		return set_clock(vm, argument);
	case KVM_GET_TSC_KHZ:
		return vm->host->has_vm_khz ? (int)vm->s.default_khz : -ENOTTY;
	case KVM_SET_TSC_KHZ:
		vm->write_calls++;
		if (!vm->host->has_vm_khz || vm->s.nr)
			return vm->s.nr ? -EINVAL : -ENOTTY;
		vm->s.default_khz = (u32)(uintptr_t)argument;
		vm->written |= KVMCLOCK_CHANGED_KHZ;
		return 0;
	}
	return -ENOTTY;
}

static int get_attr(struct sim_vm *vm, u32 i, const struct kvm_device_attr *attr)
{
	struct kvm_vcpu_tsc_scale scale = { vm->s.vcpus[i].ratio, vm->host->frac_bits };
	void *to = (void *)(uintptr_t)attr->addr;

	if (attr->group != KVM_VCPU_TSC_CTRL || !vm->host->has_offset)
		return -ENXIO;
	if (attr->attr == KVM_VCPU_TSC_OFFSET)
		memcpy(to, &vm->s.vcpus[i].offset, 8);
	else if (attr->attr == KVM_VCPU_TSC_SCALE && vm->host->ours && vm->host->scaling)
		memcpy(to, &scale, sizeof(scale));
	else
		return -ENXIO;
	return 0;
}

static int set_attr(struct sim_vm *vm, u32 i, const struct kvm_device_attr *attr)
{
	u64 offset;

	vm->write_calls++;
	if (attr->group != KVM_VCPU_TSC_CTRL || attr->attr != KVM_VCPU_TSC_OFFSET ||
	    !vm->host->has_offset)
		return -ENXIO;
	memcpy(&offset, (void *)(uintptr_t)attr->addr, 8);
	if (!vm->host->ignores_offset)
		sim_set_offset(vm, i, offset);
	vm->written |= KVMCLOCK_CHANGED_OFFSET;
	return 0;
}

/* A value within a second of what the last one has become is taken for the same TSC. */
static void write_tsc(struct sim_vm *vm, u32 i, u64 gtsc)
{
	struct sim_vcpu *vcpu = &vm->s.vcpus[i];
	u64 htsc = sim_htsc(vm->host), second = vcpu->khz * 1000ull;
	u64 offset = gtsc - wide_mulshr(htsc, vcpu->ratio, vm->host->frac_bits);
	u64 expected = vm->write_base_gtsc +
		wide_mulshr(htsc - vm->write_base_htsc, vcpu->ratio, vm->host->frac_bits);

	if (vm->has_written && (gtsc - expected < second || expected - gtsc < second) && i)
		offset = vm->s.vcpus[i - 1].offset;
	vm->has_written = true;
	vm->write_base_htsc = htsc;
	vm->write_base_gtsc = gtsc;
	sim_set_offset(vm, i, offset);
}

static int msrs(struct sim_vm *vm, u32 i, struct kvm_msrs *list, bool set)
{
	struct sim_vcpu *vcpu = &vm->s.vcpus[i];
	u64 *value = NULL;

	vm->write_calls += set;
	if (list->nmsrs != 1)
		return -E2BIG;
	switch (list->entries[0].index) {
	case 0x10:
		if (set)
			write_tsc(vm, i, list->entries[0].data);
		else
			list->entries[0].data = sim_gtsc_at(vm, i, sim_htsc(vm->host));
		vm->written |= set ? KVMCLOCK_CHANGED_OFFSET : 0;
		return 1;
	case 0x3b:
		value = &vcpu->tsc_adjust;
		vm->written |= set ? KVMCLOCK_CHANGED_TSC_ADJUST : 0;
		break;
	case 0x6e0:
		value = &vcpu->deadline;
		vm->written |= set ? KVMCLOCK_CHANGED_DEADLINE : 0;
		break;
	case 0x4b564d01:
		value = &vcpu->page_msr;
		break;
	}
	if (!value)
		return 0;
	*(set ? value : (u64 *)&list->entries[0].data) = set ? list->entries[0].data : *value;
	return 1;
}

static int get_line(struct sim_vm *vm, u32 i, struct sim_page *page)
{
	if (!vm->host->ours)
		return -ENOTTY;
	if (!sim_is_master(vm))
		return -EINVAL;
	*page = sim_page_of(vm, i, sim_htsc(vm->host));
	page->version = 0;
	page->flags = vm->s.vcpus[i].offset == vm->s.vcpus[0].offset;
	return 0;
}

/* The frequency of a slope, in Hz. */
static u64 hz_of(struct slope slope)
{
	if (slope.shift > 16)
		return wide_muldiv(1000000000ull << 16, 1, (u64)slope.mul << (slope.shift - 16));
	return wide_muldiv(1000000000ull << 16, 1ull << (16 - slope.shift), slope.mul);
}

static int set_line(struct sim_vm *vm, u32 i, const struct sim_page *page)
{
	struct sim_state *s = &vm->s;
	u64 htsc = sim_htsc(vm->host), gtsc = sim_gtsc_at(vm, i, htsc), apart_hz, apart, clock_ns;
	struct slope slope = { page->mul, page->shift };
	struct slope exact = wide_slope(vm->host->khz, s->vcpus[i].ratio, vm->host->frac_bits, true);

	vm->write_calls++;
	if (!vm->host->ours)
		return -ENOTTY;
	if (!sim_is_master(vm) || page->pad0 || page->pad[0] || page->pad[1] || !page->mul ||
	    (s64)(gtsc - page->tsc_timestamp) < 0)
		return -EINVAL;
	apart_hz = hz_of(slope) - hz_of(exact);
	if (apart_hz + 1000 > 2000)
		return -ERANGE;
	clock_ns = wide_line(page->tsc_timestamp, page->system_time, slope, gtsc);
	apart = (slope.mul > exact.mul ? slope.mul - exact.mul : exact.mul - slope.mul) * 1000000000ull;
	if (slope.shift != exact.shift || !(slope.mul >> 31) || apart > 2ull * exact.mul) {
		s->t0 = gtsc;
		s->n0 = clock_ns;
		s->slope = exact;
	} else {
		s->t0 = page->tsc_timestamp;
		s->n0 = page->system_time;
		s->slope = slope;
	}
	s->line_ratio = s->vcpus[i].ratio;
	s->line_offset = s->vcpus[i].offset;
	vm->written |= KVMCLOCK_CHANGED_CLOCK;
	return 0;
}

static int vcpu_ioctl(struct sim_vm *vm, u32 i, unsigned long request, void *argument)
{
	int ret;

	switch (request) {
	case KVM_GET_TSC_KHZ:
		return (int)vm->s.vcpus[i].khz;
	case KVM_SET_TSC_KHZ:
		vm->write_calls++;
		ret = sim_set_vcpu_khz(vm, i, (u32)(uintptr_t)argument);
		vm->written |= ret ? 0 : KVMCLOCK_CHANGED_KHZ;
		return ret;
	case KVM_GET_DEVICE_ATTR:
		return get_attr(vm, i, argument);
	case KVM_SET_DEVICE_ATTR:
		return set_attr(vm, i, argument);
	case KVM_GET_MSRS:
		return msrs(vm, i, argument, false);
	case KVM_SET_MSRS:
		return msrs(vm, i, argument, true);
	case KVM_GET_CLOCK_GUEST:
		return get_line(vm, i, argument);
	case KVM_SET_CLOCK_GUEST:
		return set_line(vm, i, argument);
	case KVM_KVMCLOCK_CTRL:
		vm->write_calls++;
		if (!(vm->s.vcpus[i].page_msr & 1))
			return -EINVAL;
		vm->s.vcpus[i].stopped = 1;
		vm->written |= KVMCLOCK_CHANGED_STOPPED;
		return 0;
	}
	return -ENOTTY;
}

int sim_ioctl(void *context, int fd, unsigned long request, void *argument)
{
	struct sim_vm *vm = context;
	int ret = -EBADF;

	if (sim_begin_call(vm->host)) {
		vm->failed_request = request;
		vm->failed_fd = fd;
		return -vm->host->fail_errno;
	}
	if (vm->move_at && (vm->host->calls == vm->move_at || (vm->moves_on && vm->host->calls > vm->move_at)))
		sim_set_offset(vm, 0, vm->s.vcpus[0].offset + 12345);
	if (fd == SIM_KVM_FD && request == KVM_GET_SUPPORTED_CPUID)
		ret = get_cpuid(vm->host, argument);
	else if (fd == SIM_VM_FD)
		ret = vm_ioctl(vm, request, argument);
	else if (fd >= SIM_VCPU_FD && (u32)fd - SIM_VCPU_FD < vm->s.nr)
		ret = vcpu_ioctl(vm, (u32)fd - SIM_VCPU_FD, request, argument);
	sim_pass(vm->host);
	return ret;
}
