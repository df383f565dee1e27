// SPDX-License-Identifier: GPL-2.0-only
/* The TSCs of vCPUs: offset and ratio, and what their changes mean. */
#include "kvm_clock.h"
#include "trace.h"
#include "uapi/kvm_clock.h"

u64 __scale_tsc(u64 ratio, u64 tsc)
{
	return kc_mul_shr_floor(tsc, ratio, kvm_caps.tsc_scaling_ratio_frac_bits);
}

u64 kvm_scale_tsc(u64 tsc, u64 ratio)
{
	return ratio == kvm_caps.default_tsc_scaling_ratio ? tsc : __scale_tsc(ratio, tsc);
}

u64 kvm_read_l1_tsc(struct kvm_vcpu *vcpu, u64 host_tsc)
{
	return kvm_scale_tsc(host_tsc, vcpu->arch.l1_tsc_scaling_ratio) + vcpu->arch.l1_tsc_offset;
}

u64 kvm_compute_l1_tsc_offset(struct kvm_vcpu *vcpu, u64 target_tsc)
{
	return target_tsc - kvm_scale_tsc(rdtsc(), vcpu->arch.l1_tsc_scaling_ratio);
}

/* A nested guest's TSC is L1's, scaled and moved once more. */
u64 kvm_calc_nested_tsc_offset(u64 l1_offset, u64 l2_offset, u64 l2_multiplier)
{
	u8 frac_bits = kvm_caps.tsc_scaling_ratio_frac_bits;

	if (l2_multiplier == kvm_caps.default_tsc_scaling_ratio)
		return l1_offset + l2_offset;
	return (u64)mul_s64_u64_shr(l1_offset, l2_multiplier, frac_bits) + l2_offset;
}

u64 kvm_calc_nested_tsc_multiplier(u64 l1_multiplier, u64 l2_multiplier)
{
	if (l2_multiplier == kvm_caps.default_tsc_scaling_ratio)
		return l1_multiplier;
	return __scale_tsc(l1_multiplier, l2_multiplier);
}

struct kc_tsc kvm_clock_hw_tsc(struct kvm_vcpu *vcpu)
{
	return (struct kc_tsc) {
		.ratio = vcpu->arch.l1_tsc_scaling_ratio,
		.offset_gtsc = vcpu->arch.l1_tsc_offset +
			       vcpu->arch.tsc_offset_adjustment, };
}

struct kc_tsc kvm_clock_tsc(struct kvm_vcpu *vcpu)
{
	struct kc_tsc tsc = kvm_clock_hw_tsc(vcpu);

	if (vcpu->arch.tsc_catchup)
		tsc.ratio = 0;
	return tsc;
}

/* Hardware takes L1's TSC, or with a nested guest running what that amounts to. */
void kvm_clock_set_hw_tsc(struct kvm_vcpu *vcpu, struct kc_tsc l1)
{
	struct kc_tsc hw = l1;

	if (is_guest_mode(vcpu)) {
		u64 l2_ratio = kvm_x86_call(get_l2_tsc_multiplier)(vcpu);
		u64 l2_offset = kvm_x86_call(get_l2_tsc_offset)(vcpu);

		hw.ratio = kvm_calc_nested_tsc_multiplier(l1.ratio, l2_ratio);
		hw.offset_gtsc = kvm_calc_nested_tsc_offset(l1.offset_gtsc, l2_offset, l2_ratio);
	}
	trace_kvm_write_tsc_offset(vcpu->vcpu_id, vcpu->arch.l1_tsc_offset, l1.offset_gtsc);
	vcpu->arch.tsc_offset_adjustment = 0;
	vcpu->arch.l1_tsc_offset = l1.offset_gtsc;
	vcpu->arch.l1_tsc_scaling_ratio = l1.ratio;
	vcpu->arch.tsc_offset = hw.offset_gtsc;
	vcpu->arch.tsc_scaling_ratio = hw.ratio;
	kvm_x86_call(write_tsc_offset)(vcpu);
	if (kvm_caps.has_tsc_control)
		kvm_x86_call(write_tsc_multiplier)(vcpu);
}

