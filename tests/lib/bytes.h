/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The saved state's bytes as doc/format.md has them, written anew. */
#ifndef LIBTEST_BYTES_H
#define LIBTEST_BYTES_H

#include "check.h"

enum { CRC_AT = 12, LENGTH_AT = 16, FIXED_BYTES = 48 + 8 + 136 + 8 };

/* CRC32C by long division, and by the processor's instruction where it has one. */
u32 crc_divided(const u8 *bytes, size_t length);
u32 crc_instruction(const u8 *bytes, size_t length);
bool has_crc_instruction(void);

/* Makes the checksum, and the length, right. */
void seal(u8 *bytes, size_t length);

/* A sound state of any values; vcpus has room for SIM_VCPUS. */
struct kvmclock_state any_state(struct in *in, struct kvmclock_vcpu *vcpus, u32 nr);
bool is_same_state(const struct kvmclock_state *a, const struct kvmclock_state *b);

/* Little-endian. */
void put_le(u8 *to, u64 value, int bytes);

#endif
