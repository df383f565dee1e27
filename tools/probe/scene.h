/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A VM whose guest remembers the pages it has seen, and compares each new one
 * with them at one TSC.
 */
#ifndef PROBE_SCENE_H
#define PROBE_SCENE_H

#include "vm.h"

/* Who wants to know more of a scene than its sums. */
struct scene_observer {
	/* A vCPU looked at its page: the clock's distance from its first line, at one TSC. */
	void (*saw)(struct scene_observer *observer, int vcpu, int64_t off_ns, uint64_t htsc);
	/* What follows is this. */
	void (*told)(struct scene_observer *observer, const char *what, uint64_t htsc);
};

struct scene {
	struct vm vm;
	struct scene_observer *observer;	/* or NULL */
	uint64_t step_ns;	/* worst step since scene_forget_step() */
	uint64_t pair_ns;	/* worst between any two pages of a vCPU */
	uint64_t sum_ns;	/* of all steps, as magnitudes */
	/* worst that a reading was less than one before it: of its vCPU, or of any when stable */
	uint64_t back_ns;
	uint64_t last_ns[VM_MAX_VCPUS], highest_ns;
};

/* count vCPUs at khz (0: the host's), each with its page set and remembered. */
void scene_open(struct scene *scene, uint32_t khz, int count);
void scene_close(struct scene *scene);

/* Lets every vCPU look at its page. */
void scene_check(struct scene *scene);

/* Tells the observer, if there is one. */
void scene_tell(struct scene *scene, const char *what);

/* This vCPU's TSC was moved: what it remembers moves along. */
void scene_moved(struct vcpu *vcpu, uint64_t delta_gtsc);

/* Do all pages have the stable bit? */
bool scene_is_stable(const struct scene *scene);

/*
 * A guest's khz that makes stock's rounding show: 5/6 of the host's; 0, which
 * stands for the host's own, without scaling hardware.
 */
uint32_t scene_scaled_khz(void);

#endif
