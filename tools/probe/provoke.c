// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "provoke.h"

#include <pthread.h>

#include "probe.h"

#define TOGGLES 5
#define MOVE_MS 5000	/* further than what counts as synchronised */
#define MOVE_ONE_MS 20	/* less than any gap, so that TSCs stay positive */
#define BUSY_MS 5
#define LOOKS 10	/* while nothing is done */

const char *const provocation_name[PROVOKE_COUNT] = {
	[PROVOKE_MSR] = "msr_toggled",
	[PROVOKE_OFFSET] = "tsc_offset_moved",
	[PROVOKE_VCPU] = "vcpu_added",
	[PROVOKE_XEN] = "xen_shared_info",
	[PROVOKE_STOPPED] = "kvmclock_ctrl",
	[PROVOKE_GET_CLOCK] = "get_clock",
	[PROVOKE_OFFSET_ONE] = "one_tsc_offset_moved",
};

static void toggle_msr(struct scene *scene)
{
	int i;

	for (i = 0; i < TOGGLES; i++) {
		scene_tell(scene, "old MSR written");
		vcpu_set_page(&scene->vm.vcpu[0], MSR_CLOCK_OLD);
		scene_check(scene);
		scene_tell(scene, "new MSR written");
		vcpu_set_page(&scene->vm.vcpu[0], MSR_CLOCK_NEW);
		scene_check(scene);
	}
}

static void move_offsets(struct scene *scene, int first, int last, uint64_t delta)
{
	int i;

	for (i = first; i <= last; i++) {
		struct vcpu *vcpu = &scene->vm.vcpu[i];

		vcpu_set_tsc_offset(vcpu, vcpu_tsc_offset(vcpu) + delta);
		scene_moved(vcpu, delta);
	}
	scene_check(scene);
}

static void move_and_return_all(struct scene *scene)
{
	uint64_t delta = (uint64_t)scene->vm.khz * MOVE_MS;

	scene_tell(scene, "all offsets moved");
	move_offsets(scene, 0, scene->vm.count - 1, delta);
	scene_tell(scene, "all offsets moved back");
	move_offsets(scene, 0, scene->vm.count - 1, -delta);
}

/* First back: stock does not write the page after the second move. */
static void move_and_return_one(struct scene *scene)
{
	uint64_t delta = (uint64_t)scene->vm.khz * MOVE_ONE_MS;

	scene_tell(scene, "one offset moved");
	move_offsets(scene, 1, 1, -delta);
	scene_tell(scene, "it is moved back");
	move_offsets(scene, 1, 1, delta);
}

static void *keep_busy(void *arg)
{
	struct vcpu *vcpu = arg;

	vcpu_run(vcpu, GUEST_SPIN, (uint64_t)vcpu->khz * BUSY_MS, 0);
	return NULL;
}

static void add_vcpu(struct scene *scene)
{
	struct vcpu *added;
	pthread_t thread;

	if (pthread_create(&thread, NULL, keep_busy, &scene->vm.vcpu[0]))
		probe_fail("pthread_create");
	host_sleep_ms(1);
	scene_tell(scene, "vCPU added");
	added = vm_add_vcpu(&scene->vm);
	vcpu_set_page(added, MSR_CLOCK_NEW);
	pthread_join(thread, NULL);
	scene_check(scene);
}

static void set_xen_page(struct scene *scene)
{
	scene_tell(scene, "shared_info set");
	if (vm_set_xen_page(&scene->vm))
		probe_fail("Xen shared_info");
	scene_check(scene);
}

static void say_stopped(struct scene *scene)
{
	int i;

	scene_tell(scene, "KVM_KVMCLOCK_CTRL");
	for (i = 0; i < scene->vm.count; i++) {
		if (vcpu_ioctl(&scene->vm.vcpu[i], KVM_KVMCLOCK_CTRL, NULL))
			probe_fail("KVM_KVMCLOCK_CTRL");
	}
	scene_check(scene);
}

/* Who watches is shown the time that passes, too. */
static void wait_ms(struct scene *scene, unsigned int ms)
{
	for (int i = 1; scene->observer && i < LOOKS; i++) {
		host_sleep_ms(ms / LOOKS);
		scene_check(scene);
	}
	host_sleep_ms(scene->observer ? ms / LOOKS : ms);
	scene_check(scene);
}

static void do_it(struct scene *scene, enum provocation_id id)
{
	switch (id) {
	case PROVOKE_MSR:
		toggle_msr(scene);
		break;
	case PROVOKE_OFFSET:
		move_and_return_all(scene);
		break;
	case PROVOKE_OFFSET_ONE:
		move_and_return_one(scene);
		break;
	case PROVOKE_VCPU:
		add_vcpu(scene);
		break;
	case PROVOKE_XEN:
		set_xen_page(scene);
		break;
	case PROVOKE_STOPPED:
		say_stopped(scene);
		break;
	case PROVOKE_GET_CLOCK:
		scene_tell(scene, "KVM_GET_CLOCK");
		vm_get_clock(&scene->vm);
		/* fall through */
	default:
		scene_check(scene);
	}
}

uint64_t provoke(struct scene *scene, enum provocation_id id, unsigned int gap_ms)
{
	wait_ms(scene, gap_ms);
	scene->step_ns = 0;
	do_it(scene, id);
	if (scene->observer)
		wait_ms(scene, gap_ms / 4);
	return scene->step_ns;
}

void provoke_all(struct scene *scene, int rounds, unsigned int gap_ms, uint64_t *worst_ns)
{
	int round, id;

	for (id = 0; id < PROVOKE_COUNT; id++)
		worst_ns[id] = 0;
	for (round = 0; round < rounds; round++) {
		for (id = 0; id < PROVOKE_OFFSET_ONE; id++) {
			uint64_t step_ns = provoke(scene, id, gap_ms);

			if (step_ns > worst_ns[id])
				worst_ns[id] = step_ns;
		}
	}
	worst_ns[PROVOKE_OFFSET_ONE] = provoke(scene, PROVOKE_OFFSET_ONE, gap_ms);
}
