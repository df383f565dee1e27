// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The saved state's bytes: there and back, damaged, later, and as they were agreed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

static struct kvmclock_vcpu vcpus[SIM_VCPUS], decoded_vcpus[SIM_VCPUS];
static u8 bytes[BYTES_ROOM], again[BYTES_ROOM];
static struct kvmclock_error error = { .size = sizeof(error) };

static const struct kvmclock_state empty = {
	.size = sizeof(empty), .vcpus = decoded_vcpus, .vcpu_room = SIM_VCPUS,
};

static size_t encoded(struct in *in, const struct kvmclock_state *state, u8 *to)
{
	size_t used = 0;
	int ret = kvmclock_encode(state, to, BYTES_ROOM, &used, &error);

	CHECK(!ret, "encode %d: %s", ret, error.advice);
	return used;
}

/* Decodes a copy that has not a byte too many, for a sanitizer to see. */
static int decode_copy(const u8 *from, size_t length, struct kvmclock_state *state, int *counted)
{
	u8 *copy = malloc(length ? length : 1);
	int ret;

	memcpy(copy, from, length);
	*counted = kvmclock_encoded_vcpus(copy, length, NULL);
	ret = kvmclock_decode(copy, length, state, &error);
	free(copy);
	return ret;
}

void law_bytes(struct in *in)
{
	u32 nr = (u32)in_below(in, in_once_in(in, 20) ? SIM_VCPUS : 5);
	struct kvmclock_state state = any_state(in, vcpus, nr), decoded = empty;
	size_t used = encoded(in, &state, bytes), used_again = 99;
	int ret = kvmclock_decode(bytes, used, &decoded, &error);

	CHECK(!ret && is_same_state(&state, &decoded), "decode %d: %s", ret, error.advice);
	CHECK(used == kvmclock_encoded_bytes(&state) && used == FIXED_BYTES + 48 * nr, "%zu bytes", used);
	CHECK(kvmclock_encoded_vcpus(bytes, used, NULL) == (int)nr, "%u vCPUs", nr);
	CHECK(!memcmp(bytes + CRC_AT, &(u32) { crc_divided(bytes, used) }, 4), "the checksum");
	if (has_crc_instruction())
		CHECK(!memcmp(bytes + CRC_AT, &(u32) { crc_instruction(bytes, used) }, 4),
		      "the checksum by SSE4.2");
	CHECK(encoded(in, &decoded, again) == used && !memcmp(bytes, again, used), "bytes differ");
	memset(again, 0xa5, used);
	ret = kvmclock_encode(&state, again, used - 1 - in_below(in, used), &used_again, &error);
	CHECK(ret == KVMCLOCK_E_ROOM && used_again == 99 && again[0] == 0xa5 && again[used - 1] == 0xa5,
	      "no room: %d", ret);
	decoded.vcpu_room = nr ? nr - 1 : 0;
	ret = kvmclock_decode(bytes, used, &decoded, &error);
	CHECK(ret == (nr ? KVMCLOCK_E_ROOM : 0), "no room for vCPUs: %d", ret);
	state.unknown = bytes;
	state.unknown_bytes = 0xffffffffull - in_below(in, 1000);
	ret = kvmclock_encode(&state, again, BYTES_ROOM, &used, &error);
	CHECK(ret == KVMCLOCK_E_ROOM || ret == KVMCLOCK_E_FORMAT, "4 GB: %d", ret);
	in_hash(in, crc_divided(bytes, used_again));
}

/* Cut at every byte, and with bytes too many: a code, and the state as it was. */
void law_bytes_cut(struct in *in)
{
	struct kvmclock_state state = any_state(in, vcpus, (u32)in_below(in, 4)), decoded;
	size_t used = encoded(in, &state, bytes);
	int ret, counted;

	memset(bytes + used, 0, 64);
	for (size_t length = 0; length < used + 64; length++) {
		decoded = empty;
		ret = decode_copy(bytes, length, &decoded, &counted);
		if (length == used)
			continue;
		CHECK(ret == KVMCLOCK_E_TRUNCATED && counted == ret && !memcmp(&decoded, &empty, sizeof(empty)),
		      "%zu of %zu bytes: %d", length, used, ret);
		check_error(in, &error, ret);
		/* The same with a header that says so. */
		if (length < 48 || length >= used)
			continue;
		memcpy(again, bytes, length);
		seal(again, length);
		ret = decode_copy(again, length, &decoded, &counted);
		CHECK(ret == KVMCLOCK_E_FORMAT && (counted < 0 || length >= FIXED_BYTES - 8), "%zu sealed: %d",
		      length, ret);
	}
}

