// SPDX-License-Identifier: GPL-2.0-only
/*
 * For a Linux guest of KVM: its steal clock, without what a bad record makes of
 * it.  Livepatches kvm_steal_clock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/utsname.h>
#include <asm/cpuid.h>
#include <asm/kvm_para.h>
#include <asm/msr.h>
#include <generated/utsrelease.h>

#include "steal.h"

/* A host writes a record within one or two; more means that it will never be whole. */
#define MOST_TRIES		8

/* The kernel's own per-CPU variables have addresses that count from 0, below this. */
#define STATIC_PERCPU_END	SZ_2M

struct cpu_view {
	struct kc_steal_view view;
	bool is_busy;
};

static DEFINE_PER_CPU(struct cpu_view, cpu_view);
static struct kvm_steal_time __percpu *records;

/*
 * The record and the time at which it read that.  The host writes it each time
 * that it lets the CPU run again, so what it stole between the two reads shows.
 */
static bool read_record(const struct kvm_steal_time *record, u64 *record_ns, u64 *clock_ns)
{
	u32 version;
	int i;

	for (i = 0; i < MOST_TRIES; i++) {
		version = READ_ONCE(record->version);
		virt_rmb();
		*record_ns = READ_ONCE(record->steal);
		*clock_ns = sched_clock();
		virt_rmb();
		if (!(version & 1) && READ_ONCE(record->version) == version)
			return true;
	}
	return false;
}

/*
 * Any context, any CPU; waits for nobody.  Only the CPU itself reads its record:
 * seen from another while the host lets it wait, the clock would have moved on,
 * and the wait would show later as growth in too little time.  Others, and who
 * interrupts it at work, take what was shown last.
 */
static u64 shown_steal_clock(int cpu)
{
	struct cpu_view *v = per_cpu_ptr(&cpu_view, cpu);
	u64 record_ns, clock_ns;

	if (cpu != raw_smp_processor_id() || READ_ONCE(v->is_busy))
		return READ_ONCE(v->view.shown_ns);
	WRITE_ONCE(v->is_busy, true);
	barrier();
	if (read_record(per_cpu_ptr(records, cpu), &record_ns, &clock_ns))
		kc_steal_record_read_ns(&v->view, record_ns, clock_ns);
	barrier();
	WRITE_ONCE(v->is_busy, false);
	return READ_ONCE(v->view.shown_ns);
}

/* So that no first call needs to be told from others. */
static void begin(void)
{
	u64 record_ns, clock_ns;
	int cpu;

	for_each_possible_cpu(cpu) {
		read_record(per_cpu_ptr(records, cpu), &record_ns, &clock_ns);
		kc_steal_record_read_ns(&per_cpu(cpu_view, cpu).view, record_ns, clock_ns);
	}
}

/* On that CPU; one instruction, for the host may add to it before and after. */
static void mend_record(void *unused)
{
	struct kc_steal_view *view = &this_cpu_ptr(&cpu_view)->view;
	u64 off_ns;

	shown_steal_clock(smp_processor_id());
	off_ns = view->shown_ns - view->record_ns;
	view->record_ns += off_ns;
	this_cpu_add(records->steal, off_ns);
}

/*
 * The stock function is to go on from what was shown, and while both are in use
 * they must agree: the record becomes what was shown.  KVM adds to what it finds.
 */
static void before_unpatch(struct klp_object *object)
{
	struct kc_steal_view *view;
	int cpu;

	cpus_read_lock();
	for_each_possible_cpu(cpu) {
		view = &per_cpu(cpu_view, cpu).view;
		if (!smp_call_function_single(cpu, mend_record, NULL, true))
			continue;
		per_cpu_ptr(records, cpu)->steal = view->shown_ns;	/* offline */
		view->record_ns = view->shown_ns;
	}
	cpus_read_unlock();
}

static struct klp_func funcs[] = {
	{ .old_name = "kvm_steal_clock", .new_func = shown_steal_clock }, { }
};

static struct klp_object objects[] = {
	{ .funcs = funcs, .callbacks.pre_unpatch = before_unpatch }, { }
};

static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objects };

static int refuse(const char *why)
{
	pr_err("not loaded: %s\n", why);
	return -ENODEV;
}

/*
 * The kernel does not export its variable; KVM tells where it is.  The same per-CPU
 * variable on all CPUs, or it is none.
 */
static bool find_record(int cpu)
{
	struct kvm_steal_time __percpu *found;
	u64 msr;

	if (rdmsrl_safe_on_cpu(cpu, MSR_KVM_STEAL_TIME, &msr) || !(msr & KVM_MSR_ENABLED))
		return false;
	found = (void __percpu *)((unsigned long)__va(msr & KVM_STEAL_VALID_BITS) -
				  per_cpu_offset(cpu));
	if ((unsigned long)found >= STATIC_PERCPU_END || (records && records != found))
		return false;
	records = found;
	return true;
}

static bool find_records(void)
{
	bool found = true;
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		found = found && find_record(cpu);
	cpus_read_unlock();
	return found;
}

static int __init load(void)
{
	u32 base = hypervisor_cpuid_base(KVM_SIGNATURE, 0);

	if (strcmp(init_uts_ns.name.release, UTS_RELEASE))
		return refuse("it is for the kernel " UTS_RELEASE);
	if (!base)
		return refuse("this is not a guest of KVM");
	if (!(cpuid_eax(base | KVM_CPUID_FEATURES) & BIT(KVM_FEATURE_STEAL_TIME)))
		return refuse("this KVM tells its guests of no steal time");
	if (!find_records())
		return refuse("this kernel does not use KVM's steal time");
	begin();
	return klp_enable_patch(&patch);
}

/* Only after it was disabled: until then the kernel holds the module. */
static void __exit unload(void)
{
}

module_init(load);
module_exit(unload);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Steal time of a KVM guest that neither leaps nor goes back");
