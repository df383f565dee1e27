// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* By the MultiProcessor Specification, version 1.4. */
#include <string.h>

#include "boot.h"

#define LAPIC_ADDRESS	0xfee00000u
#define IOAPIC_ADDRESS	0xfec00000u
#define APIC_VERSION	0x14
#define ISA_BUS		0
#define ISA_IRQS	16

enum { ENTRY_CPU, ENTRY_BUS, ENTRY_IOAPIC, ENTRY_INTERRUPT, ENTRY_LOCAL_INTERRUPT };
enum { KIND_INT, KIND_NMI, KIND_SMI, KIND_EXTINT };

struct floating {
	char signature[4];
	uint32_t table;
	uint8_t length, revision, checksum, features[5];
} __attribute__((packed));

struct table {
	char signature[4];
	uint16_t length;
	uint8_t revision, checksum;
	char oem[8], product[12];
	uint32_t oem_table;
	uint16_t oem_size, entries;
	uint32_t lapic;
	uint16_t extended_length;
	uint8_t extended_checksum, reserved;
} __attribute__((packed));

struct cpu {
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features, reserved[2];
} __attribute__((packed));

struct bus {
	uint8_t type, id;
	char name[6];
} __attribute__((packed));

struct ioapic {
	uint8_t type, id, version, flags;
	uint32_t address;
} __attribute__((packed));

struct interrupt {
	uint8_t type, kind;
	uint16_t flags;
	uint8_t bus, irq, apic, pin;
} __attribute__((packed));

_Static_assert(sizeof(struct floating) == 16 && sizeof(struct table) == 44, "of the specification");
_Static_assert(sizeof(struct cpu) == 20 && sizeof(struct interrupt) == 8, "of the specification");

static uint8_t checksum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint8_t sum = 0;

	while (size--)
		sum += *byte++;
	return (uint8_t)-sum;
}

static void add(struct table *table, const void *entry, size_t size)
{
	memcpy((uint8_t *)table + table->length, entry, size);
	table->length += size;
	table->entries++;
}

static void add_cpus(struct table *table, int count)
{
	int id;

	for (id = 0; id < count; id++) {
		struct cpu cpu = {
			.type = ENTRY_CPU, .apic_id = id, .apic_version = APIC_VERSION,
			.flags = id ? 1 : 3,		/* enabled, and the first */
			.signature = 0x600, .features = 0x201,
		};

		add(table, &cpu, sizeof(cpu));
	}
}

/* KVM's own routing: interrupt n is pin n. */
static void add_interrupts(struct table *table, uint8_t ioapic)
{
	struct interrupt local = { .type = ENTRY_LOCAL_INTERRUPT, .kind = KIND_EXTINT, .apic = 0xff };
	uint8_t irq;

	for (irq = 0; irq < ISA_IRQS; irq++) {
		struct interrupt entry = {
			.type = ENTRY_INTERRUPT, .kind = KIND_INT,
			.bus = ISA_BUS, .irq = irq, .apic = ioapic, .pin = irq,
		};

		add(table, &entry, sizeof(entry));
	}
	add(table, &local, sizeof(local));
	local.kind = KIND_NMI;
	local.pin = 1;
	add(table, &local, sizeof(local));
}

void mptable_write(struct vm *vm)
{
	struct floating *floating = (void *)(vm->mem + MPTABLE_GPA);
	struct table *table = (void *)(floating + 1);
	struct bus bus = { .type = ENTRY_BUS, .id = ISA_BUS, .name = "ISA   " };
	struct ioapic ioapic = {
		.type = ENTRY_IOAPIC, .id = VM_MAX_VCPUS, .version = 0x11, .flags = 1,
		.address = IOAPIC_ADDRESS,
	};

	memcpy(floating->signature, "_MP_", 4);
	floating->table = MPTABLE_GPA + sizeof(*floating);
	floating->length = 1;
	floating->revision = 4;
	floating->checksum = checksum(floating, sizeof(*floating));

	memcpy(table->signature, "PCMP", 4);
	table->length = sizeof(*table);
	table->revision = 4;
	memcpy(table->oem, "KVMCLOCK", 8);
	memcpy(table->product, "VMM         ", 12);
	table->lapic = LAPIC_ADDRESS;
	add_cpus(table, vm->count);
	add(table, &bus, sizeof(bus));
	add(table, &ioapic, sizeof(ioapic));
	add_interrupts(table, ioapic.id);
	table->checksum = checksum(table, table->length);
}
