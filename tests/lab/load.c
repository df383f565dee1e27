// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "load.h"

#include <string.h>

#include "host_life.h"
#include "tap.h"

#define ROUND 200	/* readings in one run of a vCPU */

static void *keep_reading(void *arg)
{
	struct load_vcpu *self = arg;
	struct guest_box *box = self->vcpu->box;

	host_run_on(self->vcpu->id % 2);
	while (!self->load->is_over) {
		box->arg[2] = VM_SHARED_GPA;
		box->arg[3] = self->load->is_guarded;
		vcpu_run(self->vcpu, GUEST_HAMMER, vcpu_page_gpa(self->vcpu), ROUND);
		self->stable += box->out[0];
		self->back += box->out[1];
		if (box->out[2] > self->worst_back_ns)
			self->worst_back_ns = box->out[2];
	}
	return NULL;
}

void load_start(struct load *load, struct vm *vm, bool guarded)
{
	int i;

	memset(load, 0, sizeof(*load));
	memset(vm->mem + VM_SHARED_GPA, 0, sizeof(uint64_t));
	load->vm = vm;
	load->is_guarded = guarded;
	for (i = 0; i < vm->count; i++) {
		load->vcpu[i] = (struct load_vcpu) { .load = load, .vcpu = &vm->vcpu[i] };
		if (pthread_create(&load->vcpu[i].thread, NULL, keep_reading, &load->vcpu[i]))
			tap_bail("pthread_create");
	}
}

void load_stop(struct load *load, struct load_vcpu *sum)
{
	int i;

	load->is_over = true;
	for (i = 0; i < load->vm->count; i++) {
		const struct load_vcpu *one = &load->vcpu[i];

		pthread_join(one->thread, NULL);
		sum->stable += one->stable;
		sum->back += one->back;
		if (one->worst_back_ns > sum->worst_back_ns)
			sum->worst_back_ns = one->worst_back_ns;
	}
}
