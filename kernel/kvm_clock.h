/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock of KVM's VMs on core/.
 *
 * Locks, outermost first:
 *   vcpu->mutex	a vCPU's own TSC offset and ratio, as in all of KVM
 *   clock.lock		one update of a VM's clock at a time, from its decision
 *			until entry is held; and the writing of pages
 *   hv_lock, gpc locks	taken while pages are written
 *   tsc_write_lock	the state itself, with pvclock_sc for readers that take
 *			no lock; a leaf, interrupts off
 *
 * Guest entry is held by whoever updates, in this order: a request is set on
 * every vCPU; the new state can be read; every vCPU has left the guest; the
 * lock is free.  A vCPU with the request must have the lock to enter, and the
 * first that has it writes all pages.  So no updater ends the hold of another,
 * and a guest that runs has no page that shows an older line, but for one that
 * could not be written, which is tried again later.  Updaters without a pause
 * do not keep vCPUs out for ever: a mutex is handed to who waited long.
 *
 * Pages are written, and so guest memory is waited for, with clock.lock held:
 * vCPUs about to enter wait for it interruptibly, workers only where hv_lock's
 * holder does; ioctls, and vCPUs whose guest has just begun an update (its TSC or
 * a system-time MSR written), until it comes.
 */
#ifndef KVM_CLOCK_INTERNAL_H
#define KVM_CLOCK_INTERNAL_H

#include <linux/kvm_host.h>
#include "kvmclock/sample.h"
#include "kvmclock/pvclock.h"
#include "compat.h"
#include "x86.h"

/* A page of core's is a guest's. */
static_assert(sizeof(struct kc_pvclock) == sizeof(struct pvclock_vcpu_time_info));
static_assert(offsetof(struct kc_pvclock, tsc_shift) ==
	      offsetof(struct pvclock_vcpu_time_info, tsc_shift));
static_assert(KC_PVCLOCK_TSC_STABLE == PVCLOCK_TSC_STABLE_BIT);
static_assert(KC_PVCLOCK_GUEST_STOPPED == PVCLOCK_GUEST_STOPPED);

/*
 * One reading of the host; real_ns and now belong together if is_tsc.  If not,
 * raw time and TSC are two reads: with interrupts off where both are used.
 */
struct kvm_clock_reading {
	struct kc_reading now;
	s64 real_ns;
	bool is_tsc;
};

/* The host's clocksource, for tracepoints. */
static inline int kvm_clock_vdso_mode(const struct kvm_clock_reading *r)
{
	return r->is_tsc ? VDSO_CLOCKMODE_TSC : VDSO_CLOCKMODE_NONE;
}

/* One update of a VM's clock, between begin and end. */
struct kvm_clock_update {
	struct kvm *kvm;
	struct kc_master *m;
	struct kvm_clock_reading r;
	unsigned long flags;
	u64 before_ns;		/* the clock at r, by the state before */
	bool pages_due;
	bool is_set;		/* to move the clock is what it is for */
};

/* clock.c: the state, and the clock as a number */
void kvm_clock_read_host(struct kvm_clock_reading *r);
struct kc_master kvm_clock_state(struct kvm *kvm);
bool kvm_clock_is_master(struct kvm *kvm);
void kvm_clock_init_vm(struct kvm *kvm);
void kvm_clock_open(struct kvm_clock_update *u, struct kvm *kvm);
void kvm_clock_close(struct kvm_clock_update *u);
void kvm_clock_begin(struct kvm_clock_update *u, struct kvm *kvm);
void kvm_clock_end(struct kvm_clock_update *u);

/* tsc.c: the TSCs of vCPUs */
extern u32 tsc_tolerance_ppm;
struct kc_tsc kvm_clock_hw_tsc(struct kvm_vcpu *vcpu);
struct kc_tsc kvm_clock_tsc(struct kvm_vcpu *vcpu);
void kvm_clock_set_hw_tsc(struct kvm_vcpu *vcpu, struct kc_tsc l1);
void kvm_clock_host_tsc_restarted(struct kvm_vcpu *vcpu);
void kvm_clock_vcpu_came(struct kvm_vcpu *vcpu);
void kvm_clock_tsc_changes(struct kvm_clock_update *u, struct kvm_vcpu *vcpu,
			   struct kc_tsc hw, bool catch_up, bool by_host);

/* page.c: what guests read */
int kvm_clock_pass(struct kvm_vcpu *v, bool is_due);

/* frequency.c: the frequency of a vCPU's TSC */
void kvm_clock_catch_up(struct kvm_vcpu *vcpu);
u64 kvm_clock_caught_up_gtsc(struct kvm_clock_update *u, struct kvm_vcpu *self, u32 khz);

