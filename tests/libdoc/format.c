// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Reads lines "TABLE OFFSET SIZE FIELD" and "refused CODE WHAT", the tables of
 * doc/format.md, and compares them with what kvmclock_encode() writes and
 * kvmclock_decode() refuses.  Prints what is not so.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvmclock.h"

enum { HEADER, RECORD, CLOCK, VCPUS, TABLES };
enum { HEAD = 48, CLOCK_AT = HEAD + 8, VCPUS_AT = CLOCK_AT + 136 + 8, BYTES = VCPUS_AT + 2 * 48 };

static const char *const tables[TABLES] = { "Header", "Records", "clock", "vCPUs" };
static const size_t sizes[TABLES] = { HEAD, 8, 136, 48 };
static bool covered[TABLES][HEAD > 136 ? HEAD : 136];
static uint8_t bytes[BYTES + 64];
static struct kvmclock_vcpu vcpus[2];
static struct kvmclock_state state;
static int bad, fields, refusals;

static void wrong(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	putchar('\n');
	bad = 1;
}

static void fill_in(void)
{
	state = (struct kvmclock_state) {
		.size = sizeof(state), .flags = 0x80000029, .source = 4, .host_khz = 2500001,
		.frac_bits = 48, .line_mul = 0xcccccccd, .line_shift = -2, .vcpu_count = 2,
		.vcpu_room = 2, .vcpus = vcpus,
		.at = { 0x1122334455667788, -5, -37, 0x0102030405060708, 9 },
		.clock_ns = 0x2122232425262728, .line_gtsc = 0x3132333435363738,
		.line_ns = 0x4142434445464748, .width_ns = 0x5152535455565758,
	};
	for (int i = 0; i < 2; i++)
		vcpus[i] = (struct kvmclock_vcpu) {
			0x6162636465666768 + (uint64_t)i, (1ull << 48) - 3, 0x7172737475767778,
			0x8182838485868788, 0x9192939495969798, 2500002 + (uint32_t)i, 0x80000003,
		};
}

static uint64_t number(const uint8_t *p, size_t size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | p[size];
	return value;
}

static uint32_t crc32c(void)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < BYTES; i++)
		for (int bit = 0; bit < 8; bit++) {
			uint32_t in = (i >= 12 && i < 16 ? 0 : bytes[i] >> bit) & 1;

			crc = (crc ^ in) & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
		}
	return ~crc;
}

struct field {
	const char *name;
	uint64_t value;
};

static uint64_t expected(int table, const char *name)
{
	const struct field all[] = {
		{ "magic", 0x4b434f4c434d564b }, { "version", 1 }, { "checksum", crc32c() },
		{ "length", BYTES }, { "compatible", 0 }, { "incompatible", 0 },
		{ "header_reserved", 0 }, { "type", 2 }, { "record_length", 96 },
		{ "flags", state.flags }, { "source", state.source }, { "host_khz", state.host_khz },
		{ "frac_bits", state.frac_bits }, { "line_mul", state.line_mul },
		{ "line_shift", (uint32_t)state.line_shift }, { "vcpu_count", 2 },
		{ "clock_pad", 0 }, { "clock_reserved", 0 }, { "at.htsc", state.at.htsc },
		{ "at.realtime_ns", (uint64_t)state.at.realtime_ns },
		{ "at.tai_offset_s", (uint64_t)state.at.tai_offset_s },
		{ "at.realtime_error_ns", state.at.realtime_error_ns },
		{ "at.width_ns", state.at.width_ns }, { "clock_ns", state.clock_ns },
		{ "line_gtsc", state.line_gtsc }, { "line_ns", state.line_ns },
		{ "width_ns", state.width_ns }, { "tsc_offset_gtsc", vcpus[1].tsc_offset_gtsc },
		{ "tsc_ratio", vcpus[1].tsc_ratio }, { "tsc_gtsc", vcpus[1].tsc_gtsc },
		{ "tsc_adjust_gtsc", vcpus[1].tsc_adjust_gtsc },
		{ "deadline_gtsc", vcpus[1].deadline_gtsc }, { "tsc_khz", vcpus[1].tsc_khz },
		{ "vcpu_flags", vcpus[1].flags },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i].name, name))
			return all[i].value;
	wrong("%s: no field %s", tables[table], name);
	return 0;
}

/* Where fields are, as the document says. */
static struct {
	char name[64];
	size_t offset;
} places[64];

