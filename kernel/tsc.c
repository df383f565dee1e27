// SPDX-License-Identifier: GPL-2.0-only
/* The TSCs of vCPUs: offset, ratio, frequency, and what their changes mean. */
#include "kvm_clock.h"
#include "cpuid.h"
#include "trace.h"

u64 __scale_tsc(u64 ratio, u64 tsc)
{
	return kc_mul_shr_floor(tsc, ratio, kvm_caps.tsc_scaling_ratio_frac_bits);
}

u64 kvm_scale_tsc(u64 tsc, u64 ratio)
{
	return ratio == kvm_caps.default_tsc_scaling_ratio ?
		tsc : __scale_tsc(ratio, tsc);
}

u64 kvm_read_l1_tsc(struct kvm_vcpu *vcpu, u64 host_tsc)
{
	return kvm_scale_tsc(host_tsc, vcpu->arch.l1_tsc_scaling_ratio) +
	       vcpu->arch.l1_tsc_offset;
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

/* On a Hyper-V host the kernel marks the TSC unstable and yet keeps time by it. */
bool kvm_check_tsc_unstable(void)
{
	return check_tsc_unstable();
}

struct kc_tsc kvm_clock_hw_tsc(struct kvm_vcpu *vcpu)
{
	return (struct kc_tsc) {
		.ratio = vcpu->arch.l1_tsc_scaling_ratio,
		.offset_gtsc = vcpu->arch.l1_tsc_offset +
			       vcpu->arch.tsc_offset_adjustment,
	};
}

struct kc_tsc kvm_clock_tsc(struct kvm_vcpu *vcpu)
{
	struct kc_tsc tsc = kvm_clock_hw_tsc(vcpu);

	if (vcpu->arch.tsc_catchup)
		tsc.ratio = 0;
	return tsc;
}

/* Hardware takes L1's offset, or with a nested guest running what it amounts to. */
void kvm_clock_set_tsc_offset(struct kvm_vcpu *vcpu, u64 l1_offset)
{
	u64 offset = l1_offset;

	if (is_guest_mode(vcpu))
		offset = kvm_calc_nested_tsc_offset(l1_offset,
				kvm_x86_call(get_l2_tsc_offset)(vcpu),
				kvm_x86_call(get_l2_tsc_multiplier)(vcpu));
	trace_kvm_write_tsc_offset(vcpu->vcpu_id, vcpu->arch.l1_tsc_offset,
				   l1_offset);
	vcpu->arch.l1_tsc_offset = l1_offset;
	vcpu->arch.tsc_offset = offset;
	kvm_x86_call(write_tsc_offset)(vcpu);
}

static void kvm_clock_set_tsc_ratio(struct kvm_vcpu *vcpu, u64 l1_ratio)
{
	u64 ratio = l1_ratio;

	if (is_guest_mode(vcpu))
		ratio = kvm_calc_nested_tsc_multiplier(l1_ratio,
				kvm_x86_call(get_l2_tsc_multiplier)(vcpu));
	vcpu->arch.l1_tsc_scaling_ratio = l1_ratio;
	vcpu->arch.tsc_scaling_ratio = ratio;
	if (kvm_caps.has_tsc_control)
		kvm_x86_call(write_tsc_multiplier)(vcpu);
}

/* How many vCPUs have tsc, if this one has it? */
static struct kc_census kvm_clock_census(struct kvm_vcpu *self, struct kc_tsc tsc)
{
	struct kc_census census = {};
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, self->kvm) {
		struct kc_tsc has = vcpu == self ? tsc : kvm_clock_tsc(vcpu);

		if (!vcpu->arch.tsc_counted)
			continue;
		census.nr_same_rate += has.ratio == tsc.ratio;
		census.nr_matched += kc_tsc_is_same(has, tsc);
	}
	return census;
}

/* The vCPU's hardware gets tsc; where it is now is what a catch-up counts from. */
static void kvm_clock_set_hw_tsc(struct kvm_vcpu *vcpu, struct kc_tsc tsc,
				 const struct kvm_clock_reading *r)
{
	vcpu->arch.tsc_offset_adjustment = 0;
	if (tsc.ratio != vcpu->arch.l1_tsc_scaling_ratio)
		kvm_clock_set_tsc_ratio(vcpu, tsc.ratio);
	kvm_clock_set_tsc_offset(vcpu, tsc.offset_gtsc);
	vcpu->arch.this_tsc_write = kvm_read_l1_tsc(vcpu, r->now.htsc);
	vcpu->arch.this_tsc_nsec = r->now.raw_ns;
}

/* Within an update: the vCPU, loaded here, gets the TSC hw, or is caught up on it. */
static u32 kvm_clock_tsc_changes(struct kvm_clock_update *u, struct kvm_vcpu *vcpu,
				 struct kc_tsc hw, bool catch_up)
{
	struct kc_tsc from = kvm_clock_tsc(vcpu), to = hw;
	struct kc_census census = {};
	u32 effects;

