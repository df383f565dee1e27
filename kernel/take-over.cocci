// SPDX-License-Identifier: GPL-2.0-only
//
// Takes the clock out of x86.c.  Rules name what goes or changes; what comes
// instead is in this folder's C files.  A function or a place that is not found
// stops the build (see "missed", at the end); so does anything taken out, or
// left, that differs from what was reviewed (see "reviewed" and build).

@initialize:python@
@@
gone = set()
done = {}

def did(what, times=1):
    done[what] = done.get(what, 0) + times

@taken@
identifier fn = {
	update_pvclock_gtod, get_kvmclock_base_ns,
	kvm_write_wall_clock, kvm_write_system_time,
	div_frac, kvm_get_time_scale, adjust_tsc_khz, set_tsc_khz,
	kvm_set_tsc_khz, compute_guest_tsc, gtod_is_based_on_tsc,
	kvm_track_tsc_matching, __scale_tsc, kvm_scale_tsc,
	kvm_compute_l1_tsc_offset, kvm_read_l1_tsc,
	kvm_calc_nested_tsc_offset, kvm_calc_nested_tsc_multiplier,
	kvm_vcpu_write_tsc_offset, kvm_vcpu_write_tsc_multiplier,
	kvm_check_tsc_unstable, __kvm_synchronize_tsc, kvm_synchronize_tsc,
	adjust_tsc_offset_guest, adjust_tsc_offset_host,
	read_tsc, vgettsc, do_kvmclock_base, do_monotonic, do_realtime,
	kvm_get_time_and_clockread, kvm_get_monotonic_and_clockread,
	kvm_get_walltime_and_clockread, pvclock_update_vm_gtod_copy,
	kvm_make_mclock_inprogress_request, __kvm_start_pvclock_update,
	kvm_start_pvclock_update, kvm_end_pvclock_update,
	kvm_update_masterclock, get_cpu_tsc_khz, __get_kvmclock, get_kvmclock,
	get_kvmclock_ns, kvm_setup_guest_pvclock, kvm_guest_time_update,
	kvm_get_wall_clock_epoch, kvmclock_update_fn, kvm_gen_kvmclock_update,
	kvmclock_sync_fn, kvmclock_reset,
	kvm_arch_tsc_has_attr, kvm_arch_tsc_get_attr, kvm_arch_tsc_set_attr,
	kvm_vm_ioctl_get_clock, kvm_vm_ioctl_set_clock,
	kvmclock_cpu_down_prep, tsc_khz_changed, kvm_hyperv_tsc_notifier,
	__kvmclock_cpufreq_notifier, kvmclock_cpufreq_notifier,
	kvmclock_cpu_online, kvm_timer_init, pvclock_gtod_update_fn,
	pvclock_irq_work_fn, pvclock_gtod_notify, kvm_pv_clock_pairing,
	kvm_arch_enable_virtualization_cpu
};
type T;
position p;
@@
- T fn@p(...) { ... }

@script:python@
fn << taken.fn;
@@
gone.add(fn)

// A forward declaration of a function that went.
@declared@
identifier fn = { kvm_vcpu_write_tsc_multiplier };
type T;
@@
- T fn(...);

// Ours stands in front of these.
@front@
identifier fn = { kvm_arch_vcpu_ioctl, kvm_vm_ioctl_check_extension,
		  kvm_arch_pm_notifier };
fresh identifier stock = "stock_" ## fn;
type T;
@@
  T
- fn
+ stock
  (...) { ... }

@script:python@
fn << front.fn;
@@
did("front " + fn)

// The vCPU comes to a CPU: its pending correction and what an unstable TSC asks.
@load@
expression v;
statement S;
@@
  kvm_arch_vcpu_load(...) {
  ...
  if (unlikely(v->arch.tsc_offset_adjustment))
- S
+ kvm_clock_host_tsc_restarted(vcpu);
  ...
  }

@script:python@
v << load.v;
@@
did("load")

@loaded@
statement S1, S2, S3;
identifier d, v;
type T;
expression E;
@@
- T d = E;
- if (d < 0) S1
- if (kvm_check_tsc_unstable()) S2
+ kvm_clock_vcpu_came(vcpu);
  ...
- if (<+... v->cpu == -1 ...+>) S3

@script:python@
d << loaded.d;
@@
did("loaded")

// A vCPU leaves the guest: where its TSC was is not noted, it can be derived.
@left@
expression E;
identifier v;
@@
- v->arch.last_guest_tsc = E;

@script:python@
v << left.v;
@@
did("left")

@periodic@
statement S;
@@
- if (<+... kvmclock_periodic_sync ...+>) S

// Ours calls these.
@shared@
identifier fn = { kvm_user_return_msr_cpu_online,
		  kvm_x86_check_processor_compatibility };
type T;
@@
- static
  T fn(...) { ... }

@script:python@
fn << shared.fn;
@@
did("shared " + fn)

// K21: the arithmetic of stolen time; the record is read before its page is opened.
@steal@
expression E;
@@
  record_steal_time(...)
  {
  <+...
  st = E;
+ if (kvm_clock_steal(vcpu, &st->steal, &steal))
+ 	return;
  ...+>
  }

@script:python@
E << steal.E;
@@
did("steal")

@stolen@
expression E1, E2;
@@
- unsafe_get_user(steal, &st->steal, out);
- steal += E1;
- vcpu->arch.st.last_steal = E2;
  unsafe_put_user(steal, &st->steal, out);

@script:python@
E1 << stolen.E1;
@@
did("stolen")

// What the thread waited before is not the new record's.
@begins@
identifier data;
@@
  vcpu->arch.st.msr_val = data;
+ vcpu->arch.st.seen.id = 0;

@script:python@
data << begins.data;
@@
did("begins")

// A VM is made.
@init@
expression E;
@@
- kvm->arch.kvmclock_offset = E;
  ...
- raw_spin_lock_irqsave(...);
- pvclock_update_vm_gtod_copy(kvm);
- raw_spin_unlock_irqrestore(...);
+ kvm_clock_init_vm(kvm);

@script:python@
E << init.E;
@@
did("init")

@works@
@@
(
- INIT_DELAYED_WORK(&kvm->arch.kvmclock_update_work, ...);
|
- cancel_delayed_work_sync(&kvm->arch.kvmclock_update_work);
|
- cancel_delayed_work_sync(&kvm->arch.kvmclock_sync_work);
)

// Not before the VM has left the list: who walks that may queue the work.
@cancel@
identifier kvm;
@@
  kvm_arch_pre_destroy_vm(struct kvm *kvm)
  {
+ cancel_delayed_work_sync(&kvm->arch.kvmclock_sync_work);
  ...
  }

@script:python@
kvm << cancel.kvm;
@@
did("cancel")

@finalize:python@
@@
import sys
wanted = 67
missed = []
if len(gone) != wanted:
    missed.append("%d of %d functions taken out" % (len(gone), wanted))
for what in ("front kvm_arch_vcpu_ioctl", "front kvm_vm_ioctl_check_extension",
             "front kvm_arch_pm_notifier", "load", "loaded", "left", "shared kvm_user_return_msr_cpu_online",
             "shared kvm_x86_check_processor_compatibility", "init", "cancel", "steal", "stolen", "begins"):
    if not done.get(what):
        missed.append("no match: " + what)
if missed:
    sys.stderr.write("; ".join(missed) + "\n")
    sys.exit(1)
