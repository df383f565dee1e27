// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The saved state as bytes; doc/format.md has the tables.  Everything read is
 * hostile: no length is believed before it is compared with what is there.
 */
#include <string.h>

#include "internal.h"

enum {
	HEADER_BYTES = 48,
	VERSION = 1,
	RECORD_BYTES = 8,		/* type, length */
	CLOCK = 1, CLOCK_BYTES = 136,
	VCPUS = 2, VCPU_BYTES = 48,
	LAST_KNOWN = VCPUS,
};

static const uint8_t magic[8] = { 'K', 'V', 'M', 'C', 'L', 'O', 'C', 'K' };

/* CRC32C, reflected, of bytes with the four at skip taken as 0. */
static uint32_t crc32c(const uint8_t *bytes, size_t length, size_t skip)
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

static uint64_t get(const uint8_t **from, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value |= (uint64_t)*(*from)++ << 8 * i;
	return value;
}

KVMCLOCK_PUBLIC size_t kvmclock_encoded_bytes(const struct kvmclock_state *state)
{
	return HEADER_BYTES + RECORD_BYTES + CLOCK_BYTES + RECORD_BYTES +
	       (size_t)VCPU_BYTES * state->vcpu_count + (size_t)state->unknown_bytes;
}

static void put_header(uint8_t *p, size_t length)
{
	memcpy(p, magic, sizeof(magic));
	p += sizeof(magic);
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
		return fail(error, KVMCLOCK_E_SIZE, "set size to sizeof the struct");
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
	p = (uint8_t *)bytes + 12;
	put(&p, crc32c(bytes, length, 12), 4);
	*used = length;
	return 0;
}

/* The records behind a header that is right. */
struct records {
	const uint8_t *at, *end;
};

static int check_header(const uint8_t *p, size_t length, struct records *records)
{
	const uint8_t *start = p;
	uint32_t version, crc;

	if (length < HEADER_BYTES)
		return length >= 8 && memcmp(p, magic, 8) ? KVMCLOCK_E_MAGIC : KVMCLOCK_E_TRUNCATED;
	if (memcmp(p, magic, sizeof(magic)))
		return KVMCLOCK_E_MAGIC;
	p += sizeof(magic);
	version = (uint32_t)get(&p, 4);
	crc = (uint32_t)get(&p, 4);
	if (get(&p, 8) != length)
		return KVMCLOCK_E_TRUNCATED;
	if (crc != crc32c(start, length, 12))
		return KVMCLOCK_E_CHECKSUM;
	(void)get(&p, 8);		/* compatible features: none needs a reader's care */
	if (get(&p, 8) || version != VERSION)
		return KVMCLOCK_E_VERSION;
	(void)get(&p, 8);
	*records = (struct records) { p, start + length };
	return 0;
}

/* The next record's type, 0 at the end, or a code; body is the record's. */
static int64_t next_record(struct records *records, struct records *body)
{
	size_t left = (size_t)(records->end - records->at);
	const uint8_t *p = records->at;
	uint32_t type, length;

	if (!left)
		return 0;
	if (left < RECORD_BYTES)
		return KVMCLOCK_E_FORMAT;
	type = (uint32_t)get(&p, 4);
	length = (uint32_t)get(&p, 4);
	if (!type || length > left - RECORD_BYTES)
		return KVMCLOCK_E_FORMAT;
	*body = (struct records) { p, p + length };
	records->at = p + length;
	return type;
}

static int get_clock(const uint8_t *p, struct kvmclock_state *state)
{
	state->flags = (uint32_t)get(&p, 4);
	state->source = (uint32_t)get(&p, 4);
	state->host_khz = (uint32_t)get(&p, 4);
	state->frac_bits = (uint32_t)get(&p, 4);
	state->line_mul = (uint32_t)get(&p, 4);
	state->line_shift = (int32_t)(uint32_t)get(&p, 4);
	state->vcpu_count = (uint32_t)get(&p, 4);
	if (get(&p, 4))
		return KVMCLOCK_E_FORMAT;
	state->at.htsc = get(&p, 8);
	state->at.realtime_ns = (int64_t)get(&p, 8);
	state->at.tai_offset_s = (int64_t)get(&p, 8);
	state->at.realtime_error_ns = get(&p, 8);
	state->at.width_ns = get(&p, 8);
	state->clock_ns = get(&p, 8);
	state->line_gtsc = get(&p, 8);
	state->line_ns = get(&p, 8);
	state->width_ns = get(&p, 8);
	for (int i = 0; i < 4; i++)
		if (get(&p, 8))
			return KVMCLOCK_E_FORMAT;
	return 0;
}

