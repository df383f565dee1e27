// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A state into bytes. */
#include <string.h>

#include "format.h"
#include "internal.h"

uint32_t crc32c(const uint8_t *bytes, size_t length, size_t skip)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < length; i++) {
		crc ^= i - skip < 4 ? 0 : bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void put(uint8_t **to, uint64_t value, int bytes)
{
	while (bytes--) {
		*(*to)++ = (uint8_t)value;
		value >>= 8;
	}
}

KVMCLOCK_PUBLIC size_t kvmclock_encoded_bytes(const struct kvmclock_state *state)
{
	if (!state || !is_size(state->size, sizeof(*state)))
		return 0;
	return HEADER_BYTES + RECORD_BYTES + CLOCK_BYTES + RECORD_BYTES +
	       (size_t)VCPU_BYTES * state->vcpu_count + (size_t)state->unknown_bytes;
}

static void put_header(uint8_t *p, size_t length)
{
	memcpy(p, MAGIC, MAGIC_BYTES);
	p += MAGIC_BYTES;
	put(&p, VERSION, 4);
	put(&p, 0, 4);			/* the checksum's place */
	put(&p, length, 8);
	put(&p, 0, 8);			/* compatible features */
	put(&p, 0, 8);			/* incompatible features */
	put(&p, 0, 8);
}

static void put_clock(uint8_t **p, const struct kvmclock_state *state)
{
	put(p, CLOCK, 4);
	put(p, CLOCK_BYTES, 4);
	put(p, state->flags, 4);
	put(p, state->source, 4);
	put(p, state->host_khz, 4);
	put(p, state->frac_bits, 4);
	put(p, state->line_mul, 4);
	put(p, (uint32_t)state->line_shift, 4);
	put(p, state->vcpu_count, 4);
	put(p, 0, 4);
	put(p, state->at.htsc, 8);
	put(p, (uint64_t)state->at.realtime_ns, 8);
	put(p, (uint64_t)state->at.tai_offset_s, 8);
	put(p, state->at.realtime_error_ns, 8);
	put(p, state->at.width_ns, 8);
	put(p, state->clock_ns, 8);
	put(p, state->line_gtsc, 8);
	put(p, state->line_ns, 8);
	put(p, state->width_ns, 8);
	for (int i = 0; i < 4; i++)
		put(p, 0, 8);
}

static void put_vcpus(uint8_t **p, const struct kvmclock_state *state)
{
	put(p, VCPUS, 4);
	put(p, VCPU_BYTES * state->vcpu_count, 4);
	for (uint32_t i = 0; i < state->vcpu_count; i++) {
		const struct kvmclock_vcpu *vcpu = &state->vcpus[i];

		put(p, vcpu->tsc_offset_gtsc, 8);
		put(p, vcpu->tsc_ratio, 8);
		put(p, vcpu->tsc_gtsc, 8);
		put(p, vcpu->tsc_adjust_gtsc, 8);
		put(p, vcpu->deadline_gtsc, 8);
		put(p, vcpu->tsc_khz, 4);
		put(p, vcpu->flags, 4);
	}
}

KVMCLOCK_PUBLIC int kvmclock_encode(const struct kvmclock_state *state, void *bytes, size_t room,
				    size_t *used, struct kvmclock_error *error)
{
	uint8_t *p = bytes;
	size_t length;

	error_begin(error);
	if (!state || !bytes || !used || !is_size(state->size, sizeof(*state)))
		return fail(error, KVMCLOCK_E_SIZE, "give every struct, its size set to sizeof");
	if (!state_is_sound(state) || state->unknown_bytes > INT32_MAX ||
	    (state->unknown_bytes && !state->unknown))
		return fail(error, KVMCLOCK_E_FORMAT, "encode what kvmclock_save() or decode gave");
	length = kvmclock_encoded_bytes(state);
	if (room < length)
		return fail(error, KVMCLOCK_E_ROOM, "kvmclock_encoded_bytes() tells how many are needed");
	put_header(p, length);
	p += HEADER_BYTES;
	put_clock(&p, state);
	put_vcpus(&p, state);
	if (state->unknown_bytes)
		memcpy(p, state->unknown, (size_t)state->unknown_bytes);
	p = (uint8_t *)bytes + CRC_AT;
	put(&p, crc32c(bytes, length, CRC_AT), 4);
	*used = length;
	return 0;
}
