// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A state from bytes.  Everything read is hostile: no length is believed before
 * it is compared with what is there.
 */
#include <string.h>

#include "format.h"
#include "internal.h"

static uint64_t get(const uint8_t **from, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value |= (uint64_t)*(*from)++ << 8 * i;
	return value;
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
		return length >= 8 && memcmp(p, MAGIC, MAGIC_BYTES) ? KVMCLOCK_E_MAGIC : KVMCLOCK_E_TRUNCATED;
	if (memcmp(p, MAGIC, MAGIC_BYTES))
		return KVMCLOCK_E_MAGIC;
	p += MAGIC_BYTES;
	version = (uint32_t)get(&p, 4);
	crc = (uint32_t)get(&p, 4);
	if (get(&p, 8) != length)
		return KVMCLOCK_E_TRUNCATED;
	if (crc != crc32c(start, length, CRC_AT))
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

/* The caller's memory is written only once all of it is known to be sound. */
static int get_vcpus(const uint8_t *p, struct kvmclock_state *state)
{
	const uint8_t *at = p;
	struct kvmclock_vcpu vcpu;
	struct kvmclock_state one = *state;

	one.vcpus = &vcpu;
	one.vcpu_count = !!state->vcpu_count;
	for (uint32_t i = 0; i < state->vcpu_count; i++) {
		get_vcpu(&at, &vcpu);
		if (!state_is_sound(&one))
			return KVMCLOCK_E_FORMAT;
	}
	if (!state->vcpu_count && !state_is_sound(&one))
		return KVMCLOCK_E_FORMAT;
	for (uint32_t i = 0; i < state->vcpu_count; i++)
		get_vcpu(&p, &state->vcpus[i]);
	return 0;
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
	state->unknown_bytes = (uint64_t)(records.end - records.at);
	state->unknown = state->unknown_bytes ? records.at : NULL;
	return get_vcpus(vcpus.at, state);
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
		return fail(error, KVMCLOCK_E_SIZE, "give every struct, its size set to sizeof");
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