/* How many vCPUs have tsc, if this one has it? */
static struct kc_census kvm_clock_census(struct kvm_vcpu *self, struct kc_tsc tsc)
{
	struct kc_census census = {};
	struct kvm_vcpu *vcpu;
	int i;

	for (i = 0; (vcpu = kvm_get_vcpu(self->kvm, i)); i++) {
		struct kc_tsc has = vcpu == self ? tsc : kvm_clock_tsc(vcpu);

		if (!vcpu->arch.tsc_counted)
			continue;
		census.nr_same_rate += has.ratio == tsc.ratio;
		census.nr_matched += kc_tsc_is_same(has, tsc);
	}
	return census;
}

/* Within an update: the vCPU, loaded here, gets the TSC hw, or is caught up on it. */
__flatten void kvm_clock_tsc_changes(struct kvm_clock_update *u, struct kvm_vcpu *vcpu,
			   struct kc_tsc hw, bool catch_up, bool by_host)
{
	struct kc_tsc from = kvm_clock_tsc(vcpu), to = { catch_up ? 0 : hw.ratio, hw.offset_gtsc };
	struct kc_census census = {};

	if (!vcpu->arch.tsc_counted) {
		u->pages_due |= kc_master_vcpu_created(u->m, u->r.now, to);
	} else {
		if (!kc_tsc_is_same(to, u->m->generation) && (by_host || u->m->nr_matched <= 1))
			census = kvm_clock_census(vcpu, to);
		u->pages_due |= kc_master_vcpu_tsc_changed(u->m, u->r.now, from, to, census,
							   by_host);
	}
	kvm_clock_set_hw_tsc(vcpu, hw);
	vcpu->arch.tsc_counted = true;
	vcpu->arch.tsc_catchup = catch_up;
	vcpu->arch.this_tsc_write = kvm_read_l1_tsc(vcpu, u->r.now.htsc);
	vcpu->arch.this_tsc_nsec = u->r.now.raw_ns;
	kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
	trace_kvm_track_tsc(vcpu->vcpu_id, u->m->nr_matched, u->m->nr_vcpus,
			    !kc_master_reasons(u->m), kvm_clock_vdso_mode(&u->r));
}

/* What software catches up is in no generation: it is matched with others of its kind. */
static struct kc_tsc kvm_clock_caught_up_tsc(struct kvm_clock_update *u, struct kvm_vcpu *vcpu,
					     u64 gtsc)
{
	struct kc_host guest = { vcpu->arch.virtual_tsc_khz, u->m->host.frac_bits };
	u64 ratio = vcpu->arch.l1_tsc_scaling_ratio;
	u64 should_gtsc = kvm_clock_caught_up_gtsc(u, vcpu, guest.khz);

	if (should_gtsc && (!gtsc || kc_tsc_is_within_1s(&guest, kvm_caps.default_tsc_scaling_ratio,
							 gtsc, should_gtsc)))
		gtsc = should_gtsc;
	return kc_tsc_through(&u->m->host, ratio, u->r.now.htsc, gtsc);
}

/* A new vCPU, from here on it counts; or the host writes a vCPU's TSC. */
void kvm_synchronize_tsc(struct kvm_vcpu *vcpu, u64 *user_value)
{
	u64 ratio = vcpu->arch.l1_tsc_scaling_ratio;
	bool catch_up = vcpu->arch.tsc_catchup;
	struct kvm_clock_update u;
	struct kc_tsc hw;

	kvm_clock_begin(&u, vcpu->kvm);
	if (catch_up)
		hw = kvm_clock_caught_up_tsc(&u, vcpu, user_value ? *user_value : 0);
	else if (!user_value)
		hw = kc_master_tsc_for_new_vcpu(u.m, u.r.now.htsc, ratio);
	else
		hw = kc_master_tsc_for_write(u.m, u.r.now.htsc, ratio, *user_value);
	kvm_clock_tsc_changes(&u, vcpu, hw, catch_up, true);
	if (user_value && !catch_up)
		kc_master_host_wrote_tsc(u.m, u.r.now.htsc, ratio, *user_value);
	kvm_clock_end(&u);
}

