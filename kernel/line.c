// SPDX-License-Identifier: GPL-2.0-only
/* What stock KVM has no counterpart for: see uapi/kvm_clock.h. */
#include <linux/delay.h>
#include "kvm_clock.h"
#include "kvmclock/move.h"
#include "uapi/kvm_clock.h"

#define KVM_CLOCK_FEATURES (KVM_CLOCK_LINE_IOCTLS | KVM_CLOCK_LINE_SCALE | \
			    KVM_CLOCK_LINE_FROM_START | KVM_CLOCK_LINE_EXACT)

#define KVM_CLOCK_WAIT_NS 100000

/*
 * Stable pages wait until the clock is past what pages showed: here, if none was
 * written since, or by the work, for which all pages are due then.
 */
noinline void kvm_clock_pass_shown(struct kvm_clock_update *u)
{
	u64 ahead_ns = u->m->shown_ns - kc_master_read_floor_ns(u->m, u->r.now);

	if (u->pages_due && ahead_ns < KVM_CLOCK_WAIT_NS) {
		udelay(ahead_ns / NSEC_PER_USEC + 1);
		kvm_clock_open(u, u->kvm);
		kc_master_time_passed(u->m, u->r.now);
		kvm_clock_close(u);
	}
	if (u->m->shown_ns)
		mod_delayed_work(system_wq, &u->kvm->arch.kvmclock_sync_work,
				 nsecs_to_jiffies(ahead_ns) + 1);
}

static int kvm_clock_get_line(struct kvm_vcpu *vcpu, void __user *argp)
{
	struct kc_master m = kvm_clock_state(vcpu->kvm);
	struct kc_pvclock page;
	struct kc_line line;

	if (kc_master_reasons(&m))
		return -EINVAL;
	line = kc_master_vcpu_line(&m, kvm_clock_tsc(vcpu));
	page = kc_pvclock_of_line(&line, kc_master_is_stable(&m) ?
					 KC_PVCLOCK_TSC_STABLE : 0);
	return copy_to_user(argp, &page, sizeof(page)) ? -EFAULT : 0;
}

static int kvm_clock_check_line(struct kvm_clock_update *u, struct kc_tsc tsc,
				const struct kc_pvclock *page)
{
	u64 gtsc = kc_tsc_read_floor(&u->m->host, tsc, u->r.now.htsc);

	if (kc_master_reasons(u->m) || !tsc.ratio)
		return -EINVAL;
	switch (kc_pvclock_check(page, gtsc,
				 kc_rate_of_tsc_nearest(&u->m->host, tsc.ratio))) {
	case KC_OK:
		return 0;
	case KC_OUT_OF_RANGE:
		return -ERANGE;
	default:
		return -EINVAL;
	}
}

static int kvm_clock_set_line(struct kvm_vcpu *vcpu, void __user *argp)
{
	struct kvm_clock_update u;
	struct kc_pvclock page;
	struct kc_tsc tsc;
	int r;

	if (copy_from_user(&page, argp, sizeof(page)))
		return -EFAULT;
	kvm_clock_begin(&u, vcpu->kvm);
	tsc = kvm_clock_tsc(vcpu);
	r = kvm_clock_check_line(&u, tsc, &page);
	u.is_set = !r;
	if (u.is_set)
		u.pages_due |= kc_master_line_set(u.m, u.r.now, tsc,
						  kc_pvclock_line(&page));
	kvm_clock_end(&u);
	return r;
}

int kvm_clock_get_scale(struct kvm_vcpu *vcpu, void __user *uaddr)
{
	struct kvm_vcpu_tsc_scale scale = {
		.tsc_ratio = vcpu->arch.l1_tsc_scaling_ratio,
		.tsc_frac_bits = kvm_caps.tsc_scaling_ratio_frac_bits,
	};

	return copy_to_user(uaddr, &scale, sizeof(scale)) ? -EFAULT : 0;
}

long kvm_arch_vcpu_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	struct kvm_vcpu *vcpu = filp->private_data;
	void __user *argp = (void __user *)arg;

	switch (ioctl) {
	case KVM_GET_CLOCK_GUEST:
		return kvm_clock_get_line(vcpu, argp);
	case KVM_SET_CLOCK_GUEST:
		return kvm_clock_set_line(vcpu, argp);
	default:
		return stock_kvm_arch_vcpu_ioctl(filp, ioctl, arg);
	}
}

int kvm_vm_ioctl_check_extension(struct kvm *kvm, long ext)
{
	if (ext == KVM_CAP_CLOCK_LINE)
		return KVM_CLOCK_FEATURES;
	return stock_kvm_vm_ioctl_check_extension(kvm, ext);
}
