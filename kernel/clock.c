// SPDX-License-Identifier: GPL-2.0-only
/* The state of a VM's clock, and the clock as a number. */
#include "kvm_clock.h"
#include "hyperv.h"
#include "trace.h"

/*
 * Raw time and boot offset are of one sleep.  Raw before TSC: if they are two
 * reads, a change of mode moves no clock back.
 */
void kvm_clock_read_host(struct kvm_clock_reading *r)
{
	struct system_time_snapshot snap __uninitialized;
	s64 boot_ns;

	do {
		boot_ns = READ_ONCE(kvm_clock_boot_ns);
		ktime_get_snapshot(&snap);
		r->is_tsc = kvm_clock_snapshot_is_tsc(&snap);
		r->now.htsc = r->is_tsc ? snap.cycles : rdtsc_ordered();
	} while (boot_ns != READ_ONCE(kvm_clock_boot_ns));
	r->now.raw_ns = ktime_to_ns(snap.raw) + boot_ns;
	r->real_ns = ktime_to_ns(snap.real);
}

struct kc_master kvm_clock_state(struct kvm *kvm)
{
	struct kc_master m;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&kvm->arch.pvclock_sc);
		m = kvm->arch.clock.master;
	} while (read_seqcount_retry(&kvm->arch.pvclock_sc, seq));
	return m;
}

bool kvm_clock_is_master(struct kvm *kvm)
{
	struct kc_master m = kvm_clock_state(kvm);

	return !kc_master_reasons(&m);
}

/* The state alone, in any context; r is read while nobody else can change it. */
void kvm_clock_open(struct kvm_clock_update *u, struct kvm *kvm)
{
	u->kvm = kvm;
	u->m = &kvm->arch.clock.master;
	raw_spin_lock_irqsave(&kvm->arch.tsc_write_lock, u->flags);
	write_seqcount_begin(&kvm->arch.pvclock_sc);
	kvm_clock_read_host(&u->r);
}

void kvm_clock_close(struct kvm_clock_update *u)
{
	write_seqcount_end(&u->kvm->arch.pvclock_sc);
	raw_spin_unlock_irqrestore(&u->kvm->arch.tsc_write_lock, u->flags);
}

static bool kvm_clock_notice_host(struct kvm_clock_update *u)
{
	bool due = u->kvm->arch.clock.tsc_restarted;

	u->kvm->arch.clock.tsc_restarted = false;
	due |= kc_master_time_passed(u->m, u->r.now);
	due |= kc_master_clocksource_changed(u->m, u->r.now, u->r.is_tsc &&
					     !kvm_check_tsc_unstable());
	return due;
}

static __flatten void kvm_clock_begin_locked(struct kvm_clock_update *u, struct kvm *kvm)
{
	kvm_clock_open(u, kvm);
	u->before_ns = kc_master_read_floor_ns(u->m, u->r.now);
	u->pages_due = kvm_clock_notice_host(u);
	u->is_set = false;
}

/* An update; whatever it is for, what became of the host is noticed first. */
void kvm_clock_begin(struct kvm_clock_update *u, struct kvm *kvm)
{
	mutex_lock(&kvm->arch.clock.lock);
	kvm_clock_begin_locked(u, kvm);
}

static void kvm_clock_sync_later(struct kvm *kvm)
{
	if (kvmclock_periodic_sync)
		schedule_delayed_work(&kvm->arch.kvmclock_sync_work,
				      msecs_to_jiffies(max(kvmclock_sync_period_ms, 10)));
}

/*
 * If pages are due, every vCPU leaves the guest and must pass clock.lock to
 * enter it again; the first that does writes them all.  The requests stand
 * before the new state can be read: none reads it and enters with an old page.
 */
__flatten void kvm_clock_end(struct kvm_clock_update *u)
{
	struct kvm_clock *clock = &u->kvm->arch.clock;
	struct kc_master *m = u->m;
	int i;

	kvm_clock_count(u);
	if (u->pages_due) {
		clock->pages_due = true;
		kc_master_sampled(m, u->r.now);
		for (i = 0; i < atomic_read(&u->kvm->online_vcpus); i++)
			kvm_make_request(KVM_REQ_GLOBAL_CLOCK_UPDATE, kvm_get_vcpu(u->kvm, i));
	}
	kvm_clock_close(u);
	if (u->pages_due) {
		if (READ_ONCE(to_kvm_hv(u->kvm)->hv_tsc_page_status) != HV_TSC_PAGE_UNSET)
			kvm_hv_request_tsc_page_update(u->kvm);
		kvm_make_all_cpus_request(u->kvm, KVM_REQ_GLOBAL_CLOCK_UPDATE |
					  KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP);
		trace_kvm_update_master_clock(!kc_master_reasons(m), kvm_clock_vdso_mode(&u->r),
					      m->nr_matched == m->nr_vcpus);
	}
	if (kc_master_reasons(m))
		kvm_clock_sync_later(u->kvm);
	else if (m->shown_ns)
		kvm_clock_pass_shown(u);
	mutex_unlock(&clock->lock);
}

