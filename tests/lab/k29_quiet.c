// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K29: a page is written when it changes: 64 vCPUs, 64 writes, then none. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scene.h"
#include "tap.h"

#define TRACE "/sys/kernel/tracing/"
#define VCPUS 64
#define SETTLE_MS 150	/* stock writes again after 100 ms */

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		tap_bail("%s", path);
	close(fd);
}

static void forget_writes(void)
{
	put(TRACE "trace", "");
}

/* Page writes that KVM has traced since. */
static int writes(void)
{
	FILE *trace = fopen(TRACE "trace", "r");
	char line[512];
	int count = 0;

	if (!trace)
		tap_bail(TRACE "trace");
	while (fgets(line, sizeof(line), trace))
		count += strstr(line, "kvm_pvclock_update:") != NULL;
	fclose(trace);
	return count;
}

/* Pages of the clock slot that the guest or KVM wrote since; asking resets. */
static int dirty_pages(struct vm *vm)
{
	uint64_t bits = 0;
	struct kvm_dirty_log log = { .slot = VM_CLOCK_SLOT, .dirty_bitmap = &bits };

	if (vm_ioctl(vm, KVM_GET_DIRTY_LOG, &log))
		tap_bail("KVM_GET_DIRTY_LOG");
	return __builtin_popcountll(bits);
}

static void run_all(struct vm *vm)
{
	int i;

	for (i = 0; i < VCPUS; i++)
		vcpu_run(&vm->vcpu[i], GUEST_SPIN, 1000, 0);
}

static int unstable_pages(struct vm *vm)
{
	int i, count = 0;

	for (i = 0; i < VCPUS; i++)
		count += !(vcpu_page(&vm->vcpu[i]).flags & PVCLOCK_TSC_STABLE_BIT);
	return count;
}

static void check(struct vm *vm)
{
	int count, dirty, round;

	forget_writes();
	vm_open_running(vm, 0, VCPUS);
	count = writes();
	tap_ok(count == VCPUS, "K29: 64 vCPUs created and run: 64 page writes");
	tap_figure("K29", "first_writes", count, "writes");
	count = unstable_pages(vm);
	tap_ok(count == 0, "K29: all pages are stable");
	tap_figure("K29", "unstable_pages", count, "pages");
	forget_writes();
	dirty_pages(vm);
	for (round = 0; round < 3; round++) {
		host_sleep_ms(SETTLE_MS);
		run_all(vm);
	}
	count = writes();
	dirty = dirty_pages(vm);
	tap_ok(count == 0, "K29: no writes afterwards");
	tap_figure("K29", "later_writes", count, "writes");
	tap_ok(dirty == 0, "K29: dirty log shows no page");
	tap_figure("K29", "later_dirty_pages", dirty, "pages");
}

int main(void)
{
	static struct vm vm;

	put(TRACE "events/kvm/kvm_pvclock_update/enable", "1");
	check(&vm);
	put(TRACE "events/kvm/kvm_pvclock_update/enable", "0");
	vm_close(&vm);
	return tap_end();
}