	if (catch_up)
		to.ratio = 0;
	if (!kc_tsc_is_same(to, u->m->generation))
		census = kvm_clock_census(vcpu, to);
	effects = kc_master_vcpu_tsc_changed(u->m, &u->host, u->r.now, from, to,
					     census);
	kvm_clock_set_hw_tsc(vcpu, hw, &u->r);
	kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
	trace_kvm_track_tsc(vcpu->vcpu_id, u->m->nr_matched, u->m->nr_vcpus,
			    !kc_master_reasons(u->m), u->r.is_tsc);
	return effects;
}

/* A new vCPU: from here on it counts. */
static u32 kvm_clock_vcpu_created(struct kvm_clock_update *u, struct kvm_vcpu *vcpu)
{
	struct kc_tsc tsc = kc_master_tsc_for_new_vcpu(u->m, &u->host,
						       u->r.now.htsc,
						       kvm_clock_tsc(vcpu).ratio);
	u32 effects = kc_master_vcpu_created(u->m, &u->host, u->r.now, tsc);

	tsc.ratio = vcpu->arch.l1_tsc_scaling_ratio;
	kvm_clock_set_hw_tsc(vcpu, tsc, &u->r);
	vcpu->arch.tsc_counted = true;
	kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);	/* pages may be due */
	return effects;
}

void kvm_synchronize_tsc(struct kvm_vcpu *vcpu, u64 *user_value)
{
	u64 ratio = vcpu->arch.l1_tsc_scaling_ratio;
	struct kvm_clock_update u;
	u32 effects;

	kvm_clock_begin(&u, vcpu->kvm);
	if (user_value) {
		effects = kvm_clock_tsc_changes(&u, vcpu,
			kc_master_tsc_for_write(u.m, &u.host, u.r.now.htsc, ratio,
						*user_value),
			vcpu->arch.tsc_catchup);
		kc_master_host_wrote_tsc(u.m, &u.host, u.r.now.htsc, ratio,
					 *user_value);
	} else {
		effects = kvm_clock_vcpu_created(&u, vcpu);
	}
	kvm_clock_end(&u, effects);
}

static void kvm_clock_write_tsc_offset(struct kvm_vcpu *vcpu, u64 l1_offset)
{
	struct kc_tsc hw = { vcpu->arch.l1_tsc_scaling_ratio, l1_offset };
	struct kvm_clock_update u;

	kvm_clock_begin(&u, vcpu->kvm);
	kvm_clock_end(&u, kvm_clock_tsc_changes(&u, vcpu, hw,
						vcpu->arch.tsc_catchup));
}

void adjust_tsc_offset_guest(struct kvm_vcpu *vcpu, s64 adjustment)
{
	kvm_clock_write_tsc_offset(vcpu, vcpu->arch.l1_tsc_offset + adjustment);
}

/* Does a guest of khz need its TSC changed, on a host whose own is near? */
static bool kvm_clock_is_tolerated(u32 khz)
{
	u64 tolerance = div_u64((u64)tsc_khz * tsc_tolerance_ppm, 1000000);

	return khz + tolerance >= tsc_khz && khz <= tsc_khz + tolerance;
}

/* 0 and *ratio, or -1: neither hardware nor software can do it. */
static int kvm_clock_ratio_for_khz(u32 khz, u64 *ratio, bool *catch_up)
{
	struct kc_host host = {
		.khz = tsc_khz,
		.frac_bits = kvm_caps.tsc_scaling_ratio_frac_bits,
	};

	*catch_up = false;
	*ratio = kvm_caps.default_tsc_scaling_ratio;
	if (kvm_clock_is_tolerated(khz))
		return 0;
	if (!kvm_caps.has_tsc_control) {
		*catch_up = khz > tsc_khz;
		return *catch_up ? 0 : -1;
	}
	*ratio = kc_tsc_ratio_floor(&host, khz);
	return *ratio && *ratio < kvm_caps.max_tsc_scaling_ratio ? 0 : -1;
}

static void kvm_clock_note_khz(struct kvm_vcpu *vcpu, u32 khz, bool catch_up)
{
	struct kc_rate ns_to_ticks = kc_rate_ns_to_ticks_nearest(khz);

	vcpu->arch.virtual_tsc_khz = khz;
	vcpu->arch.virtual_tsc_mult = ns_to_ticks.mul;
	vcpu->arch.virtual_tsc_shift = ns_to_ticks.shift;
	vcpu->arch.tsc_catchup = catch_up;
	vcpu->arch.tsc_always_catchup = catch_up;
}

/*
 * The guest's TSC goes on from where it is, at another rate.  A vCPU that has
 * not run and comes to the generation's rate takes its offset: nobody saw it.
 */
