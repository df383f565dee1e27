// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * libFuzzer: any bytes, as they are and with their checksum and length made
 * right.  What is accepted is written as it was read, and can be planned with.
 */
#include <stdlib.h>
#include <string.h>

#include "../../lib/kvmclock.h"

enum { ROOM = 64 };

static void require(int holds)
{
	if (!holds)
		abort();
}

static void put(uint8_t *to, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t crc32c(const uint8_t *bytes, size_t length)
{
	static uint32_t table[256];
	uint32_t crc = ~0u;

	for (uint32_t i = 0; !table[1] && i < 256; i++) {
		table[255 - i] = 255 - i;
		for (int j = 0; j < 8; j++)
			table[255 - i] = table[255 - i] >> 1 ^ (table[255 - i] & 1 ? 0x82f63b78 : 0);
	}
	for (size_t i = 0; i < length; i++)
		crc = crc >> 8 ^ table[(crc ^ (i >= 12 && i < 16 ? 0 : bytes[i])) & 0xff];
	return ~crc;
}

static void plan(const struct kvmclock_state *state, uint8_t what)
{
	struct kvmclock_abilities here = {
		.size = sizeof(here), .bits = what * 0x01010101u, .host_khz = what & 1 ? 2500000 : 1,
		.frac_bits = what & 2 ? 32 : 48, .tolerance_ppm = 250, .now = state->at,
	};
	struct kvmclock_request request = {
		.size = sizeof(request), .policy = 1 + what / 4 % 4, .lowest_tier = 3,
		.max_step_ns = KVMCLOCK_UNKNOWN, .max_step_cycles = KVMCLOCK_UNKNOWN,
		.max_rate_ppb = KVMCLOCK_UNKNOWN,
	};
	struct kvmclock_plan plan = { .size = sizeof(plan) };

	here.bits |= KVMCLOCK_HAS_READING;
	here.now.htsc += what;
	require(kvmclock_plan(state, &here, &request, &plan, NULL) == plan.verdict);
}

static void read_one(const uint8_t *bytes, size_t length, uint8_t what)
{
	static struct kvmclock_vcpu vcpus[ROOM];
	static uint8_t again[1 << 16];
	struct kvmclock_state state = { .size = sizeof(state), .vcpus = vcpus, .vcpu_room = ROOM };
	struct kvmclock_error error = { .size = sizeof(error) };
	int nr = kvmclock_encoded_vcpus(bytes, length, NULL);
	int ret = kvmclock_decode(bytes, length, &state, &error);
	size_t used;

	require(ret <= 0 && ret >= KVMCLOCK_E_INCOMPLETE && error.code == ret);
	require(ret != KVMCLOCK_E_ROOM || nr > ROOM);
	if (ret)
		return;
	require(nr == (int)state.vcpu_count && kvmclock_encoded_bytes(&state) == length);
	require(length > sizeof(again) || !kvmclock_encode(&state, again, sizeof(again), &used, &error));
	/* Of the header, features that no reader need know of are this writer's. */
	require(length > sizeof(again) || (used == length && !memcmp(again + 48, bytes + 48, length - 48)));
	plan(&state, what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes;

	if (!size)
		return 0;
	read_one(data + 1, size - 1, data[0]);
	if (size < 25)
		return 0;
	bytes = malloc(size - 1);
	memcpy(bytes, data + 1, size - 1);
	memcpy(bytes, "KVMCLOCK\1\0\0", 12);
	put(bytes + 16, size - 1, 8);
	put(bytes + 12, crc32c(bytes, size - 1), 4);
	read_one(bytes, size - 1, data[0]);
	free(bytes);
	return 0;
}
