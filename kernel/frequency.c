// SPDX-License-Identifier: GPL-2.0-only
/* The frequency of a vCPU's TSC: by hardware, or caught up by software. */
#include "kvm_clock.h"

/*
 * The hardware ratio for a guest of khz, or of the host's own where the host's is
 * near enough or software must catch up; 0: neither hardware nor software can.
 */
static u64 kvm_clock_ratio_for_khz(u32 khz, bool *catch_up)
{
	struct kc_host host = { tsc_khz, kvm_caps.tsc_scaling_ratio_frac_bits };
	u64 tolerance = div_u64((u64)tsc_khz * tsc_tolerance_ppm, 1000000);
	bool is_near = khz + tolerance >= tsc_khz && khz <= tsc_khz + tolerance;
	u64 ratio = kvm_caps.default_tsc_scaling_ratio;

	*catch_up = !is_near && !kvm_caps.has_tsc_control;
	if (*catch_up)
		return khz > tsc_khz ? ratio : 0;
	if (!is_near)
		ratio = kc_tsc_ratio_floor(&host, khz);
	return ratio < kvm_caps.max_tsc_scaling_ratio ? ratio : 0;
}

static void kvm_clock_note_khz(struct kvm_vcpu *vcpu, u32 khz, bool catch_up)
{
	struct kc_rate ns_to_ticks;

	vcpu->arch.tsc_always_catchup = catch_up;
	if (vcpu->arch.virtual_tsc_khz == khz)
		return;
	ns_to_ticks = kc_rate_ns_to_ticks_nearest(khz);
	vcpu->arch.virtual_tsc_khz = khz;
	vcpu->arch.virtual_tsc_mult = ns_to_ticks.mul;
	vcpu->arch.virtual_tsc_shift = ns_to_ticks.shift;
}

/* Where another vCPU that software brings to khz should be now; 0: there is none. */
u64 kvm_clock_caught_up_gtsc(struct kvm_clock_update *u, struct kvm_vcpu *self, u32 khz)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, u->kvm) {
		if (vcpu != self && vcpu->arch.tsc_counted && vcpu->arch.tsc_catchup &&
		    vcpu->arch.virtual_tsc_khz == khz)
			return kc_tsc_caught_up_floor(vcpu->arch.this_tsc_write,
						      vcpu->arch.this_tsc_nsec,
						      u->r.now.raw_ns, khz);
	}
	return 0;
}

/*
 * The guest's TSC goes on from where it is, at another rate.  A vCPU that has
 * not run, and comes to where others are, is matched with them: nobody saw it.
 */
static void kvm_clock_set_ratio(struct kvm_vcpu *vcpu, u64 ratio, u32 khz, bool catch_up)
{
	struct kvm_clock_update u;
	struct kc_tsc hw;
	u64 gtsc;

	if (vcpu->arch.tsc_catchup)
		kvm_clock_catch_up(vcpu);
	hw = kvm_clock_hw_tsc(vcpu);
	if (ratio == hw.ratio && !catch_up && !vcpu->arch.tsc_catchup)
		return;
	kvm_clock_begin(&u, vcpu->kvm);
	gtsc = kc_tsc_read_floor(&u.m->host, hw, u.r.now.htsc);
	if (catch_up && !kvm_vcpu_has_run(vcpu))
		gtsc = kvm_clock_caught_up_gtsc(&u, vcpu, khz) ?: gtsc;
	else if (ratio != hw.ratio && !kvm_vcpu_has_run(vcpu) && ratio == u.m->generation.ratio)
		gtsc = kc_tsc_read_floor(&u.m->host, u.m->generation, u.r.now.htsc);
	hw = kc_tsc_through(&u.m->host, ratio, u.r.now.htsc, gtsc);
	kvm_clock_tsc_changes(&u, vcpu, hw, catch_up, true);
	kvm_clock_end(&u);
}

/* A new vCPU gets what the VM asks for, or the host's own; a set may be refused. */
int kvm_set_tsc_khz(struct kvm_vcpu *vcpu, u32 user_tsc_khz)
{
	bool catch_up = false;
	u64 ratio = user_tsc_khz ? kvm_clock_ratio_for_khz(user_tsc_khz, &catch_up) : 0;

	if (!ratio && vcpu->arch.tsc_counted)
		return -1;
	if (!ratio) {
		user_tsc_khz = tsc_khz ?: 1;
		ratio = kvm_caps.default_tsc_scaling_ratio;
		catch_up = false;
	}
	if (vcpu->arch.tsc_counted) {
		kvm_clock_set_ratio(vcpu, ratio, user_tsc_khz, catch_up);
		kvm_clock_note_khz(vcpu, user_tsc_khz, catch_up);
		return 0;
	}
	kvm_clock_note_khz(vcpu, user_tsc_khz, catch_up);
	vcpu->arch.tsc_catchup = catch_up;
	kvm_clock_set_hw_tsc(vcpu, (struct kc_tsc) { ratio, 0 });
	return 0;
}

/* To where it should be by the raw base, never backwards. */
void kvm_clock_catch_up(struct kvm_vcpu *vcpu)
{
	struct kvm_clock_reading r;
	struct kc_tsc hw;
	u64 behind;

	guard(irqsave)();	/* the offset is this CPU's */
	hw = kvm_clock_hw_tsc(vcpu);
	kvm_clock_read_host(&r);
	behind = kc_tsc_caught_up_floor(vcpu->arch.this_tsc_write, vcpu->arch.this_tsc_nsec,
					r.now.raw_ns, vcpu->arch.virtual_tsc_khz) -
		 kvm_read_l1_tsc(vcpu, r.now.htsc);
	if ((s64)behind <= 0)
		return;
	hw.offset_gtsc += behind;
	kvm_clock_set_hw_tsc(vcpu, hw);
}
