// SPDX-License-Identifier: GPL-2.0-only
/* What happens to the host: clocksource, CPU frequency, CPUs and sleep. */
#include <linux/cpufreq.h>
#include <linux/cpuhotplug.h>
#include <linux/irq_work.h>
#include <linux/pvclock_gtod.h>
#include <linux/suspend.h>
#include <linux/timekeeper_internal.h>
#include <asm/mshyperv.h>
#include "kvm_clock.h"

static DEFINE_PER_CPU(unsigned int, cpu_khz_now);	/* no constant TSC: this CPU's */
unsigned long max_tsc_khz;

static bool has_constant_tsc(void)
{
	return boot_cpu_has(X86_FEATURE_CONSTANT_TSC);
}

/* Never 0: a CPU that goes offline, or an uncalibrated one, has the host's. */
unsigned int kvm_clock_cpu_khz(void)
{
	unsigned int khz = has_constant_tsc() ? 0 : raw_cpu_read(cpu_khz_now);

	return khz ?: tsc_khz ?: 1;
}

static void note_cpu_khz(void *freqs)
{
	unsigned int khz = freqs ? ((struct cpufreq_freqs *)freqs)->new
				 : cpufreq_quick_get(smp_processor_id());

	__this_cpu_write(cpu_khz_now, khz);
}

/* A CPU changes its speed; a guest on it gets a page with the new slope. */
static int cpufreq_changed(struct notifier_block *nb, unsigned long when, void *data)
{
	struct cpufreq_freqs *freqs = data;
	struct kvm_vcpu *vcpu;
	struct kvm *kvm;
	unsigned long i;
	int cpu;

	/* Up: before it happens.  Down: after.  Then no reading runs ahead. */
	if (when != (freqs->old < freqs->new ? CPUFREQ_PRECHANGE
					     : CPUFREQ_POSTCHANGE))
		return NOTIFY_OK;
	for_each_cpu(cpu, freqs->policy->cpus)
		smp_call_function_single(cpu, note_cpu_khz, freqs, true);

	mutex_lock(&kvm_lock);
	list_for_each_entry(kvm, &vm_list, vm_list) {
		kvm_for_each_vcpu(i, vcpu, kvm) {
			if (!cpumask_test_cpu(READ_ONCE(vcpu->cpu), freqs->policy->cpus))
				continue;
			kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
			kvm_vcpu_kick(vcpu);
		}
	}
	mutex_unlock(&kvm_lock);
	return NOTIFY_OK;
}

struct notifier_block kvmclock_cpufreq_notifier_block = {
	.notifier_call = cpufreq_changed,
};

static int cpu_came(unsigned int cpu)
{
	note_cpu_khz(NULL);
	return 0;
}

static int cpu_goes(unsigned int cpu)
{
	__this_cpu_write(cpu_khz_now, 0);
	return 0;
}

void kvm_timer_init(void)
{
	if (has_constant_tsc())
		return;
	max_tsc_khz = cpufreq_quick_get_max(raw_smp_processor_id()) ?: tsc_khz;
	cpufreq_register_notifier(&kvmclock_cpufreq_notifier_block,
				  CPUFREQ_TRANSITION_NOTIFIER);
	cpuhp_setup_state(CPUHP_AP_X86_KVM_CLK_ONLINE, "x86/kvm/clk:online",
			  cpu_came, cpu_goes);
}

/* The clocksource changed: each VM's first vCPU to hear of it acts. */
static void clocksource_changed(struct work_struct *work)
{
	struct kvm *kvm;

	mutex_lock(&kvm_lock);
	list_for_each_entry(kvm, &vm_list, vm_list)
		kvm_make_all_cpus_request(kvm, KVM_REQ_MASTERCLOCK_UPDATE);
	mutex_unlock(&kvm_lock);
}

DECLARE_WORK(pvclock_gtod_work, clocksource_changed);

static void queue_clocksource_work(struct irq_work *work)
{
	queue_work(system_long_wq, &pvclock_gtod_work);
}

struct irq_work pvclock_irq_work = IRQ_WORK_INIT(queue_clocksource_work);

/* Called at each tick, inside the timekeeper's own lock. */
static int timekeeping_updated(struct notifier_block *nb, unsigned long unused,
			       void *priv)
{
	static bool was_tsc = true;
	struct timekeeper *tk = priv;
	bool is_tsc = tk->tkr_mono.clock->id == CSID_X86_TSC;

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

/* The highest TSC that any vCPU left the guest at; 0: none did. */
static u64 last_htsc_of_all(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm *kvm;
	unsigned long i;
	u64 last = 0;

	list_for_each_entry(kvm, &vm_list, vm_list)
		kvm_for_each_vcpu(i, vcpu, kvm)
			last = max(last, vcpu->arch.last_host_tsc);
	return last;
}

static void host_tsc_restarted(struct kvm *kvm, u64 here_htsc, u64 delta_htsc)
{
	struct kvm_clock_update u;
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_clock_open(&u, kvm);
	kc_master_host_tsc_restarted(u.m, &u.host, delta_htsc);
	kvm_for_each_vcpu(i, vcpu, kvm) {
		vcpu->arch.tsc_offset_adjustment +=
			kvm_scale_tsc(delta_htsc, vcpu->arch.l1_tsc_scaling_ratio);
		vcpu->arch.last_host_tsc = here_htsc;
		kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
	}
	kvm->arch.clock.pages_due = true;
	kvm_clock_close(&u);
}

/* A CPU is back, after sleep or hotplug: does its TSC go on, or start again? */
static void check_tsc_goes_on(void)
{
	u64 here_htsc = rdtsc(), last_htsc = last_htsc_of_all();
	struct kvm *kvm;

	if (kvm_check_tsc_unstable() || last_htsc <= here_htsc)
		return;
	list_for_each_entry(kvm, &vm_list, vm_list)
		host_tsc_restarted(kvm, here_htsc, last_htsc - here_htsc);
}

int kvm_arch_enable_virtualization_cpu(void)
{
	int r;

	kvm_user_return_msr_cpu_online();
	r = kvm_x86_check_processor_compatibility();
	if (!r)
		r = kvm_x86_call(enable_virtualization_cpu)();
	if (!r)
		check_tsc_goes_on();
	return r;
}

/* Before sleep: what the clock is, by the base that goes on through it. */
int kvm_arch_pm_notifier(struct kvm *kvm, unsigned long state)
{
	struct kvm_clock_update u;

	if (state == PM_SUSPEND_PREPARE || state == PM_HIBERNATION_PREPARE) {
		kvm_clock_open(&u, kvm);
		kc_master_host_suspends(u.m, &u.host, u.r.now);
		kvm_clock_close(&u);
	}
	return stock_kvm_arch_pm_notifier(kvm, state);
}
