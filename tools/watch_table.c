// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "watch_table.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash(uint64_t key, uint32_t room)
{
	return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32) % room;
}

static uint32_t hash_vm(const struct watch_table *table, struct watch_vm_id id)
{
	return hash((uint64_t)id.pid << 32 | id.fd, table->vm_room);
}

static uint32_t hash_vcpu(const struct watch_table *table, uint32_t vm, uint32_t id)
{
	return hash((uint64_t)vm << 32 | id, table->vcpu_room);
}

bool watch_table_init(struct watch_table *table, uint32_t vms, uint32_t vcpus)
{
	uint32_t i;

	table->vm_room = vms;
	table->vcpu_room = vcpus;
	table->vm = calloc(vms, sizeof(*table->vm));
	table->vcpu = calloc(vcpus, sizeof(*table->vcpu));
	table->vm_head = calloc(vms, sizeof(*table->vm_head));
	table->vcpu_head = calloc(vcpus, sizeof(*table->vcpu_head));
	if (!table->vm || !table->vcpu || !table->vm_head || !table->vcpu_head)
		return false;
	for (i = 0; i < vms; i++)
		table->vm[i].next = i + 1 < vms ? i + 2 : 0;
	for (i = 0; i < vcpus; i++)
		table->vcpu[i].next = i + 1 < vcpus ? i + 2 : 0;
	table->vm_free = table->vcpu_free = 1;
	return true;
}

void watch_table_free(struct watch_table *table)
{
	free(table->vm);
	free(table->vcpu);
	free(table->vm_head);
	free(table->vcpu_head);
}

void watch_table_moved(struct watch_table *table, struct watch_vcpu *vcpu, uint64_t moved_gtsc)
{
	table->moved += (moved_gtsc != 0) - (vcpu->moved_gtsc != 0);
	vcpu->moved_gtsc = moved_gtsc;
}

static void forget_vcpu(struct watch_table *table, uint32_t index)
{
	struct watch_vcpu *vcpu = &table->vcpu[index];
	uint32_t *link = &table->vcpu_head[hash_vcpu(table, vcpu->vm, vcpu->id)];

	while (*link != index + 1)
		link = &table->vcpu[*link - 1].next;
	*link = vcpu->next;
	watch_table_moved(table, vcpu, 0);
	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->next = table->vcpu_free;
	table->vcpu_free = index + 1;
	table->vcpus--;
}

static void forget_vm(struct watch_table *table, uint32_t index)
{
	struct watch_vm *vm = &table->vm[index];
	uint32_t *link = &table->vm_head[hash_vm(table, vm->id)], i;

	for (i = 0; i < table->vcpu_room; i++)
		if (table->vcpu[i].used && table->vcpu[i].vm == index)
			forget_vcpu(table, i);
	while (*link != index + 1)
		link = &table->vm[*link - 1].next;
	*link = vm->next;
	memset(vm, 0, sizeof(*vm));
	vm->next = table->vm_free;
	table->vm_free = index + 1;
	table->vms--;
}

static struct watch_vm *find_vm(struct watch_table *table, struct watch_vm_id id)
{
	uint32_t at = table->vm_head[hash_vm(table, id)];

	while (at && (table->vm[at - 1].id.pid != id.pid || table->vm[at - 1].id.fd != id.fd))
		at = table->vm[at - 1].next;
	return at ? &table->vm[at - 1] : NULL;
}

void watch_table_forget(struct watch_table *table, struct watch_vm_id id)
{
	struct watch_vm *vm = find_vm(table, id);

	if (vm)
		forget_vm(table, (uint32_t)(vm - table->vm));
}

/* The one that did nothing for the longest time, but not this one. */
static bool evict(struct watch_table *table, const struct watch_vm *keep, uint64_t *evicted)
{
	struct watch_vm *idle = NULL;
	uint32_t i;

	for (i = 0; i < table->vm_room; i++) {
		struct watch_vm *vm = &table->vm[i];

		if (vm->used && vm != keep && (!idle || vm->used_ns < idle->used_ns))
			idle = vm;
	}
	++*evicted;
	if (!idle)
		return false;
	forget_vm(table, (uint32_t)(idle - table->vm));
	return true;
}

struct watch_vm *watch_table_vm(struct watch_table *table, struct watch_vm_id id, uint64_t *evicted)
{
	struct watch_vm *vm = find_vm(table, id);
	uint32_t *head;

	if (vm)
		return vm;
	if (!table->vm_free)
		evict(table, NULL, evicted);
	vm = &table->vm[table->vm_free - 1];
	table->vm_free = vm->next;
	head = &table->vm_head[hash_vm(table, id)];
	vm->id = id;
	vm->used = true;
	vm->next = *head;
	*head = (uint32_t)(vm - table->vm) + 1;
	table->vms++;
	return vm;
}

struct watch_vcpu *watch_table_vcpu(struct watch_table *table, struct watch_vm *vm, uint32_t id,
				    uint64_t *evicted)
{
	uint32_t index = (uint32_t)(vm - table->vm), *head = &table->vcpu_head[hash_vcpu(table, index, id)];
	uint32_t at = *head;
	struct watch_vcpu *vcpu;

	while (at && (table->vcpu[at - 1].vm != index || table->vcpu[at - 1].id != id))
		at = table->vcpu[at - 1].next;
	if (at)
		return &table->vcpu[at - 1];
	while (!table->vcpu_free)
		if (!evict(table, vm, evicted))
			return NULL;
	vcpu = &table->vcpu[table->vcpu_free - 1];
	table->vcpu_free = vcpu->next;
	vcpu->vm = index;
	vcpu->id = id;
	vcpu->used = true;
	vcpu->next = *head;
	*head = (uint32_t)(vcpu - table->vcpu) + 1;
	table->vcpus++;
	return vcpu;
}
