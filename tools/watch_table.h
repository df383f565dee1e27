/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The VMs and vCPUs that are watched: bounded, and who was idle longest makes room. */
#ifndef KVMCLOCK_WATCH_TABLE_H
#define KVMCLOCK_WATCH_TABLE_H

#include "watch_model.h"

#define WATCH_PAGES 3	/* of a vCPU: by kvm-clock's MSR, two of Xen's */

struct watch_vm {
	struct watch_vm_id id;
	uint32_t next;		/* of the same hash */
	bool used, always_drawn, has_mode, master;
	uint32_t online;
	uint64_t used_ns;
	uint64_t sequence, last[CAUSE_UNKNOWN];	/* of what was noticed, and its kinds */
	enum watch_cause caused;	/* the last that was more than a sample, and when */
	uint64_t caused_ns;
};

struct watch_vcpu {
	uint32_t vm, id, next;
	bool used, seen, has_line, stable;
	bool has_offset, has_traced_offset, born;
	bool is_due;		/* a line will be drawn for the TSC that moved */
	bool has_version[WATCH_PAGES];
	uint8_t next_version;
	uint32_t version[WATCH_PAGES];
	uint32_t losses;	/* of the model, when it was drawn */
	struct kc_line line;
	uint64_t told_ns;	/* when its line was told; 0: it was not */
	uint64_t drawn_ns, drawn_sequence;
	uint64_t offset;
	uint64_t moved_gtsc, moved_ns, moved_sequence;	/* the TSC, since the line was drawn */
	uint64_t error_ns;		/* mod 2^64 */
};

struct watch_table {
	struct watch_vm *vm;
	struct watch_vcpu *vcpu;
	uint32_t *vm_head, *vcpu_head;	/* 1 + index, 0: none; as many as there is room */
	uint32_t vm_room, vcpu_room, vms, vcpus;
	uint32_t vm_free, vcpu_free;	/* 1 + index of the first, chained by next */
	uint32_t moved;			/* vCPUs with moved_gtsc */
};

bool watch_table_init(struct watch_table *table, uint32_t vms, uint32_t vcpus);
void watch_table_free(struct watch_table *table);

/* The VM, made if it is not there; *evicted counts those that made room. */
struct watch_vm *watch_table_vm(struct watch_table *table, struct watch_vm_id id, uint64_t *evicted);
/* Its vCPU; NULL when this VM alone fills the table, which counts, too. */
struct watch_vcpu *watch_table_vcpu(struct watch_table *table, struct watch_vm *vm, uint32_t id,
				    uint64_t *evicted);
void watch_table_forget(struct watch_table *table, struct watch_vm_id id);
void watch_table_moved(struct watch_table *table, struct watch_vcpu *vcpu, uint64_t moved_gtsc);

#endif
