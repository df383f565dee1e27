// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K29: a page is written when it changes: 64 vCPUs, 64 writes, then none. */
#include "scene.h"
#include "tap.h"
#include "trace.h"

#define WRITES "kvm_pvclock_update"
#define VCPUS 64
#define SETTLE_MS 150	/* stock writes again after 100 ms */

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

	trace_forget();
	vm_open_running(vm, 0, VCPUS);
	count = trace_count(WRITES);
	tap_ok(count == VCPUS, "K29: 64 vCPUs created and run: 64 page writes");
	tap_figure("K29", "first_writes", count, "writes");
	count = unstable_pages(vm);
	tap_ok(count == 0, "K29: all pages are stable");
	tap_figure("K29", "unstable_pages", count, "pages");
	trace_forget();
	dirty_pages(vm);
	for (round = 0; round < 3; round++) {
		host_sleep_ms(SETTLE_MS);
		run_all(vm);
	}
	count = trace_count(WRITES);
	dirty = dirty_pages(vm);
	tap_ok(count == 0, "K29: no writes afterwards");
	tap_figure("K29", "later_writes", count, "writes");
	tap_ok(dirty == 0, "K29: dirty log shows no page");
	tap_figure("K29", "later_dirty_pages", dirty, "pages");
}

int main(void)
{
	static struct vm vm;

	trace_enable(WRITES, true);
	check(&vm);
	trace_enable(WRITES, false);
	vm_close(&vm);
	return tap_end();
}
