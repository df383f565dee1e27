// SPDX-License-Identifier: GPL-2.0-only
/* For operators: parameters, and the clock of each VM as a file; kvmclock(4). */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "kvm_clock.h"

bool offset_master_clock;
module_param(offset_master_clock, bool, 0444);
MODULE_PARM_DESC(offset_master_clock, "Master mode also while vCPUs' TSC offsets differ");

unsigned int kvmclock_sync_period_ms = 300 * MSEC_PER_SEC;
module_param(kvmclock_sync_period_ms, uint, 0444);
MODULE_PARM_DESC(kvmclock_sync_period_ms, "Host mode: a fresh sample for all vCPUs each so many ms, 10 at least");

/* Under clock.lock. */
void kvm_clock_count_step(struct kvm_clock_counts *counts, u64 from_ns, u64 to_ns)
{
	u64 step_ns = abs((s64)(to_ns - from_ns));

	if (likely(!step_ns))
		return;
	counts->steps++;
	counts->steps_total_ns += step_ns;
	counts->step_worst_ns = max(counts->step_worst_ns, step_ns);
}

/* An update ends; under clock.lock. */
__flatten void kvm_clock_count(struct kvm_clock_update *u)
{
	struct kvm_clock_counts *counts = &u->kvm->arch.clock.counts;

	counts->updates += u->pages_due;
	counts->sets += u->is_set;
	if (!u->is_set)
		kvm_clock_count_step(counts, u->before_ns,
				     kc_master_read_floor_ns(u->m, u->r.now));
}

static void show_mode(struct seq_file *file, const struct kc_master *m)
{
	static const char * const name[] = {
		"no_tsc_clocksource", "tsc_backwards", "old_msr", "unequal_rates", "unmatched",
	};
	u8 reasons = kc_master_reasons(m);
	int i;

	static_assert(1 << (ARRAY_SIZE(name) - 1) == KC_UNMATCHED);
	seq_printf(file, "mode %s\nreasons", reasons ? "host" : "master");
	for (i = 0; i < ARRAY_SIZE(name); i++) {
		if (reasons & 1 << i)
			seq_printf(file, " %s", name[i]);
	}
	seq_puts(file, reasons ? "\n" : " none\n");
	seq_printf(file, "stable %d\n", kc_master_is_stable(m));
	seq_printf(file, "offset_master_clock %d\n", m->allow_unmatched);
}

static void show_generation(struct seq_file *file, const struct kc_master *m)
{
	seq_printf(file, "vcpus %u\n", m->nr_vcpus);
	seq_printf(file, "vcpus_same_rate %u\n", m->nr_same_rate);
	seq_printf(file, "vcpus_matched %u\n", m->nr_matched);
	seq_printf(file, "host_tsc_khz %u\n", m->host.khz);
	seq_printf(file, "tsc_frac_bits %u\n", m->host.frac_bits);
	seq_printf(file, "generation_ratio %llu\n", m->generation.ratio);
	seq_printf(file, "generation_offset_gtsc %llu\n", m->generation.offset_gtsc);
}

static void show_line(struct seq_file *file, const struct kc_master *m)
{
	seq_printf(file, "line_gtsc %llu\n", m->line.t0_gtsc);
	seq_printf(file, "line_ns %llu\n", m->line.n0_ns);
	seq_printf(file, "line_mul %u\n", m->line.rate.mul);
	seq_printf(file, "line_shift %d\n", m->line.rate.shift);
	seq_printf(file, "base_offset_ns %lld\n", m->base_offset_ns);
}

static void show_counts(struct seq_file *file, const struct kvm_clock_counts *counts)
{
	seq_printf(file, "updates %llu\n", READ_ONCE(counts->updates));
	seq_printf(file, "page_writes %llu\n", READ_ONCE(counts->page_writes));
	seq_printf(file, "sets %llu\n", READ_ONCE(counts->sets));
	seq_printf(file, "steps %llu\n", READ_ONCE(counts->steps));
	seq_printf(file, "steps_total_ns %llu\n", READ_ONCE(counts->steps_total_ns));
	seq_printf(file, "step_worst_ns %llu\n", READ_ONCE(counts->step_worst_ns));
}

static int kvm_clock_show(struct seq_file *file, void *unused)
{
	struct kvm *kvm = file->private;
	struct kc_master m = kvm_clock_state(kvm);
	struct kvm_clock_reading r;

	scoped_guard(irqsave)
		kvm_clock_read_host(&r);
	show_mode(file, &m);
	seq_printf(file, "clock_ns %llu\n", kc_master_read_floor_ns(&m, r.now));
	seq_printf(file, "clock_host_tsc %llu\n", r.now.htsc);
	show_generation(file, &m);
	show_line(file, &m);
	show_counts(file, &kvm->arch.clock.counts);
	return 0;
}

/* An open file keeps its VM. */
static int kvm_clock_open_file(struct inode *inode, struct file *file)
{
	struct kvm *kvm = inode->i_private;
	int r;

	if (!kvm_get_kvm_safe(kvm))
		return -ENOENT;
	r = single_open(file, kvm_clock_show, kvm);
	if (r)
		kvm_put_kvm(kvm);
	return r;
}

static int kvm_clock_close_file(struct inode *inode, struct file *file)
{
	kvm_put_kvm(inode->i_private);
	return single_release(inode, file);
}

static const struct file_operations kvm_clock_file = {
	.owner = THIS_MODULE,
	.open = kvm_clock_open_file,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = kvm_clock_close_file,
};

void kvm_arch_create_vm_debugfs(struct kvm *kvm)
{
	stock_kvm_arch_create_vm_debugfs(kvm);
	debugfs_create_file("clock", 0444, kvm->debugfs_dentry, kvm, &kvm_clock_file);
}