/*
 * The host's clocksource may have changed, which begin notices; and now and
 * then, in host mode, a fresh sample for all vCPUs, or a page that could not be
 * written.  Who has the lock may wait for guest memory: no worker waits with it.
 */
void kvmclock_sync_fn(struct work_struct *work)
{
	struct kvm *kvm = container_of(to_delayed_work(work), struct kvm, arch.kvmclock_sync_work);
	struct kvm_clock_update u;

	if (!mutex_trylock(&kvm->arch.clock.lock)) {
		schedule_delayed_work(to_delayed_work(work), 1);
		return;
	}
	kvm_clock_begin_locked(&u, kvm);
	u.pages_due |= kc_master_reasons(u.m) || kvm->arch.clock.page_missed;
	kvm->arch.clock.page_missed = false;
	kvm_clock_end(&u);
}

void kvm_clock_init_vm(struct kvm *kvm)
{
	struct kc_host host = {
		.khz = kvm_clock_cpu_khz(),
		.frac_bits = kvm_caps.tsc_scaling_ratio_frac_bits,
	};
	struct kvm_clock_update u;

	mutex_init(&kvm->arch.clock.lock);
	kvm_clock_open(&u, kvm);
	kc_master_vm_created(u.m, host, u.r.now, offset_master_clock);
	kvm_clock_notice_host(&u);
	kvm_clock_close(&u);
}

/*
 * Every vCPU is asked to do this when the host's TSC has restarted: the first
 * does, the others find it done.  Also asked for a Hyper-V page.
 */
void kvm_update_masterclock(struct kvm *kvm)
{
	struct kvm_clock_update u;

	kvm_clock_begin(&u, kvm);
	kvm_clock_end(&u);
	kvm_make_request(KVM_REQ_CLOCK_UPDATE, kvm_get_running_vcpu());
}

/* The one function: the clock, the reading it is of, and whether by the line. */
static u64 kvm_clock_read(struct kvm *kvm, struct kvm_clock_reading *r, bool *is_master)
{
	struct kc_master *m = &kvm->arch.clock.master;
	unsigned int seq;
	u64 clock_ns;

	do {
		seq = read_seqcount_begin(&kvm->arch.pvclock_sc);
		kvm_clock_read_host(r);
		clock_ns = kc_master_read_floor_ns(m, r->now);
		*is_master = !kc_master_reasons(m);
	} while (read_seqcount_retry(&kvm->arch.pvclock_sc, seq));
	return clock_ns;
}

u64 get_kvmclock_ns(struct kvm *kvm)
{
	struct kvm_clock_reading r;
	bool is_master;

	return kvm_clock_read(kvm, &r, &is_master);
}

uint64_t kvm_get_wall_clock_epoch(struct kvm *kvm)
{
	struct kvm_clock_reading r;
	bool is_master;
	u64 clock_ns;

	guard(irqsave)();
	clock_ns = kvm_clock_read(kvm, &r, &is_master);
	return r.real_ns - clock_ns;
}

__flatten int kvm_vm_ioctl_get_clock(struct kvm *kvm, void __user *argp)
{
	struct kvm_clock_reading r __uninitialized;
	struct kvm_clock_data data = {};
	bool is_master __uninitialized;

	data.clock = kvm_clock_read(kvm, &r, &is_master);
	if (is_master && r.is_tsc) {
		data.flags = KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC;
		data.realtime = r.real_ns;
		data.host_tsc = r.now.htsc;
	}
	return copy_to_user(argp, &data, sizeof(data)) ? -EFAULT : 0;
}

int kvm_vm_ioctl_set_clock(struct kvm *kvm, void __user *argp)
{
	struct kvm_clock_update u;
	struct kvm_clock_data data;

	if (copy_from_user(&data, argp, sizeof(data)))
		return -EFAULT;
	if (data.flags & ~KVM_CLOCK_VALID_FLAGS)
		return -EINVAL;

	kvm_clock_begin(&u, kvm);
	if (data.flags & KVM_CLOCK_REALTIME && u.r.real_ns > data.realtime)
		data.clock += u.r.real_ns - data.realtime;
	u.pages_due |= kc_master_clock_set(u.m, u.r.now, data.clock);
	u.is_set = true;
	kvm_clock_end(&u);
	return 0;
}

int kvm_pv_clock_pairing(struct kvm_vcpu *vcpu, gpa_t paddr, unsigned long clock_type)
{
	struct kvm_clock_pairing pairing = {};
	struct kvm_clock_reading r;
	struct timespec64 ts;

	if (clock_type != KVM_CLOCK_PAIRING_WALLCLOCK || vcpu->arch.tsc_always_catchup)
		return -KVM_EOPNOTSUPP;
	kvm_clock_read_host(&r);
	if (!r.is_tsc)
		return -KVM_EOPNOTSUPP;
	ts = ns_to_timespec64(r.real_ns);
	pairing.sec = ts.tv_sec;
	pairing.nsec = ts.tv_nsec;
	pairing.tsc = kvm_read_l1_tsc(vcpu, r.now.htsc);
	return kvm_write_guest(vcpu->kvm, paddr, &pairing, sizeof(pairing)) ? -KVM_EFAULT : 0;
}
