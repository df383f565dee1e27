/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The saved state as bytes, for what writes and what reads them; doc/format.md has the tables. */
#ifndef KVMCLOCK_FORMAT_H
#define KVMCLOCK_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum {
	MAGIC_BYTES = 8,
	HEADER_BYTES = 48,
	CRC_AT = 12,
	VERSION = 1,
	RECORD_BYTES = 8,		/* type, length */
	CLOCK = 1, CLOCK_BYTES = 136,
	VCPUS = 2, VCPU_BYTES = 48,
	LAST_KNOWN = VCPUS,
};

#define MAGIC "KVMCLOCK"

/* CRC32C, reflected, of bytes with the four at skip taken as 0. */
uint32_t crc32c(const uint8_t *bytes, size_t length, size_t skip);

#endif
