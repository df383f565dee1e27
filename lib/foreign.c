// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What other monitors store of a VM's clock. */
#include <string.h>

#include "internal.h"

/*
 * The kernel's struct as it lies in memory: what Firecracker and
 * cloud-hypervisor keep of it is the same fields.
 */
static int read_kvm(const void *bytes, size_t length, struct kvmclock_state *state)
{
	struct kvm_clock_data clock;

	if (length < sizeof(clock))
		return KVMCLOCK_E_TRUNCATED;
	memcpy(&clock, bytes, sizeof(clock));
	state->clock_ns = clock.clock;
	if (clock.flags & KVM_CLOCK_REALTIME) {
		if (clock.realtime > INT64_MAX)
			return KVMCLOCK_E_FORMAT;
		state->at.realtime_ns = (int64_t)clock.realtime;
		state->at.realtime_error_ns = KVMCLOCK_UNKNOWN;
		state->flags |= KVMCLOCK_STATE_REALTIME;
	}
	if (clock.flags & KVM_CLOCK_HOST_TSC)
		state->at.htsc = clock.host_tsc;
	return 0;
}

/* QEMU's section "kvmclock": the clock in ns, big-endian, and a subsection of no use here. */
static int read_qemu(const uint8_t *bytes, size_t length, struct kvmclock_state *state)
{
	if (length < 8)
		return KVMCLOCK_E_TRUNCATED;
	for (int i = 0; i < 8; i++)
		state->clock_ns = state->clock_ns << 8 | bytes[i];
	return 0;
}

static int read_vcpus(const struct kvmclock_foreign *foreign, struct kvmclock_state *state)
{
	for (uint32_t i = 0; i < foreign->vcpu_count; i++) {
		state->vcpus[i] = (struct kvmclock_vcpu) {
			.tsc_gtsc = foreign->tsc_gtsc ? foreign->tsc_gtsc[i] : 0,
			.tsc_khz = foreign->tsc_khz[i],
			.flags = foreign->tsc_gtsc ? KVMCLOCK_VCPU_HAS_GTSC : 0,
		};
		if (!foreign->tsc_khz[i])
			return KVMCLOCK_E_FORMAT;
	}
	state->vcpu_count = foreign->vcpu_count;
	if (foreign->tsc_gtsc)
		state->flags |= KVMCLOCK_STATE_TSC;
	return 0;
}

KVMCLOCK_PUBLIC int kvmclock_from_foreign(const struct kvmclock_foreign *foreign,
					  struct kvmclock_state *state,
					  struct kvmclock_error *error)
{
	struct kvmclock_state found = { .width_ns = KVMCLOCK_UNKNOWN, .frac_bits = 48 };
	int ret;

	error_begin(error);
	if (!is_asked(foreign, sizeof(*foreign)) || !state ||
	    !is_size(state->size, sizeof(*state)))
		return fail(error, KVMCLOCK_E_SIZE, "give every struct, its size set to sizeof");
	if (!foreign->clock || foreign->source < KVMCLOCK_SOURCE_KVM ||
	    foreign->source > KVMCLOCK_SOURCE_CLOUD_HYPERVISOR ||
	    (foreign->vcpu_count && (!foreign->tsc_khz || !state->vcpus)))
		return fail(error, KVMCLOCK_E_ARGUMENT, "a source, its bytes, and each vCPU's tsc_khz");
	if (foreign->vcpu_count > state->vcpu_room || foreign->vcpu_count > KVMCLOCK_VCPUS_MAX)
		return fail(error, KVMCLOCK_E_ROOM, "give room for all vCPUs");
	found.size = state->size;
	found.source = foreign->source;
	found.vcpus = state->vcpus;
	found.vcpu_room = state->vcpu_room;
	found.host_khz = foreign->vcpu_count ? foreign->tsc_khz[0] : 1;
	ret = foreign->source == KVMCLOCK_SOURCE_QEMU ?
		read_qemu(foreign->clock, foreign->clock_bytes, &found) :
		read_kvm(foreign->clock, foreign->clock_bytes, &found);
	ret = ret ? ret : read_vcpus(foreign, &found);
	if (ret)
		return fail(error, ret, "check the bytes' source and length");
	*state = found;
	return 0;
}
