// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The dirty ring of the vCPU that writes all pages fills up meanwhile: it does
 * not enter the guest, the next vCPU writes the rest before it does, and when
 * the ring was harvested the first goes on.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "scene.h"
#include "tap.h"

#define VCPUS VM_MAX_VCPUS
#define RING_BYTES 4096
#define ENTRIES (RING_BYTES / sizeof(struct kvm_dirty_gfn))
#define ROUNDS (ENTRIES / VCPUS + 1)
#define LEAP_NS 1000000000

static struct vm vm;

static bool has_small_ring(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_DIRTY_LOG_RING, .args = { RING_BYTES } };

	return !vm_ioctl(&vm, KVM_ENABLE_CAP, &cap);
}

static void set_clock(void)
{
	struct kvm_clock_data data = vm_get_clock(&vm);

	data.flags = 0;
	data.clock += LEAP_NS;
	if (vm_ioctl(&vm, KVM_SET_CLOCK, &data))
		tap_bail("KVM_SET_CLOCK");
}

/* Is its ring full, and did its guest not run? */
static bool is_kept_out(struct vcpu *vcpu)
{
	vcpu->box->op = GUEST_TSC;
	vcpu->box->out[0] = 0;
	return !ioctl(vcpu->fd, KVM_RUN, 0) && vcpu->run->exit_reason == KVM_EXIT_DIRTY_RING_FULL &&
	       !vcpu->box->out[0];
}

static int pages_of(const struct pvclock_vcpu_time_info *line)
{
	int i, count = 0;

	for (i = 0; i < VCPUS; i++) {
		struct pvclock_vcpu_time_info page = vcpu_page(&vm.vcpu[i]);

		count += exact_same_line(&page, line);
	}
	return count;
}

static void harvest(struct vcpu *vcpu)
{
	struct kvm_dirty_gfn *ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd,
					  KVM_DIRTY_LOG_PAGE_OFFSET * 4096);
	size_t i;

	if (ring == MAP_FAILED)
		tap_bail("the dirty ring");
	for (i = 0; i < ENTRIES; i++) {
		if (ring[i].flags & KVM_DIRTY_GFN_F_DIRTY)
			ring[i].flags = KVM_DIRTY_GFN_F_RESET;
	}
	if (vm_ioctl(&vm, KVM_RESET_DIRTY_RINGS, NULL) < 0)
		tap_bail("KVM_RESET_DIRTY_RINGS");
	munmap(ring, RING_BYTES);
}

static void check(void)
{
	struct pvclock_vcpu_time_info line;
	bool kept_out = false;
	size_t round;
	int count;

	for (round = 0; round < ROUNDS && !kept_out; round++) {
		set_clock();
		kept_out = is_kept_out(&vm.vcpu[0]);
	}
	tap_ok(kept_out && is_kept_out(&vm.vcpu[0]), "dirty_ring: who cannot write all pages does not enter");
	if (vcpu_ioctl(&vm.vcpu[0], KVM_GET_CLOCK_GUEST, &line))
		tap_bail("KVM_GET_CLOCK_GUEST");
	count = pages_of(&line);
	tap_ok(count && count < VCPUS, "dirty_ring: some pages are written");
	tap_figure("dirty_ring", "before_it_was_full", count, "pages");
	vcpu_run(&vm.vcpu[1], GUEST_TSC, 0, 0);
	count = pages_of(&line);
	tap_ok(count == VCPUS, "dirty_ring: the next that enters has written all");
	tap_figure("dirty_ring", "by_the_next", count, "pages");
	harvest(&vm.vcpu[0]);
	vcpu_run(&vm.vcpu[0], GUEST_TSC, 0, 0);
	tap_ok(vm.vcpu[0].box->out[0], "dirty_ring: harvested, the first goes on");
}

int main(void)
{
	int i;

	vm_open(&vm, 0);
	if (!host()->line || !has_small_ring()) {
		tap_skip(host()->line ? "no dirty ring that small" : "no vCPU writes all pages", "dirty_ring");
		return tap_end();
	}
	for (i = 0; i < VCPUS; i++)
		vcpu_set_page(vm_add_vcpu(&vm), MSR_CLOCK_NEW);
	for (i = 0; i < VCPUS; i++)
		vcpu_fresh_page(&vm.vcpu[i]);
	check();
	vm_close(&vm);
	return tap_end();
}
