// SPDX-License-Identifier: GPL-2.0-only
/* Hyper-V's reference TSC page: there while the clock is stable, and back when it is again. */
#include "kvm_clock.h"
#include "hyperv.h"

#ifdef CONFIG_KVM_HYPERV
/* A guest that was moved keeps its page, and its TSC is emulated, until it knows. */
static bool keeps_page(struct kvm_hv *hv)
{
	return hv->hv_tsc_emulation_control && hv->hv_tsc_page_status != HV_TSC_PAGE_GUEST_CHANGED;
}

void kvm_hv_request_tsc_page_update(struct kvm *kvm)
{
	struct kvm_hv *hv = to_kvm_hv(kvm);

	guard(mutex)(&hv->hv_lock);
	if (hv->hv_tsc_page_status == HV_TSC_PAGE_SET && !keeps_page(hv))
		hv->hv_tsc_page_status = HV_TSC_PAGE_HOST_CHANGED;
}

/*
 * Without sequence the guest uses the counter.  What was shown last is kept in
 * tsc_ref, so that no sequence comes again when a page was withdrawn; 0 and the
 * highest mean something else.
 */
static int show_page(struct kvm *kvm, struct pvclock_vcpu_time_info *clock)
{
	struct kvm_hv *hv = to_kvm_hv(kvm);
	gpa_t gpa = gfn_to_gpa(hv->hv_tsc_page >> HV_X64_MSR_TSC_REFERENCE_ADDRESS_SHIFT);
	struct ms_hyperv_tsc_page page = {};
	u32 shown;

	if (kvm_read_guest(kvm, gpa, &shown, sizeof(shown)))
		return -EFAULT;
	if (shown && keeps_page(hv)) {
		if (kvm_read_guest(kvm, gpa, &hv->tsc_ref, sizeof(hv->tsc_ref)))
			return -EFAULT;
		hv->hv_tsc_page_status = HV_TSC_PAGE_SET;
		return 0;
	}
	if (shown && kvm_write_guest(kvm, gpa, &page, sizeof(page.tsc_sequence)))
		return -EFAULT;
	hv->tsc_ref.tsc_sequence = shown ?: hv->tsc_ref.tsc_sequence;
	if (!compute_tsc_page_parameters(clock, &page))
		return 0;

	smp_wmb();
	if (kvm_write_guest(kvm, gpa, &page, sizeof(page)))
		return -EFAULT;
	smp_wmb();
	page.tsc_sequence = hv->tsc_ref.tsc_sequence % (U32_MAX - 1) + 1;
	hv->tsc_ref = page;
	hv->hv_tsc_page_status = HV_TSC_PAGE_SET;
	return kvm_write_guest(kvm, gpa, &page, sizeof(page.tsc_sequence));
}

void kvm_hv_setup_tsc_page(struct kvm *kvm, struct pvclock_vcpu_time_info *hv_clock)
{
	struct kvm_hv *hv = to_kvm_hv(kvm);

	guard(mutex)(&hv->hv_lock);
	if ((hv->hv_tsc_page_status == HV_TSC_PAGE_GUEST_CHANGED ||
	     hv->hv_tsc_page_status == HV_TSC_PAGE_HOST_CHANGED) && show_page(kvm, hv_clock))
		hv->hv_tsc_page_status = HV_TSC_PAGE_BROKEN;
}
#endif