static void get_vcpu(const uint8_t **p, struct kvmclock_vcpu *vcpu)
{
	vcpu->tsc_offset_gtsc = get(p, 8);
	vcpu->tsc_ratio = get(p, 8);
	vcpu->tsc_gtsc = get(p, 8);
	vcpu->tsc_adjust_gtsc = get(p, 8);
	vcpu->deadline_gtsc = get(p, 8);
	vcpu->tsc_khz = (uint32_t)get(p, 4);
	vcpu->flags = (uint32_t)get(p, 4);
}

/* The two records that every state begins with, in this order. */
static int find_known(struct records *records, struct records *clock, struct records *vcpus)
{
	if (next_record(records, clock) != CLOCK || clock->end - clock->at != CLOCK_BYTES)
		return KVMCLOCK_E_FORMAT;
	if (next_record(records, vcpus) != VCPUS)
		return KVMCLOCK_E_FORMAT;
	return (vcpus->end - vcpus->at) % VCPU_BYTES ? KVMCLOCK_E_FORMAT : 0;
}

/* Records of later versions: well formed, their types ascending, kept as they are. */
static int check_unknown(struct records records)
{
	int64_t type, last = LAST_KNOWN;
	struct records body;

	while ((type = next_record(&records, &body)) > last)
		last = type;
	return type ? KVMCLOCK_E_FORMAT : 0;
}

static int decode(const void *bytes, size_t length, struct kvmclock_state *state)
{
	struct records records, clock, vcpus;
	int ret = check_header(bytes, length, &records);

	ret = ret ? ret : find_known(&records, &clock, &vcpus);
	ret = ret ? ret : get_clock(clock.at, state);
	ret = ret ? ret : check_unknown(records);
	if (ret)
		return ret;
	if ((uint64_t)(vcpus.end - vcpus.at) != (uint64_t)VCPU_BYTES * state->vcpu_count)
		return KVMCLOCK_E_FORMAT;
	if (state->vcpu_count > state->vcpu_room)
		return KVMCLOCK_E_ROOM;
	for (uint32_t i = 0; i < state->vcpu_count; i++)
		get_vcpu(&vcpus.at, &state->vcpus[i]);
	state->unknown_bytes = (uint64_t)(records.end - records.at);
	state->unknown = state->unknown_bytes ? records.at : NULL;
	return state_is_sound(state) ? 0 : KVMCLOCK_E_FORMAT;
}

static const char *advice_for(int code)
{
	switch (code) {
	case KVMCLOCK_E_VERSION:
		return "read it with a library of the version that wrote it, or a later one";
	case KVMCLOCK_E_ROOM:
		return "kvmclock_encoded_vcpus() tells how many vCPUs need room";
	case KVMCLOCK_E_TRUNCATED:
		return "give all bytes that kvmclock_encode() wrote, and no more";
	default:
		return "use an undamaged copy: nothing of this one is believed";
	}
}

KVMCLOCK_PUBLIC int kvmclock_decode(const void *bytes, size_t length, struct kvmclock_state *state,
				    struct kvmclock_error *error)
{
	struct kvmclock_state found = { 0 };
	int ret;

	error_begin(error);
	if (!state || !bytes || !is_size(state->size, sizeof(*state)) ||
	    (state->vcpu_room && !state->vcpus))
		return fail(error, KVMCLOCK_E_SIZE, "set size to sizeof the struct");
	found.size = state->size;
	found.vcpu_room = state->vcpu_room;
	found.vcpus = state->vcpus;
	ret = decode(bytes, length, &found);
	if (ret)
		return fail(error, ret, advice_for(ret));
	*state = found;
	return 0;
}

KVMCLOCK_PUBLIC int kvmclock_encoded_vcpus(const void *bytes, size_t length,
					   struct kvmclock_error *error)
{
	struct records records, clock, vcpus;
	uint64_t count;
	int ret;

	error_begin(error);
	if (!bytes)
		return fail(error, KVMCLOCK_E_ARGUMENT, "give a state's bytes");
	ret = check_header(bytes, length, &records);
	ret = ret ? ret : find_known(&records, &clock, &vcpus);
	if (ret)
		return fail(error, ret, advice_for(ret));
	count = (uint64_t)(vcpus.end - vcpus.at) / VCPU_BYTES;
	return count <= KVMCLOCK_VCPUS_MAX ? (int)count :
		fail(error, KVMCLOCK_E_FORMAT, advice_for(KVMCLOCK_E_FORMAT));
}