/* line.c: what the stock KVM has no counterpart for */
void kvm_clock_pass_shown(struct kvm_clock_update *u);
int kvm_clock_get_scale(struct kvm_vcpu *vcpu, void __user *uaddr);

/* state_file.c: for operators; parameters, the state, and what is counted for it */
extern bool offset_master_clock;
extern unsigned int kvmclock_sync_period_ms;
void kvm_clock_count_step(struct kvm_clock_counts *counts, u64 from_ns, u64 to_ns);
void kvm_clock_count(struct kvm_clock_update *u);

/* steal.c: what vCPUs waited for a CPU */
u64 kvm_clock_waited_ns(struct kc_thread *seen);
int kvm_clock_steal(struct kvm_vcpu *vcpu, const u64 __user *shown, u64 *steal_ns);

/* host.c: what happens to the host */
extern unsigned long max_tsc_khz;
extern bool kvmclock_periodic_sync;
unsigned int kvm_clock_cpu_khz(void);
extern bool kvm_clock_host_is_hyperv;
extern s64 kvm_clock_boot_ns;		/* CLOCK_BOOTTIME less CLOCK_MONOTONIC */

/* A host on Hyper-V marks its TSC unstable and yet keeps time by it. */
static inline bool kvm_check_tsc_unstable(void)
{
	return check_tsc_unstable() && !kvm_clock_host_is_hyperv;
}

/*
 * Upstream's functions that are taken over, with upstream's signatures, those
 * that were static too: one that survives in x86.c does not compile.
 */
int kvm_vm_ioctl_get_clock(struct kvm *kvm, void __user *argp);
int kvm_vm_ioctl_set_clock(struct kvm *kvm, void __user *argp);
void kvm_update_masterclock(struct kvm *kvm);
int kvm_pv_clock_pairing(struct kvm_vcpu *vcpu, gpa_t paddr,
			 unsigned long clock_type);
void kvm_write_wall_clock(struct kvm *kvm, gpa_t wall_clock, int sec_hi_ofs);
void kvm_write_system_time(struct kvm_vcpu *vcpu, gpa_t system_time,
			   bool old_msr, bool host_initiated);
void kvmclock_reset(struct kvm_vcpu *vcpu);
void kvmclock_sync_fn(struct work_struct *work);

u64 __scale_tsc(u64 ratio, u64 tsc);
u64 kvm_compute_l1_tsc_offset(struct kvm_vcpu *vcpu, u64 target_tsc);
int kvm_set_tsc_khz(struct kvm_vcpu *vcpu, u32 user_tsc_khz);
void kvm_synchronize_tsc(struct kvm_vcpu *vcpu, u64 *user_value);
void adjust_tsc_offset_guest(struct kvm_vcpu *vcpu, s64 adjustment);
int kvm_arch_tsc_has_attr(struct kvm_vcpu *vcpu, struct kvm_device_attr *attr);
int kvm_arch_tsc_get_attr(struct kvm_vcpu *vcpu, struct kvm_device_attr *attr);
int kvm_arch_tsc_set_attr(struct kvm_vcpu *vcpu, struct kvm_device_attr *attr);

void kvm_timer_init(void);
void kvm_hyperv_tsc_notifier(void);
extern struct notifier_block kvmclock_cpufreq_notifier_block;
extern struct notifier_block pvclock_gtod_notifier;
extern struct irq_work pvclock_irq_work;
extern struct work_struct pvclock_gtod_work;

/* The vCPU's page is asked for. */
static inline int kvm_guest_time_update(struct kvm_vcpu *v)
{
	return kvm_clock_pass(v, true);
}

/* All pages are, by an update, of all vCPUs; its own perhaps for more. */
static inline void kvm_gen_kvmclock_update(struct kvm_vcpu *v)
{
	kvm_clock_pass(v, kvm_check_request(KVM_REQ_CLOCK_UPDATE, v));
}

/* Stock functions that ours stand in front of, or call. */
long stock_kvm_arch_vcpu_ioctl(struct file *filp, unsigned int ioctl,
			       unsigned long arg);
int stock_kvm_vm_ioctl_check_extension(struct kvm *kvm, long ext);
int stock_kvm_arch_pm_notifier(struct kvm *kvm, unsigned long state);
void stock_kvm_arch_create_vm_debugfs(struct kvm *kvm);
void kvm_user_return_msr_cpu_online(void);
int kvm_x86_check_processor_compatibility(void);
void kvm_xen_update_runstate_guest(struct kvm_vcpu *v, bool atomic);
bool compute_tsc_page_parameters(struct pvclock_vcpu_time_info *hv_clock,
				 struct ms_hyperv_tsc_page *tsc_ref);

#endif
