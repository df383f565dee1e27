// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What a kernel and host can do. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static int extension(const struct kvmclock_vm *vm, unsigned long capability,
		     struct kvmclock_error *error)
{
	return ask(vm, NO_VCPU, &call_check_extension, (void *)capability, error);
}

static int probe_capabilities(const struct kvmclock_vm *vm, uint32_t *bits,
			      struct kvmclock_error *error)
{
	static const struct {
		unsigned long capability;
		struct { uint32_t mask, bit; } means[3];
	} table[] = {
		{ KVM_CAP_ADJUST_CLOCK, { { ~0u, KVMCLOCK_HAS_CLOCK },
					  { KVM_CLOCK_REALTIME, KVMCLOCK_HAS_REALTIME },
					  { KVM_CLOCK_HOST_TSC, KVMCLOCK_HAS_HOST_TSC } } },
		{ KVM_CAP_VCPU_ATTRIBUTES, { { ~0u, KVMCLOCK_HAS_OFFSET } } },
		{ KVM_CAP_VM_TSC_CONTROL, { { ~0u, KVMCLOCK_HAS_VM_KHZ } } },
		{ KVM_CAP_TSC_CONTROL, { { ~0u, KVMCLOCK_HAS_SCALING } } },
		{ KVM_CAP_CLOCK_LINE, { { KVM_CLOCK_LINE_IOCTLS, KVMCLOCK_HAS_LINE },
					{ KVM_CLOCK_LINE_SCALE, KVMCLOCK_HAS_SCALE },
					{ KVM_CLOCK_LINE_EXACT, KVMCLOCK_HAS_EXACT } } },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		int has = extension(vm, table[i].capability, error);

		if (has < 0)
			return has;
		for (int j = 0; j < 3; j++)
			if ((uint32_t)has & table[i].means[j].mask)
				*bits |= table[i].means[j].bit;
	}
	return 0;
}

static int probe_mode(const struct kvmclock_vm *vm, struct kvmclock_abilities *abilities,
		      struct kvmclock_error *error)
{
	struct kvm_clock_data clock = { 0 };
	int ret = ask(vm, NO_VCPU, &call_get_clock, &clock, error);

	if (ret < 0)
		return ret;
	if (clock.flags & KVM_CLOCK_TSC_STABLE)
		abilities->bits |= KVMCLOCK_IS_MASTER;
	/* Before 5.19 only a vCPU tells; new, it has the host's frequency. */
	ret = try_ioctl(vm, vm->vm_fd, &call_get_khz, NULL);
	if (ret == -ENOTTY && vm->vcpu_count)
		ret = ask(vm, 0, &call_get_khz, NULL, error);
	else if (ret < 0)
		ret = fail_call(error, &call_get_khz, NO_VCPU, ret);
	if (ret < 0)
		return ret;
	abilities->host_khz = (uint32_t)ret;
	return ret ? 0 : fail(error, KVMCLOCK_E_UNABLE, "the host's TSC frequency is not known");
}

/* No KVM interface tells F before a vCPU exists, but it is the vendor's. */
static int probe_frac_bits(const struct kvmclock_vm *vm, struct kvmclock_abilities *abilities,
			   struct kvmclock_error *error)
{
	enum { ENTRIES = 256 };		/* KVM's own limit */
	struct {
		struct kvm_cpuid2 list;
		struct kvm_cpuid_entry2 entries[ENTRIES];
	} cpuid = { .list.nent = ENTRIES };
	int ret = try_ioctl(vm, vm->kvm_fd, &call_cpuid, &cpuid);

	if (ret < 0)
		return fail_call(error, &call_cpuid, NO_VCPU, ret);
	abilities->frac_bits = 48;
	for (uint32_t i = 0; i < cpuid.list.nent && i < ENTRIES; i++)
		if (cpuid.entries[i].function == 0 &&
		    (!memcmp(&cpuid.entries[i].ebx, "Auth", 4) ||
		     !memcmp(&cpuid.entries[i].ebx, "Hygo", 4)))
			abilities->frac_bits = 32;
	return 0;
}

static uint32_t tier_of(uint32_t bits)
{
	if (!(bits & KVMCLOCK_HAS_OFFSET))
		return KVMCLOCK_TIER_3;
	if (bits & KVMCLOCK_HAS_LINE)
		return KVMCLOCK_TIER_0;
	return bits & KVMCLOCK_HAS_HOST_TSC ? KVMCLOCK_TIER_1 : KVMCLOCK_TIER_2;
}

KVMCLOCK_PUBLIC int kvmclock_probe(const struct kvmclock_vm *vm,
				   struct kvmclock_abilities *abilities,
				   struct kvmclock_error *error)
{
	struct kvmclock_abilities found = { .tolerance_ppm = 250 };
	int ret;

	error_begin(error);
	if (!abilities || !is_vm(vm) || !is_size(abilities->size, sizeof(*abilities)))
		return fail(error, KVMCLOCK_E_SIZE, "give every struct, its size set to sizeof");
	if (vm->vcpu_count && !vm->vcpu_fds)
		return fail(error, KVMCLOCK_E_ARGUMENT, "vcpu_fds are needed");
	found.size = abilities->size;
	ret = probe_capabilities(vm, &found.bits, error);
	if (!ret && !(found.bits & KVMCLOCK_HAS_CLOCK))
		ret = fail(error, KVMCLOCK_E_UNABLE, "this KVM has no clock: use a newer kernel");
	ret = ret ? ret : probe_mode(vm, &found, error);
	ret = ret ? ret : probe_frac_bits(vm, &found, error);
	ret = ret ? ret : read_now(vm, found.host_khz, &found.now, error);
	if (ret)
		return ret;
	found.bits |= KVMCLOCK_HAS_READING;
	found.tier = tier_of(found.bits);
	*abilities = found;
	return 0;
}
