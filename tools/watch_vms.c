// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "watch_vms.h"
#include "files.h"
#include "watch_tell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define KVM "/sys/kernel/debug/kvm"
#define CACHE 16384		/* threads; what has the same place makes room */
#define BELIEVED_NS 10000000000ull	/* a thread's number may be another's later */
#define BELIEVED_NONE_NS 1000000000ull
#define MAX_VCPUS 4096

struct known_vm {
	struct watch_vm_id id;
	ino_t inode;
	bool is_there;
};

struct known_thread {
	uint32_t tid, vcpu;
	uint64_t read_ns;	/* 0: nobody */
	struct watch_vm_id vm;
};

struct watch_vms {
	struct watch_model *model;
	watch_change *change;
	void *context;
	struct known_vm *vm;
	uint32_t count, room, beyond;
	uint64_t seen, scanned_ns, scans;
	bool has_debugfs;
	struct known_thread thread[CACHE];
};

struct watch_vms *watch_vms_new(uint32_t room, struct watch_model *model, watch_change *change,
				void *context)
{
	struct watch_vms *vms = calloc(1, sizeof(*vms));

	if (!vms)
		return NULL;
	vms->vm = calloc(room, sizeof(*vms->vm));
	vms->room = room;
	vms->model = model;
	vms->change = change;
	vms->context = context;
	if (!vms->vm) {
		free(vms);
		return NULL;
	}
	return vms;
}

void watch_vms_free(struct watch_vms *vms)
{
	free(vms->vm);
	free(vms);
}

uint32_t watch_vms_count(const struct watch_vms *vms)
{
	return vms->count;
}

uint64_t watch_vms_seen(const struct watch_vms *vms)
{
	return vms->seen;
}

uint32_t watch_vms_beyond(const struct watch_vms *vms)
{
	return vms->beyond;
}

bool watch_vms_has_debugfs(const struct watch_vms *vms)
{
	return vms->has_debugfs;
}

static int by_id(const void *a, const void *b)
{
	const struct known_vm *x = a, *y = b;

	if (x->id.pid != y->id.pid)
		return x->id.pid < y->id.pid ? -1 : 1;
	return x->id.fd < y->id.fd ? -1 : x->id.fd > y->id.fd;
}

/* Those of before are in order. */
static struct known_vm *find(struct watch_vms *vms, uint32_t sorted, struct watch_vm_id id)
{
	const struct known_vm key = { .id = id };

	return sorted ? bsearch(&key, vms->vm, sorted, sizeof(key), by_id) : NULL;
}

static void found(struct watch_vms *vms, struct known_vm *vm)
{
	watch_tell(vms->model, vm->id, vms->scans == 1 ? vms->scanned_ns : 0);
	vms->seen++;
	vms->change(vms->context, vm->id, true);
}

static void look_at(struct watch_vms *vms, uint32_t sorted, struct watch_vm_id id, ino_t inode)
{
	struct known_vm *vm = find(vms, sorted, id);

	/* Another VM of the same name.  The model saw its vCPUs made, and may know more of it already. */
	if (vm && vm->inode != inode)
		vms->change(vms->context, id, false);
	if (!vm && vms->count == vms->room) {
		vms->beyond++;
		return;
	}
	if (!vm || vm->inode != inode) {
		vm = vm ? vm : &vms->vm[vms->count++];
		vm->id = id;
		vm->inode = inode;
		found(vms, vm);
	}
	vm->is_there = true;
}

static void forget_gone(struct watch_vms *vms)
{
	uint32_t i, kept = 0;

	for (i = 0; i < vms->count; i++) {
		if (vms->vm[i].is_there) {
			vms->vm[kept++] = vms->vm[i];
			continue;
		}
		vms->change(vms->context, vms->vm[i].id, false);
		watch_model_gone(vms->model, vms->vm[i].id);
	}
	vms->count = kept;
	qsort(vms->vm, vms->count, sizeof(*vms->vm), by_id);
}

void watch_vms_scan(struct watch_vms *vms, uint64_t now_ns)
{
	DIR *folder = open_folder(KVM);
	uint32_t sorted = vms->count, i;
	const struct dirent *entry;
	struct watch_vm_id id;
	char rest;

	vms->scanned_ns = now_ns;
	vms->scans++;
	vms->has_debugfs = folder != NULL;
	vms->beyond = 0;
	for (i = 0; i < vms->count; i++)
		vms->vm[i].is_there = false;
	while (folder && (entry = readdir(folder)) != NULL)
		if (sscanf(entry->d_name, "%u-%u%c", &id.pid, &id.fd, &rest) == 2)
			look_at(vms, sorted, id, entry->d_ino);
	if (folder)
		closedir(folder);
	forget_gone(vms);
}

