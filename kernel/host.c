// SPDX-License-Identifier: GPL-2.0-only
/* What happens to the host: clocksource, CPU frequency, CPUs and sleep. */
#include <linux/cpufreq.h>
#include <linux/irq_work.h>
#include <linux/pvclock_gtod.h>
#include <linux/suspend.h>
#include <linux/timekeeper_internal.h>
#include <asm/mshyperv.h>
#include "kvm_clock.h"

unsigned long max_tsc_khz;
bool kvm_clock_host_is_hyperv;
s64 kvm_clock_boot_ns __read_mostly;

/* Without constant TSC: what a CPU was last said to run at, or 0. */
static DEFINE_PER_CPU(unsigned int, announced_khz);

/* What this CPU's TSC counts with now.  Never 0, calibrated or not. */
unsigned int kvm_clock_cpu_khz(void)
{
	unsigned int khz = raw_cpu_read(announced_khz);

	if (!khz && !boot_cpu_has(X86_FEATURE_CONSTANT_TSC))
		khz = cpufreq_quick_get(raw_smp_processor_id());
	return khz ?: tsc_khz ?: 1;
}

/*
 * A CPU changes its speed: before it is faster and after it is slower each vCPU
 * gets a page with the slope of the CPU it enters on, so that no time is lost.
 */
static int cpufreq_changed(struct notifier_block *nb, unsigned long when, void *data)
{
	struct cpufreq_freqs *freqs = data;
	struct kvm *kvm;
	int cpu;

	if (when != (freqs->new > freqs->old ? CPUFREQ_PRECHANGE : CPUFREQ_POSTCHANGE))
		return NOTIFY_OK;
	for_each_cpu(cpu, freqs->policy->cpus)
		per_cpu(announced_khz, cpu) = freqs->new;
	mutex_lock(&kvm_lock);
	list_for_each_entry(kvm, &vm_list, vm_list)
		kvm_make_all_cpus_request(kvm, KVM_REQ_CLOCK_UPDATE | KVM_REQUEST_WAIT);
	mutex_unlock(&kvm_lock);
	return NOTIFY_OK;
}

struct notifier_block kvmclock_cpufreq_notifier_block = {
	.notifier_call = cpufreq_changed,
};

void kvm_timer_init(void)
{
	if (boot_cpu_has(X86_FEATURE_CONSTANT_TSC))
		return;
	max_tsc_khz = cpufreq_get_hw_max_freq(raw_smp_processor_id()) ?: tsc_khz;
	cpufreq_register_notifier(&kvmclock_cpufreq_notifier_block, CPUFREQ_TRANSITION_NOTIFIER);
}

/*
 * The clocksource changed: each VM looks at it by itself, since its update may
 * wait for guest memory, and no other VM shall wait with it.
 */
static void clocksource_changed(struct work_struct *work)
{
	struct kvm *kvm;

	mutex_lock(&kvm_lock);
	list_for_each_entry(kvm, &vm_list, vm_list)
		mod_delayed_work(system_wq, &kvm->arch.kvmclock_sync_work, 0);
	mutex_unlock(&kvm_lock);
}

DECLARE_WORK(pvclock_gtod_work, clocksource_changed);

static void queue_clocksource_work(struct irq_work *work)
{
	queue_work(system_long_wq, &pvclock_gtod_work);
}

struct irq_work pvclock_irq_work = IRQ_WORK_INIT(queue_clocksource_work);

/*
 * Called at each tick and change, inside the timekeeper's own lock: no snapshot
 * of later is had before kvm_clock_boot_ns is what goes with it.
 */
static int timekeeping_updated(struct notifier_block *nb, unsigned long unused, void *priv)
{
	static bool was_tsc = true;
	struct timekeeper *tk = priv;
	bool is_tsc = tk->tkr_mono.clock->id == CSID_X86_TSC;

	if (kvm_clock_boot_ns != ktime_to_ns(tk->offs_boot))
		WRITE_ONCE(kvm_clock_boot_ns, ktime_to_ns(tk->offs_boot));
	kvm_clock_host_is_hyperv = tk->tkr_mono.clock->vdso_clock_mode == VDSO_CLOCKMODE_HVCLOCK;
	if (is_tsc != was_tsc)
		irq_work_queue(&pvclock_irq_work);
	was_tsc = is_tsc;
	return NOTIFY_OK;
}

struct notifier_block pvclock_gtod_notifier = {
	.notifier_call = timekeeping_updated,
};

/* A host on Hyper-V was moved and its TSC is its own again. */
void kvm_hyperv_tsc_notifier(void)
{
	hyperv_stop_tsc_emulation();
	kvm_caps.max_guest_tsc_khz = tsc_khz;
	clocksource_changed(NULL);
}

/* The highest TSC that any vCPU left the guest at, or a VM's clock was drawn at. */
static u64 last_htsc_of_all(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm *kvm;
	unsigned long i;
	u64 last = 0;

	list_for_each_entry(kvm, &vm_list, vm_list) {
		last = max(last, kvm->arch.clock.master.sample.htsc);
		kvm_for_each_vcpu(i, vcpu, kvm)
			last = max(last, vcpu->arch.last_host_tsc);
	}
	return last;
}

static void host_tsc_restarted(struct kvm *kvm, u64 here_htsc, u64 delta_htsc)
{
	struct kvm_clock_update u;
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_clock_open(&u, kvm);
	kc_master_host_tsc_restarted(u.m, u.r.now, delta_htsc);
	kvm->arch.clock.tsc_restarted = true;
	kvm_for_each_vcpu(i, vcpu, kvm) {
		vcpu->arch.tsc_offset_adjustment +=
			kvm_scale_tsc(delta_htsc, vcpu->arch.l1_tsc_scaling_ratio);
		vcpu->arch.last_host_tsc = here_htsc;
		kvm_make_request(KVM_REQ_MASTERCLOCK_UPDATE, vcpu);
	}
	kvm_clock_close(&u);
}

/*
 * A CPU is back, after sleep or hotplug: does its TSC go on, or start again?
 * vCPUs may run on others: read before what they left last, it would seem to.
 */
static void check_tsc_goes_on(void)
{
	u64 last_htsc = last_htsc_of_all(), here_htsc = rdtsc_ordered();
	struct kvm *kvm;

	if (kvm_check_tsc_unstable() || last_htsc <= here_htsc)
		return;
	list_for_each_entry(kvm, &vm_list, vm_list)
		host_tsc_restarted(kvm, here_htsc, last_htsc - here_htsc);
}

int kvm_arch_enable_virtualization_cpu(void)
{
	int r;

	this_cpu_write(announced_khz, 0);	/* of before it went */
	kvm_user_return_msr_cpu_online();
	r = kvm_x86_check_processor_compatibility();
	if (!r)
		r = kvm_x86_call(enable_virtualization_cpu)();
	if (!r)
		check_tsc_goes_on();
	return r;
}

/* Around sleep: what the clock is, by the base that goes on through it. */
int kvm_arch_pm_notifier(struct kvm *kvm, unsigned long state)
{
	bool begins = state == PM_SUSPEND_PREPARE || state == PM_HIBERNATION_PREPARE;
	struct kvm_clock_update u;

	kvm_clock_open(&u, kvm);
	kc_master_host_sleeps(u.m, u.r.now, begins);
	kvm_clock_close(&u);
	return stock_kvm_arch_pm_notifier(kvm, state);
}
