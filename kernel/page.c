// SPDX-License-Identifier: GPL-2.0-only
/* The line in guest memory: pages, wall clock, and the MSRs that place them. */
#include "kvm_clock.h"
#include "hyperv.h"
#include "xen.h"
#include "trace.h"

/* A guest reads other vCPUs' pages while they run: odd version, body, even. */
static bool kvm_clock_write_page(struct kvm_vcpu *vcpu, struct gfn_to_pfn_cache *gpc,
				 unsigned int offset, struct kc_pvclock page)
{
	struct kc_pvclock *mapped, shown;
	unsigned long flags;

	read_lock_irqsave(&gpc->lock, flags);
	while (unlikely(!kvm_gpc_check(gpc, offset + sizeof(page)))) {
		read_unlock_irqrestore(&gpc->lock, flags);
		if (kvm_gpc_refresh(gpc, offset + sizeof(page))) {
			if (!xchg(&vcpu->kvm->arch.clock.page_missed, true))	/* or who misses often puts it off */
				mod_delayed_work(system_wq, &vcpu->kvm->arch.kvmclock_sync_work, HZ);
			return false;
		}
		read_lock_irqsave(&gpc->lock, flags);
	}

	mapped = gpc->khva + offset;
	shown = *mapped;
	page.flags |= shown.flags & KC_PVCLOCK_GUEST_STOPPED;
	if (kc_pvclock_is_same(&shown, &page) && !(shown.version & 1))
		goto out;

	page.version = (shown.version + 1) | 1;
	WRITE_ONCE(mapped->version, page.version);
	smp_wmb();
	*mapped = page;
	smp_wmb();
	WRITE_ONCE(mapped->version, ++page.version);
	kvm_gpc_mark_dirty_in_slot(gpc);
	vcpu->kvm->arch.clock.counts.page_writes++;
	trace_kvm_pvclock_update(vcpu->vcpu_id, (struct pvclock_vcpu_time_info *)&page);
out:
	read_unlock_irqrestore(&gpc->lock, flags);
	return true;
}

static noinline void kvm_clock_write_xen_pages(struct kvm_vcpu *vcpu, struct kc_pvclock page)
{
	struct kvm_vcpu_xen *xen = &vcpu->arch.xen;

	/* That the guest was stopped is told on KVM's page, by which it was asked for. */
	page.flags &= vcpu->kvm->arch.xen_hvm_config.flags & KVM_XEN_HVM_CONFIG_PVCLOCK_TSC_UNSTABLE ?
		      0 : KC_PVCLOCK_TSC_STABLE;
	if (xen->vcpu_info_cache.active)
		kvm_clock_write_page(vcpu, &xen->vcpu_info_cache,
				     offsetof(struct compat_vcpu_info, time), page);
	if (xen->vcpu_time_info_cache.active)
		kvm_clock_write_page(vcpu, &xen->vcpu_time_info_cache, 0, page);
}

/* Hyper-V's formula is not modular, so its page is drawn from a point that is now. */
static void kvm_clock_write_hyperv_page(struct kvm_vcpu *vcpu, const struct kc_line *line,
					const struct kc_pvclock *shown)
{
	struct kc_pvclock page __uninitialized;
	u32 status = READ_ONCE(to_kvm_hv(vcpu->kvm)->hv_tsc_page_status);

	if (status != HV_TSC_PAGE_GUEST_CHANGED && status != HV_TSC_PAGE_HOST_CHANGED)
		return;
	page = *shown;
	page.tsc_timestamp = kvm_read_l1_tsc(vcpu, rdtsc());
	page.system_time = kc_line_read_floor_ns(line, page.tsc_timestamp);
	kvm_hv_setup_tsc_page(vcpu->kvm, (struct pvclock_vcpu_time_info *)&page);
}

/*
 * In host mode a page is drawn anew, and looked at for a step.  Without a line
 * all vCPUs show one sample, unless the TSC is no clock at all.
 */
static noinline struct kc_line kvm_clock_host_mode_line(struct kvm_vcpu *vcpu,
						const struct kc_master *m)
{
	struct kvm_clock *clock = &vcpu->kvm->arch.clock;
	struct kvm_clock_reading r = { .now = m->sample };
	struct kc_tsc tsc = kvm_clock_hw_tsc(vcpu);
	struct kc_line line;

	guard(irqsave)();
	if (!(kc_master_reasons(m) & KC_NO_LINE) || kvm_check_tsc_unstable())
		kvm_clock_read_host(&r);
	line = kc_master_page_line(m, kvm_clock_cpu_khz(), r.now, tsc);
	kvm_clock_count_step(&clock->counts, kc_master_read_floor_ns(m, r.now), kc_line_read_floor_ns(
			     &line, kc_tsc_read_floor(&m->host, tsc, r.now.htsc)));
	return line;
}