static void remember(const char *name, size_t offset)
{
	snprintf(places[fields].name, sizeof(places->name), "%s", name);
	places[fields].offset = offset;
}

static size_t place(const char *name)
{
	for (int i = 0; i < fields; i++)
		if (!strcmp(places[i].name, name))
			return places[i].offset;
	return 0;
}

static void field(const char *section, size_t offset, size_t size, const char *name)
{
	static const size_t starts[TABLES] = { 0, VCPUS_AT - 8, CLOCK_AT, VCPUS_AT + 48 };
	int table = 0;
	const uint8_t *p;

	while (table < TABLES && strcmp(tables[table], section))
		table++;
	if (table == TABLES || fields == 64 || offset > sizes[table] || size > sizes[table] - offset) {
		wrong("%s %zu %zu %s is outside", section, offset, size, name);
		return;
	}
	p = bytes + starts[table] + offset;
	if (number(p, size > 8 ? 8 : size) != expected(table, name))
		wrong("%s at %zu is %" PRIx64, name, offset, number(p, size));
	for (size_t i = offset; i < offset + size; i++) {
		if (covered[table][i])
			wrong("%s: byte %zu is in two fields", section, i);
		covered[table][i] = true;
	}
	remember(name, starts[table] + offset);
	fields++;
}

static void put(size_t at, size_t size, uint64_t value)
{
	for (; size--; value >>= 8)
		bytes[at++] = (uint8_t)value;
}

static int decode(size_t length, uint32_t room, bool sum)
{
	struct kvmclock_vcpu into[2];
	struct kvmclock_state found = { .size = sizeof(found), .vcpus = into, .vcpu_room = room };

	if (sum)
		put(12, 4, crc32c());
	return kvmclock_decode(bytes, length, &found, NULL);
}

/* What is to be refused, by the first words of the table: a field and what it becomes. */
static const struct {
	const char *what, *field;
	size_t size, length;
	uint64_t value;
	uint32_t room;
	bool raw;
} faults[] = {
	{ "fewer bytes than a header", "type", 4, 47, 2, 2, true },
	{ "another magic", "magic", 8, BYTES, 7, 2, false },
	{ "`length` is not", "length", 8, BYTES, BYTES + 1, 2, false },
	{ "`checksum` is wrong", "checksum", 4, BYTES, 1, 2, true },
	{ "`version` is not 1", "version", 4, BYTES, 2, 2, false },
	{ "`incompatible` is not 0", "incompatible", 8, BYTES, 1, 2, false },
	{ "a record is longer", "record_length", 4, BYTES, 97, 2, false },
	{ "a record is longer", "type", 4, BYTES, 0, 2, false },
	{ "a record is longer", "type", 4, BYTES, 3, 2, false },
	{ "`clock_pad` is not 0", "clock_pad", 4, BYTES, 1, 2, false },
	{ "`clock_reserved` is not 0", "clock_reserved", 8, BYTES, 1, 2, false },
	{ "record 2 is not 48", "vcpu_count", 4, BYTES, 1, 2, false },
	{ "more vCPUs than", "type", 4, BYTES, 2, 1, false },
	{ "`host_khz` is 0", "host_khz", 4, BYTES, 0, 2, false },
	{ "`frac_bits` is not in 32 to 62", "frac_bits", 4, BYTES, 31, 2, false },
	{ "`frac_bits` is not in 32 to 62", "frac_bits", 4, BYTES, 63, 2, false },
	{ "`vcpu_count` is above 65536", NULL, 0, 0, 0, 0, false },
	{ "with a line, `line_mul` is 0", "line_mul", 4, BYTES, 0, 2, false },
	{ "with a line, `line_shift` is not in -31 to 31", "line_shift", 4, BYTES, 32, 2, false },
	{ "with a line, `line_shift` is not in -31 to 31", "line_shift", 4, BYTES, (uint32_t)-32, 2, false },
	{ "`tsc_khz` is 0", "tsc_khz", 4, BYTES, 0, 2, false },
	{ "with a host TSC", "tsc_ratio", 8, BYTES, 1, 2, false },
	{ "with a host TSC", "tsc_ratio", 8, BYTES, UINT64_MAX, 2, false },
};

