// SPDX-License-Identifier: GPL-2.0-only
//
// The other places of KVM that compute or store the clock: each asks the one
// function.  Applied to xen.c, hyperv.c and pmu.c together; a missed match stops.

@initialize:python@
@@
done = set()

// K1: setting the shared_info page is no event of the clock.
@shinfo@
expression kvm;
@@
  kvm_xen_shared_info_init(...)
  {
  <...
- kvm_make_all_cpus_request(kvm, KVM_REQ_MASTERCLOCK_UPDATE);
  ...>
  }

// The rule above allows for no match; this one sees whether it is gone.
@survivor@
expression E;
position p;
@@
  kvm_xen_shared_info_init(...)
  {
  <+...
  kvm_make_all_cpus_request(E, KVM_REQ_MASTERCLOCK_UPDATE)@p
  ...+>
  }

@script:python@
p << survivor.p;
@@
done.add("survivor")

// K24: the timing leaves of CPUID are the monitor's.  K20: ours accounts for runstates.
// And Hyper-V's page is ours.
@gone@
identifier fn = { kvm_xen_update_tsc_info, kvm_xen_update_runstate,
		  tsc_page_update_unsafe, kvm_hv_request_tsc_page_update, kvm_hv_setup_tsc_page };
type T;
@@
- T fn(...) { ... }

@script:python@
fn << gone.fn;
@@
done.add(fn)

// Ours calls these.
@shared@
identifier fn = { kvm_xen_update_runstate_guest, compute_tsc_page_parameters };
type T;
@@
- static
  T fn(...) { ... }

@script:python@
fn << shared.fn;
@@
done.add(fn)

// The monitor sets a vCPU's runstate times.
@set@
expression E;
@@
- vcpu->arch.xen.last_steal = E;
+ vcpu->arch.xen.seen.id = 0;

@script:python@
E << set.E;
@@
done.add("set")

// The timer asks the one function, as it does where there is no master clock; no
// time passes between its two readings.
@timer@
identifier v;
statement S;
expression E1, E2;
@@
- if (v->arch.hv_clock.version && v->kvm->arch.use_master_clock && ...) S else {
+ local_irq_disable();
  guest_now = E1;
  kernel_now = E2;
+ local_irq_enable();
- }

@script:python@
v << timer.v;
@@
done.add("timer")

@pseudo@
identifier v;
@@
- ktime_get_boottime_ns() + v->kvm->arch.kvmclock_offset
+ get_kvmclock_ns(v->kvm)

@script:python@
v << pseudo.v;
@@
done.add("pseudo")

@finalize:python@
@@
import sys
missed = sorted({"kvm_xen_update_tsc_info", "kvm_xen_update_runstate", "kvm_xen_update_runstate_guest",
                 "tsc_page_update_unsafe", "kvm_hv_request_tsc_page_update",
                 "kvm_hv_setup_tsc_page", "compute_tsc_page_parameters", "set", "timer", "pseudo"} - done)
if missed or "survivor" in done:
    sys.stderr.write("no match: " + " ".join(missed or ["shinfo"]) + "\n")
    sys.exit(1)