static __flatten void kvm_clock_write_pages(struct kvm_vcpu *vcpu)
{
	const struct kc_master *m = &vcpu->kvm->arch.clock.master;
	struct kc_pvclock page __uninitialized;	/* or the compiler zeroes it first */
	struct kc_line line __uninitialized;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&vcpu->kvm->arch.pvclock_sc);
		line = kc_master_reasons(m) ? kvm_clock_host_mode_line(vcpu, m) :
		       kc_master_vcpu_line(m, kvm_clock_hw_tsc(vcpu));
		page = kc_pvclock_of_line(&line, kc_master_is_stable(m) ?
						 KC_PVCLOCK_TSC_STABLE : 0);
	} while (read_seqcount_retry(&vcpu->kvm->arch.pvclock_sc, seq));
	if (vcpu->arch.pvclock_set_guest_stopped_request)
		page.flags |= KC_PVCLOCK_GUEST_STOPPED;
	if (vcpu->arch.pv_time.active &&
	    kvm_clock_write_page(vcpu, &vcpu->arch.pv_time, 0, page) &&
	    page.flags & KC_PVCLOCK_GUEST_STOPPED)
		vcpu->arch.pvclock_set_guest_stopped_request = false;
	kvm_clock_write_hyperv_page(vcpu, &line, &page);
	if (vcpu->arch.xen.vcpu_info_cache.active || vcpu->arch.xen.vcpu_time_info_cache.active)
		kvm_clock_write_xen_pages(vcpu, page);
}

/* This vCPU's dirty ring must be harvested before it may write more pages. */
static bool is_full(struct kvm_vcpu *vcpu)
{
	return kvm_test_request(KVM_REQ_DIRTY_RING_SOFT_FULL, vcpu);
}

/*
 * A vCPU is on its way into the guest.  While an update goes on it waits here;
 * after one the first to pass writes all pages, so that none enters with a new
 * line while another page shows the old one.  Its own is due if it was asked for.
 */
int kvm_clock_pass(struct kvm_vcpu *v, bool is_due)
{
	struct kvm_clock *clock = &v->kvm->arch.clock;
	struct kvm_vcpu *vcpu;
	int i;

	if (mutex_lock_interruptible(&clock->lock)) {
		kvm_make_request(KVM_REQ_CLOCK_UPDATE, v);
		return 1;
	}
	if (unlikely(v->arch.tsc_catchup))
		kvm_clock_catch_up(v);
	if (is_due || clock->pages_due || clock->page_missed || v->arch.tsc_catchup)
		kvm_clock_write_pages(v);
	for (i = !v->vcpu_idx; clock->pages_due && (vcpu = kvm_get_vcpu(v->kvm, i)); i++) {
		if (vcpu != v && !is_full(v))
			kvm_clock_write_pages(vcpu);
	}
	if (is_full(v))
		kvm_make_request(KVM_REQ_CLOCK_UPDATE, v);
	else
		clock->pages_due = false;
	mutex_unlock(&clock->lock);
	return is_full(v);
}

static noinline void kvm_clock_msr_kind_changed(struct kvm *kvm, bool old_msr)
{
	struct kvm_clock_update u;

	kvm_clock_begin(&u, kvm);
	u.pages_due |= kc_master_boot_vcpu_wrote_msr(u.m, u.r.now, old_msr);
	kvm_clock_end(&u);
}

void kvm_write_system_time(struct kvm_vcpu *vcpu, gpa_t system_time,
			   bool old_msr, bool host_initiated)
{
	struct gfn_to_pfn_cache *gpc = &vcpu->arch.pv_time;

	if (!vcpu->vcpu_id && !host_initiated &&
	    old_msr != !!(READ_ONCE(vcpu->kvm->arch.clock.master.facts) & KC_OLD_MSR))
		kvm_clock_msr_kind_changed(vcpu->kvm, old_msr);
	vcpu->arch.time = system_time;
	if (system_time & 1)
		kvm_gpc_activate(gpc, system_time & ~1ULL, sizeof(struct pvclock_vcpu_time_info));
	else
		kvm_gpc_deactivate(gpc);
	kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
}

void kvmclock_reset(struct kvm_vcpu *vcpu)
{
	kvm_gpc_deactivate(&vcpu->arch.pv_time);
	vcpu->arch.time = 0;
}

/* The realtime at which the clock was 0, by the same seqcount rule as a page. */
void kvm_write_wall_clock(struct kvm *kvm, gpa_t wall_clock, int sec_hi_ofs)
{
	struct pvclock_wall_clock wc;
	u64 epoch_ns;
	u32 sec_hi;

	if (!wall_clock || kvm_read_guest(kvm, wall_clock, &wc.version, sizeof(wc.version)))
		return;
	wc.version = (wc.version + 1) | 1;
	if (kvm_write_guest(kvm, wall_clock, &wc.version, sizeof(wc.version)))
		return;

	epoch_ns = kvm_get_wall_clock_epoch(kvm);
	wc.nsec = do_div(epoch_ns, NSEC_PER_SEC);
	wc.sec = epoch_ns;	/* the low half: until 2106 all of it */
	sec_hi = epoch_ns >> 32;
	kvm_write_guest(kvm, wall_clock, &wc, sizeof(wc));
	if (sec_hi_ofs)
		kvm_write_guest(kvm, wall_clock + sec_hi_ofs, &sec_hi, sizeof(sec_hi));
	smp_wmb();
	wc.version++;
	kvm_write_guest(kvm, wall_clock, &wc.version, sizeof(wc.version));
}