void adjust_tsc_offset_guest(struct kvm_vcpu *vcpu, s64 adjustment)
{
	struct kvm_clock_update u;
	struct kc_tsc hw;

	kvm_clock_begin(&u, vcpu->kvm);
	hw = kvm_clock_hw_tsc(vcpu);
	hw.offset_gtsc += adjustment;
	kvm_clock_tsc_changes(&u, vcpu, hw, vcpu->arch.tsc_catchup, false);
	kvm_clock_end(&u);
}

static void kvm_clock_write_tsc_offset(struct kvm_vcpu *vcpu, u64 l1_offset)
{
	struct kc_tsc hw = { vcpu->arch.l1_tsc_scaling_ratio, l1_offset };
	struct kvm_clock_update u;

	kvm_clock_begin(&u, vcpu->kvm);
	kvm_clock_tsc_changes(&u, vcpu, hw, vcpu->arch.tsc_catchup, true);
	kc_master_host_wrote_tsc(u.m, u.r.now.htsc, kvm_clock_tsc(vcpu).ratio,
				 kvm_read_l1_tsc(vcpu, u.r.now.htsc));
	kvm_clock_end(&u);
}

/* In atomic context: the vCPU is loaded, its TSC to be what it was before the restart. */
void kvm_clock_host_tsc_restarted(struct kvm_vcpu *vcpu)
{
	guard(raw_spinlock_irqsave)(&vcpu->kvm->arch.tsc_write_lock);
	kvm_clock_set_hw_tsc(vcpu, kvm_clock_hw_tsc(vcpu));
	kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
}

/* In atomic context: the vCPU came to another CPU, or the host's TSC is unstable. */
void kvm_clock_vcpu_came(struct kvm_vcpu *vcpu)
{
	u64 last_htsc = vcpu->arch.last_host_tsc, here_htsc = rdtsc();
	struct kc_tsc hw = kvm_clock_hw_tsc(vcpu);

	if (last_htsc && here_htsc < last_htsc)
		mark_tsc_unstable("KVM discovered backwards TSC");
	if (kvm_check_tsc_unstable() && last_htsc) {
		hw.offset_gtsc += kvm_scale_tsc(last_htsc, hw.ratio) -
				  kvm_scale_tsc(here_htsc, hw.ratio);
		kvm_clock_set_hw_tsc(vcpu, hw);
		vcpu->arch.tsc_catchup = true;
	}
	if (!kvm_clock_is_master(vcpu->kvm))
		kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
}

int kvm_arch_tsc_has_attr(struct kvm_vcpu *vcpu, struct kvm_device_attr *attr)
{
	if (attr->attr == KVM_VCPU_TSC_OFFSET ||
	    (attr->attr == KVM_VCPU_TSC_SCALE && kvm_caps.has_tsc_control))
		return 0;
	return -ENXIO;
}

int kvm_arch_tsc_get_attr(struct kvm_vcpu *vcpu, struct kvm_device_attr *attr)
{
	void __user *uaddr = u64_to_user_ptr(attr->addr);

	if (kvm_arch_tsc_has_attr(vcpu, attr))
		return -ENXIO;
	if (attr->attr == KVM_VCPU_TSC_OFFSET)
		return put_user(vcpu->arch.l1_tsc_offset, (u64 __user *)uaddr);
	return kvm_clock_get_scale(vcpu, uaddr);
}

int kvm_arch_tsc_set_attr(struct kvm_vcpu *vcpu, struct kvm_device_attr *attr)
{
	u64 __user *uaddr = u64_to_user_ptr(attr->addr);
	u64 offset;

	if (attr->attr != KVM_VCPU_TSC_OFFSET)
		return kvm_arch_tsc_has_attr(vcpu, attr) ?: -EINVAL;
	if (get_user(offset, uaddr))
		return -EFAULT;
	kvm_clock_write_tsc_offset(vcpu, offset);
	return 0;
}