static void kvm_clock_set_ratio(struct kvm_vcpu *vcpu, u64 ratio, u32 khz,
				bool catch_up)
{
	struct kc_tsc hw = kvm_clock_hw_tsc(vcpu);
	struct kvm_clock_update u;
	u32 effects;
	u64 gtsc;

	kvm_clock_begin(&u, vcpu->kvm);
	gtsc = kc_tsc_read_floor(&u.host, hw, u.r.now.htsc);
	if (ratio != hw.ratio)
		hw = kc_tsc_through(&u.host, ratio, u.r.now.htsc, gtsc);
	if (!kvm_vcpu_has_run(vcpu) && ratio == u.m->generation.ratio)
		hw.offset_gtsc = u.m->generation.offset_gtsc;
	effects = kvm_clock_tsc_changes(&u, vcpu, hw, catch_up);
	kvm_clock_note_khz(vcpu, khz, catch_up);
	kvm_clock_end(&u, effects);
}

int kvm_set_tsc_khz(struct kvm_vcpu *vcpu, u32 user_tsc_khz)
{
	bool catch_up, is_new = !vcpu->arch.tsc_counted;
	u64 ratio;

	if (!user_tsc_khz || kvm_clock_ratio_for_khz(user_tsc_khz, &ratio, &catch_up)) {
		if (!is_new)
			return -1;
		user_tsc_khz = tsc_khz;
		ratio = kvm_caps.default_tsc_scaling_ratio;
		catch_up = false;
	}
	if (!is_new) {
		kvm_clock_set_ratio(vcpu, ratio, user_tsc_khz, catch_up);
		return 0;
	}
	kvm_clock_set_tsc_ratio(vcpu, ratio);
	if (user_tsc_khz)
		kvm_clock_note_khz(vcpu, user_tsc_khz, catch_up);
	return 0;
}

/* In atomic context: what the CPU's TSC asks of the vCPU that comes to it. */
void kvm_clock_vcpu_load(struct kvm_vcpu *vcpu, int cpu)
{
	u64 last_htsc = vcpu->arch.last_host_tsc, here_htsc;

	if (unlikely(vcpu->arch.tsc_offset_adjustment)) {
		u64 offset = kvm_clock_hw_tsc(vcpu).offset_gtsc;

		vcpu->arch.tsc_offset_adjustment = 0;
		kvm_clock_set_tsc_offset(vcpu, offset);
		kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
	}
	if (likely(vcpu->cpu == cpu) && !kvm_check_tsc_unstable())
		return;
	here_htsc = rdtsc();
	if (last_htsc && here_htsc < last_htsc)
		mark_tsc_unstable("KVM discovered backwards TSC");
	if (kvm_check_tsc_unstable() && last_htsc) {
		kvm_clock_set_tsc_offset(vcpu,
			kvm_read_l1_tsc(vcpu, last_htsc) -
			kvm_scale_tsc(here_htsc, vcpu->arch.l1_tsc_scaling_ratio));
		vcpu->arch.tsc_catchup = true;
	}
	if (!kvm_clock_is_master(vcpu->kvm))
		kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
}

/* To where it should be by the raw base, never backwards. */
void kvm_clock_catch_up(struct kvm_vcpu *vcpu)
{
	struct kvm_clock_reading r;
	u64 should, is;

	if (likely(!vcpu->arch.tsc_catchup))
		return;
	kvm_clock_read_host(&r);
	should = kc_tsc_caught_up_floor(vcpu->arch.this_tsc_write,
					vcpu->arch.this_tsc_nsec, r.now.raw_ns,
					vcpu->arch.virtual_tsc_khz);
	is = kvm_read_l1_tsc(vcpu, r.now.htsc);
	if ((s64)(should - is) > 0)
		kvm_clock_set_tsc_offset(vcpu, vcpu->arch.l1_tsc_offset +
					       should - is);
}

int kvm_arch_tsc_has_attr(struct kvm_vcpu *vcpu, struct kvm_device_attr *attr)
{
	if (attr->attr == KVM_VCPU_TSC_OFFSET)
		return 0;
	return kvm_clock_has_tsc_attr(attr);
}

int kvm_arch_tsc_get_attr(struct kvm_vcpu *vcpu, struct kvm_device_attr *attr)
{
	u64 __user *uaddr = u64_to_user_ptr(attr->addr);

	if (attr->attr == KVM_VCPU_TSC_OFFSET)
		return put_user(vcpu->arch.l1_tsc_offset, uaddr);
	return kvm_clock_get_tsc_attr(vcpu, attr);
}

int kvm_arch_tsc_set_attr(struct kvm_vcpu *vcpu, struct kvm_device_attr *attr)
{
	u64 __user *uaddr = u64_to_user_ptr(attr->addr);
	u64 offset;

	if (attr->attr != KVM_VCPU_TSC_OFFSET)
		return kvm_clock_has_tsc_attr(attr) ?: -EINVAL;
	if (get_user(offset, uaddr))
		return -EFAULT;
	kvm_clock_write_tsc_offset(vcpu, offset);
	return 0;
}
