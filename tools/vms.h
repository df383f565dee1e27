/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The running VMs, as debugfs shows them; for root. */
#ifndef KVMCLOCK_VMS_H
#define KVMCLOCK_VMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct document;

struct vcpu_facts {
	unsigned int id;
	bool has_ratio;			/* no ratio: the TSC is not scaled, or KVM does not tell */
	uint64_t offset_gtsc, ratio, frac_bits;
	int64_t khz;			/* 0: not known */
};

enum vm_mode { VM_MODE_UNKNOWN, VM_MODE_MASTER, VM_MODE_HOST };

/* What only the state file of our KVM tells. */
struct vm_state {
	bool is_there;
	bool stable, matched_only;	/* matched_only: offset_master_clock is 0 */
	int64_t clock_ns, line_age_ns;
	int64_t updates, page_writes, sets, steps, steps_total_ns, step_worst_ns;
};

struct vm_facts {
	int64_t pid, fd;
	char name[32];			/* of the process; "" */
	enum vm_mode mode;
	char reasons[160];		/* against master mode, blanks between; "" */
	struct vm_state state;
	struct vcpu_facts *vcpus;
	size_t vcpu_count;
	bool unreadable;		/* something that is there was not what it is to be */
	int64_t khz;			/* of vCPU 0, 0: not known */
	bool unequal_rates;		/* vCPUs' TSCs have different rates: no spread then */
	uint64_t spread_gtsc;
	int64_t spread_ns;		/* rounded up; -1: not known */
};

struct vms {
	struct vm_facts *vm;
	size_t count;
};

/* Those of one process, or all with pid 0.  0, or -errno of the folder of VMs. */
int vms_read(struct vms *vms, int64_t pid);
void vms_free(struct vms *vms);
const char *vm_mode_word(enum vm_mode mode);

/* Findings, figures and "vms" of the document; each vCPU, too, when in_detail. */
void document_vms(struct document *doc, const struct vms *vms, bool in_detail);

#endif