static const char *const codes[] = {
	[-KVMCLOCK_E_TRUNCATED] = "KVMCLOCK_E_TRUNCATED", [-KVMCLOCK_E_MAGIC] = "KVMCLOCK_E_MAGIC",
	[-KVMCLOCK_E_CHECKSUM] = "KVMCLOCK_E_CHECKSUM", [-KVMCLOCK_E_VERSION] = "KVMCLOCK_E_VERSION",
	[-KVMCLOCK_E_FORMAT] = "KVMCLOCK_E_FORMAT", [-KVMCLOCK_E_ROOM] = "KVMCLOCK_E_ROOM",
};

static int too_many(void)
{
	static uint8_t room[VCPUS_AT + 48 * (KVMCLOCK_VCPUS_MAX + 1)];
	struct kvmclock_state many = state;
	size_t used;
	int ret;

	many.vcpus = calloc(KVMCLOCK_VCPUS_MAX + 1, sizeof(*vcpus));
	many.vcpu_count = KVMCLOCK_VCPUS_MAX;
	for (uint32_t i = 0; i <= KVMCLOCK_VCPUS_MAX; i++)
		many.vcpus[i] = vcpus[0];
	ret = kvmclock_encode(&many, room, sizeof(room), &used, NULL);

	if (ret)
		wrong("65536 vCPUs are refused: %s", kvmclock_strerror(ret));
	many.vcpu_count++;
	ret = kvmclock_encode(&many, room, sizeof(room), &used, NULL);
	free(many.vcpus);
	return ret;
}

static void refused(const char *code, const char *what)
{
	uint8_t good[BYTES];
	int tried = 0;

	memcpy(good, bytes, BYTES);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		int ret;

		if (strncmp(what, faults[i].what, strlen(faults[i].what)))
			continue;
		tried++;
		if (faults[i].field)
			put(place(faults[i].field), faults[i].size, faults[i].value);
		ret = faults[i].field ? decode(faults[i].length, faults[i].room, !faults[i].raw) : too_many();
		memcpy(bytes, good, BYTES);
		if (ret > 0 || ret < -21 || !codes[-ret] || strcmp(codes[-ret], code))
			wrong("%s: %s", what, kvmclock_strerror(ret));
	}
	if (!tried)
		wrong("%s: nothing tries this", what);
	refusals += tried;
}

/* A record of a later version, and the words of features. */
static void later(void)
{
	struct kvmclock_vcpu into[2];
	struct kvmclock_state found = { .size = sizeof(found), .vcpus = into, .vcpu_room = 2 };
	uint8_t again[sizeof(bytes)];
	size_t used, i;

	state.unknown = "\3\0\0\0\5\0\0\0later";
	state.unknown_bytes = 13;
	if (kvmclock_encode(&state, bytes, sizeof(bytes), &used, NULL) || used != BYTES + 13 ||
	    kvmclock_decode(bytes, used, &found, NULL) ||
	    kvmclock_encode(&found, again, sizeof(again), &i, NULL) || i != used ||
	    memcmp(bytes, again, used))
		wrong("a record of a later version is not kept");
	state.unknown_bytes = 0;
	if (kvmclock_encode(&state, bytes, sizeof(bytes), &used, NULL))
		wrong("the state is refused");
	put(place("compatible"), 8, 1);
	if (decode(BYTES, 2, true))
		wrong("a compatible feature is refused");
}

int main(void)
{
	char line[512], section[64], name[64], code[64], what[256];
	size_t offset, size, used;

	fill_in();
	if (kvmclock_encode(&state, bytes, sizeof(bytes), &used, NULL) || used != BYTES ||
	    kvmclock_encoded_bytes(&state) != BYTES || decode(BYTES, 2, false))
		wrong("%zu bytes, not %d", used, BYTES);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "refused %63s %255[^\n]", code, what) == 2)
			refused(code, what);
		else if (sscanf(line, "%63s %zu %zu %63s", section, &offset, &size, name) == 4)
			field(section, offset, size, name);
		else
			wrong("not understood: %s", line);
	}
	for (int table = 0; table < TABLES; table++)
		for (size_t i = 0; i < sizes[table]; i++)
			if (!covered[table][i])
				wrong("%s: byte %zu is in no field", tables[table], i);
	if (refusals != sizeof(faults) / sizeof(*faults))
		wrong("%d faults of %zu are in the table", refusals, sizeof(faults) / sizeof(*faults));
	later();
	printf("# %d fields, %d refusals\n", fields, refusals);
	return bad;
}