/* Every bit flipped: seen.  With the checksum made right: a code, or a state that is written so. */
void law_bytes_flip(struct in *in)
{
	struct kvmclock_state state = any_state(in, vcpus, 1 + (u32)in_below(in, 2)), decoded;
	size_t used = encoded(in, &state, bytes);
	int ret, counted;

	for (size_t bit = 0; bit < 8 * used; bit++) {
		decoded = empty;
		bytes[bit / 8] ^= 1 << bit % 8;
		ret = decode_copy(bytes, used, &decoded, &counted);
		CHECK(ret < 0 && counted == ret && !memcmp(&decoded, &empty, sizeof(empty)),
		      "bit %zu: %d, %d", bit, ret, counted);
		memcpy(again, bytes, used);
		if (bit / 8 < LENGTH_AT || bit / 8 >= LENGTH_AT + 8)
			seal(again, used);
		ret = decode_copy(again, used, &decoded, &counted);
		if (!ret && !(bit / 8 >= CRC_AT && bit / 8 < CRC_AT + 4) && bit / 8 >= 48) {
			static u8 third[BYTES_ROOM];

			CHECK(encoded(in, &decoded, third) == used && !memcmp(third, again, used),
			      "bit %zu is lost", bit);
		}
		CHECK(ret <= 0 && ret >= KVMCLOCK_E_INCOMPLETE, "bit %zu: %d", bit, ret);
		bytes[bit / 8] ^= 1 << bit % 8;
	}
}

/* What a later version adds compatibly survives; what is incompatible is refused. */
void law_bytes_later(struct in *in)
{
	struct kvmclock_state state = any_state(in, vcpus, (u32)in_below(in, 3)), decoded = empty;
	size_t length = encoded(in, &state, bytes);
	u32 type = 2, nr = 1 + (u32)in_below(in, 3);
	int ret;

	for (u32 i = 0; i < nr; i++) {
		u32 size = (u32)in_below(in, 100);

		type += 1 + (u32)in_below(in, 1000);
		put_le(bytes + length, type, 4);
		put_le(bytes + length + 4, size, 4);
		for (u32 j = 0; j < size; j++)
			bytes[length + 8 + j] = (u8)in_below(in, 256);
		length += 8 + size;
	}
	seal(bytes, length);
	ret = kvmclock_decode(bytes, length, &decoded, &error);
	CHECK(!ret && decoded.unknown_bytes, "decode %d", ret);
	CHECK(kvmclock_encoded_bytes(&decoded) == length && encoded(in, &decoded, again) == length &&
	      !memcmp(bytes, again, length), "the records are lost");
	put_le(bytes + length, in_below(in, type + 1), 4);	/* out of order, or doubled */
	put_le(bytes + length + 4, 0, 4);
	seal(bytes, length + 8);
	ret = kvmclock_decode(bytes, length + 8, &decoded, &error);
	CHECK(ret == KVMCLOCK_E_FORMAT, "type out of order: %d", ret);
	seal(bytes, length);
	bytes[in_once_in(in, 2) ? 8 + in_below(in, 4) : 32 + in_below(in, 8)] ^= 0x80;
	seal(bytes, length);
	ret = kvmclock_decode(bytes, length, &decoded, &error);
	CHECK(ret == KVMCLOCK_E_VERSION, "a later version: %d", ret);
}

/*
 * Version 1, byte for byte: every member has a value that names its place.  The
 * bytes are a file so that the format cannot change without a change of it;
 * TESTS_GOLDEN=1 prints them as they would be.
 */
void law_bytes_golden(struct in *in)
{
	static const u8 golden[] = {
#include "state-v1.inc"
	};
	struct kvmclock_vcpu two[2] = {
		{ 0x1112131415161718, 1ull << 48, 0x2122232425262728, 0x3132333435363738,
		  0x4142434445464748, 0x51525354, 0x61626364 },
		{ 0x7172737475767778, (1ull << 48) + 1, 0x8182838485868788, 0x9192939495969798,
		  0xa1a2a3a4a5a6a7a8, 0xb1b2b3b4, 0xc1c2c3c4 },
	};
	struct kvmclock_state state = {
		.size = sizeof(state), .flags = 0x3f, .source = 0x01020304, .host_khz = 0x05060708,
		.frac_bits = 48, .line_mul = 0x090a0b0c, .line_shift = -2, .vcpu_count = 2,
		.vcpu_room = 2, .vcpus = two, .at = { 0x0102030405060708, 0x1112131415161718,
		-0x2122232425262728, 0x3132333435363738, 0x4142434445464748 },
		.clock_ns = 0x5152535455565758, .line_gtsc = 0x6162636465666768,
		.line_ns = 0x7172737475767778, .width_ns = 0x8182838485868788,
	}, decoded = empty;
	size_t used = encoded(in, &state, bytes);

	if (getenv("TESTS_GOLDEN"))
		for (size_t i = 0; i < used; i++)
			printf("0x%02x,%c", bytes[i], i % 16 == 15 || i + 1 == used ? '\n' : ' ');
	CHECK(used == sizeof(golden) && !memcmp(bytes, golden, used), "the format has changed");
	CHECK(!kvmclock_decode(golden, sizeof(golden), &decoded, &error) && is_same_state(&state, &decoded),
	      "it is read otherwise");
}
