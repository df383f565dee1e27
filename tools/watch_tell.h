/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What debugfs tells of a VM before anything of it was traced. */
#ifndef KVMCLOCK_WATCH_TELL_H
#define KVMCLOCK_WATCH_TELL_H

#include "watch_model.h"

/*
 * Tells the model that the VM is there, its vCPUs' TSC offsets and, if now_ns is not 0 and KVM
 * is ours, their lines: as they are at now_ns, or later.
 */
void watch_tell(struct watch_model *model, struct watch_vm_id id, uint64_t now_ns);

#endif
