/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Which VMs there are, and to which of them a thread belongs: from debugfs and /proc. */
#ifndef KVMCLOCK_WATCH_VMS_H
#define KVMCLOCK_WATCH_VMS_H

#include "watch_model.h"

#define WATCH_NO_VCPU UINT32_MAX

struct watch_vms;
typedef void watch_change(void *context, struct watch_vm_id vm, bool is_there);

/* At most room VMs; what comes and goes is told to the model, and to change. */
struct watch_vms *watch_vms_new(uint32_t room, struct watch_model *model, watch_change *change,
				void *context);
void watch_vms_free(struct watch_vms *vms);

/* Looks what VMs there are. */
void watch_vms_scan(struct watch_vms *vms, uint64_t now_ns);
uint32_t watch_vms_count(const struct watch_vms *vms);
/* All that were seen; those for which there was no room at the last look. */
uint64_t watch_vms_seen(const struct watch_vms *vms);
uint32_t watch_vms_beyond(const struct watch_vms *vms);
/* Is KVM's debugfs readable?  Without it a process is one VM. */
bool watch_vms_has_debugfs(const struct watch_vms *vms);

/*
 * The VM that thread tid worked for at event_ns, or for its vCPU; WATCH_HOST: none.  fd 0: of its process.  What was read is
 * believed for a while, and looked up anew once the thread does not belong to a known VM.
 */
struct watch_vm_id watch_vms_of(struct watch_vms *vms, uint32_t tid, uint32_t vcpu, uint64_t event_ns,
				uint64_t now_ns);

#endif
