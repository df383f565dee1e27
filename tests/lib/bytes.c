// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <string.h>

#include "bytes.h"

void put_le(u8 *to, u64 value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (u8)(value >> 8 * i);
}

/* The four bytes of the checksum itself count as 0. */
static u8 byte_at(const u8 *bytes, size_t i)
{
	return i >= CRC_AT && i < CRC_AT + 4 ? 0 : bytes[i];
}

static u32 mirrored(u32 x)
{
	u32 r = 0;

	for (int i = 0; i < 32; i++)
		r |= (x >> i & 1) << (31 - i);
	return r;
}

/* Bits lowest first of each byte, a polynomial over GF(2), the first 32 inverted. */
u32 crc_divided(const u8 *bytes, size_t length)
{
	u32 rest = ~0u;

	for (size_t i = 0; i < length; i++)
		for (int j = 0; j < 8; j++) {
			u32 in = byte_at(bytes, i) >> j & 1, top = rest >> 31;

			rest = rest << 1 ^ (in ^ top ? 0x1edc6f41u : 0);
		}
	return ~mirrored(rest);
}

bool has_crc_instruction(void)
{
	return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2")))
u32 crc_instruction(const u8 *bytes, size_t length)
{
	u32 crc = ~0u;

	for (size_t i = 0; i < length; i++)
		crc = __builtin_ia32_crc32qi(crc, byte_at(bytes, i));
	return ~crc;
}

void seal(u8 *bytes, size_t length)
{
	put_le(bytes + LENGTH_AT, length, 8);
	put_le(bytes + CRC_AT, crc_divided(bytes, length), 4);
}

struct kvmclock_state any_state(struct in *in, struct kvmclock_vcpu *vcpus, u32 nr)
{
	struct kvmclock_state state = {
		.size = sizeof(state), .flags = (u32)in_u64(in), .source = (u32)in_u64(in),
		.host_khz = (u32)in_range(in, 1, 0xffffffff), .frac_bits = (u32)in_range(in, 32, 62),
		.line_mul = (u32)in_u64(in) | 1, .line_shift = (s32)in_below(in, 63) - 31,
		.vcpu_count = nr, .vcpu_room = SIM_VCPUS, .vcpus = vcpus,
		.at = { in_u64(in), (s64)in_u64(in), (s64)in_u64(in), in_u64(in), in_u64(in) },
		.clock_ns = in_u64(in), .line_gtsc = in_u64(in), .line_ns = in_u64(in),
		.width_ns = in_u64(in),
	};

	for (u32 i = 0; i < nr; i++)
		vcpus[i] = (struct kvmclock_vcpu) {
			in_u64(in), 1ull << state.frac_bits, in_u64(in), in_u64(in), in_u64(in),
			(u32)in_range(in, 1, 0xffffffff), (u32)in_u64(in),
		};
	return state;
}

bool is_same_state(const struct kvmclock_state *a, const struct kvmclock_state *b)
{
	struct kvmclock_state x = *a, y = *b;

	x.vcpus = y.vcpus = NULL;
	x.vcpu_room = y.vcpu_room = 0;
	x.unknown = y.unknown = NULL;
	return !memcmp(&x, &y, sizeof(x)) &&
	       !memcmp(a->vcpus, b->vcpus, a->vcpu_count * sizeof(*a->vcpus)) &&
	       (!a->unknown_bytes || !memcmp(a->unknown, b->unknown, (size_t)a->unknown_bytes));
}