/* Threads of the kernel have no memory of their own. */
static bool read_process(uint32_t tid, uint32_t *pid, bool *is_kernel)
{
	char text[2048], value[16];
	uint64_t number;

	if (read_text(text, sizeof(text), "/proc/%u/status", tid) <= 0 ||
	    !find_value(text, "Tgid", ':', value, sizeof(value)) || !parse_number(value + strspn(value, "\t "), &number))
		return false;
	*pid = (uint32_t)number;
	*is_kernel = !find_value(text, "VmSize", ':', value, sizeof(value));
	return true;
}

static bool runs_vcpu(struct watch_vm_id id, uint32_t tid, uint32_t vcpu)
{
	uint32_t i, end = vcpu == WATCH_NO_VCPU ? MAX_VCPUS : vcpu + 1;
	uint64_t runner;

	for (i = vcpu == WATCH_NO_VCPU ? 0 : vcpu; i < end; i++) {
		if (read_number(&runner, KVM "/%u-%u/vcpu%u/pid", id.pid, id.fd, i))
			return false;
		if (runner == tid)
			return true;
	}
	return false;
}

/* The VM of a process that has one; of several, the one whose vCPU the thread runs. */
static struct watch_vm_id vm_of_process(const struct watch_vms *vms, uint32_t pid, uint32_t tid, uint32_t vcpu)
{
	struct watch_vm_id id = WATCH_HOST;
	uint32_t low = 0, high = vms->count, i, matches = 0;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (vms->vm[middle].id.pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == vms->count || vms->vm[low].id.pid != pid)
		return id;
	if (low + 1 == vms->count || vms->vm[low + 1].id.pid != pid)
		return vms->vm[low].id;
	for (i = low; i < vms->count && vms->vm[i].id.pid == pid; i++) {
		if (!runs_vcpu(vms->vm[i].id, tid, vcpu))
			continue;
		id = vms->vm[i].id;
		matches++;
	}
	return matches == 1 ? id : (struct watch_vm_id){ pid, WATCH_NO_FD };
}

static struct watch_vm_id look_up(struct watch_vms *vms, uint32_t tid, uint32_t vcpu, uint64_t event_ns,
				  uint64_t now_ns, struct watch_vm_id before)
{
	struct watch_vm_id id;
	bool is_kernel;
	uint32_t pid;

	/* The thread is gone: what it did was for the VM it belonged to. */
	if (!read_process(tid, &pid, &is_kernel))
		return before;
	if (is_kernel)
		return WATCH_HOST;
	id = vm_of_process(vms, pid, tid, vcpu);
	/* It may have been made since we looked.  After that, all that was traced is older. */
	if (!id.pid && event_ns >= vms->scanned_ns) {
		watch_vms_scan(vms, now_ns);
		id = vm_of_process(vms, pid, tid, vcpu);
	}
	/* A VM that is gone already, or of which debugfs does not tell. */
	return id.pid ? id : (struct watch_vm_id){ pid, WATCH_GONE_FD };
}

static bool is_believed(struct watch_vms *vms, const struct known_thread *thread, uint64_t event_ns,
			uint64_t now_ns)
{
	uint64_t age_ns = now_ns - thread->read_ns;

	if (!thread->vm.pid || thread->vm.fd == WATCH_NO_FD)
		return age_ns < BELIEVED_NONE_NS;
	if (thread->vm.fd == WATCH_GONE_FD && vms->has_debugfs)
		return event_ns < thread->read_ns;
	if (thread->vm.fd == WATCH_GONE_FD)
		return age_ns < BELIEVED_NS;
	return age_ns < BELIEVED_NS && find(vms, vms->count, thread->vm);
}

struct watch_vm_id watch_vms_of(struct watch_vms *vms, uint32_t tid, uint32_t vcpu, uint64_t event_ns,
				uint64_t now_ns)
{
	struct known_thread *thread = &vms->thread[(tid ^ (vcpu + 1) * 2654435761u) % CACHE];
	bool same = thread->read_ns && thread->tid == tid && thread->vcpu == vcpu;

	if (same && is_believed(vms, thread, event_ns, now_ns))
		return thread->vm;
	thread->vm = look_up(vms, tid, vcpu, event_ns, now_ns, same ? thread->vm : WATCH_HOST);
	thread->tid = tid;
	thread->vcpu = vcpu;
	thread->read_ns = now_ns;
	return thread->vm;
}
