// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Findings on the host's KVM. */
#include "check.h"
#include "files.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* What kvmclock_probe(), and monitors by themselves, reckon with. */
#define USUAL_TOLERANCE_PPM 250
#define USUAL_SYNC_PERIOD_MS 300000

static bool ours_is_installed(const struct host_facts *host)
{
	static const char *const endings[] = { "", ".xz", ".zst", ".gz" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
		if (exists_below("/lib/modules/%s/updates/dkms/kvm.ko%s", host->kernel, endings[i]))
			return true;
	return false;
}

void check_kvm(struct document *doc, const struct host_facts *host)
{
	switch (host->kvm) {
	case KVM_IS_OURS:
		found(doc, "kvm", VERDICT_GOOD, NULL,
		      "kvmclock's KVM is loaded: a VM's clock is drawn once and no event moves it");
		break;
	case KVM_IS_STOCK:
		found(doc, "kvm", VERDICT_BEYOND_BUDGET, ours_is_installed(host) ?
		      "kvmclock's is installed: with no VM running, kvmclock-load" :
		      "Install kvmclock-dkms and, with no VM running, kvmclock-load",
		      "The stock KVM is loaded: it draws VMs' clocks anew at many events and each may move one; the longer since the last, the farther, so that no budget is sure to hold");
		break;
	case KVM_IS_UNKNOWN:
		find_kvm_unknown(doc);
		break;
	case KVM_IS_NONE:
		found(doc, "kvm", VERDICT_UNMEASURED, host->vendor == VENDOR_AMD ?
		      "modprobe kvm_amd" : "modprobe kvm_intel, or kvm_amd on AMD",
		      "No KVM is loaded, so no VM runs here, and what KVM could do is not known");
	}
}

void check_device(struct document *doc, const struct host_facts *host)
{
	static const char lost[] = "so the TSC's frequency and the tier are not known";
	const char *cure = "Look for kvm in the kernel's log: dmesg | grep -i kvm";
	bool lacks = host_lacks_virtualization();

	if (host->kvm == KVM_IS_NONE || (host->kvm == KVM_IS_UNKNOWN && host->device.error == ENOENT))
		return;
	if (!host->device.error) {
		found(doc, "device", VERDICT_GOOD, NULL, "/dev/kvm answers");
		return;
	}
	if (host->device.error == EACCES || host->device.error == EPERM) {
		found(doc, "device", VERDICT_UNMEASURED,
		      "Be root, or in the group that /dev/kvm is of: usermod -aG kvm USER",
		      "/dev/kvm is not permitted to you, %s", lost);
		return;
	}
	if (host->kvm != KVM_IS_UNKNOWN && !host->vendor_module) {
		found(doc, "device", VERDICT_UNMEASURED, lacks ?
		      "Switch virtualisation on in the firmware, or in a VM have it shown (nested); then modprobe kvm_intel or kvm_amd" :
		      "modprobe kvm_intel, or kvm_amd on AMD; if it is refused, switch virtualisation on in the firmware",
		      "kvm is loaded without kvm_intel or kvm_amd, and runs no VM%s, %s",
		      lacks ? " as the CPU shows no virtualisation" : "", lost);
		return;
	}
	if (host->device.error == ENOENT)
		cure = "Have udev make it, or: mknod /dev/kvm c 10 232";
	else if (!strcmp(host->device.call, "kvmclock_probe"))
		cure = "Use a newer kernel: 5.19 tells all";
	found(doc, "device", VERDICT_UNMEASURED, cure, "/dev/kvm: %s: %s, %s", host->device.call,
	      strerror(host->device.error), lost);
}

/* Only what this host's KVM is; the budget of a move is the move's own. */
void check_tier(struct document *doc, const struct host_facts *host)
{
	enum verdict corrected = settings.budget_ns ? VERDICT_GOOD : VERDICT_BEYOND_BUDGET;

	if (host->tier == 0)
		found(doc, "tier", VERDICT_GOOD, NULL,
		      "Tier 0: libkvmclock carries a VM's clock to and from here as its line, exactly");
	else if (host->tier == 1)
		found(doc, "tier", corrected, "Load kvmclock's KVM, which is of tier 0",
		      "Tier 1: libkvmclock restores TSCs exactly and clocks to some nanoseconds, which it measures and holds against the budget it is given");
	else if (host->tier == 2)
		found(doc, "tier", VERDICT_BEYOND_BUDGET, "Use kernel 5.16 or newer, or kvmclock's KVM",
		      "Tier 2: this KVM does not tell clock and host TSC together, so a restored clock is as right as the wall clock");
	else if (host->tier == 3)
		found(doc, "tier", VERDICT_BEYOND_BUDGET, host->device.offset_ignored ?
		      "Use a host whose KVM applies them" : "Use kernel 5.16 or newer, or kvmclock's KVM",
		      "Tier 3: this KVM %s no TSC offset, so restored TSCs are set by MSR and KVM guesses what was meant",
		      host->device.offset_ignored ? "applies" : "takes");
}

void check_offset(struct document *doc, const struct host_facts *host)
{
	if (host->device.offset_ignored)
		find_offset_ignored(doc);
}

void check_scaling(struct document *doc, const struct host_facts *host)
{
	if (host->scaling == 1)
		found(doc, "scaling", VERDICT_GOOD, NULL,
		      "KVM can scale TSCs, with %" PRId64 " bits behind the point: guests of other frequencies keep theirs",
		      host->frac_bits);
	else if (host->scaling == 0)
		found(doc, "scaling", VERDICT_GOOD,
		      "Move guests among hosts of one frequency only, or use a CPU with TSC scaling",
		      "KVM cannot scale TSCs: guests of this host's frequency are as exact as elsewhere, those of a higher one are caught up by software, those of a lower one are refused");
}

/* A monitor that reckons with 250 tells in advance what 250 does, and nothing of what more does. */
void check_tolerance(struct document *doc, const struct host_facts *host)
{
	int64_t ppm = host->tolerance_ppm;
	bool beyond = (uint64_t)ppm > settings.budget_ppb / 1000;

	if (ppm == HOST_UNKNOWN)
		return;
	if (ppm > USUAL_TOLERANCE_PPM)
		found(doc, "tolerance", beyond ? VERDICT_BEYOND_BUDGET : VERDICT_GOOD,
		      "Take tsc_tolerance_ppm from the options of kvm in /etc/modprobe.d, and with no VM running load KVM again",
		      "tsc_tolerance_ppm is %" PRId64 ", more than the %d that monitors reckon with: a guest whose frequency is so near the host's gets the host's, its TSC's rate up to %" PRId64 " ppb off, and nobody foretells it",
		      ppm, USUAL_TOLERANCE_PPM, ppm > INT64_MAX / 1000 ? INT64_MAX : ppm * 1000);
	else if (ppm == USUAL_TOLERANCE_PPM)
		found(doc, "tolerance", VERDICT_GOOD, NULL,
		      "tsc_tolerance_ppm is %d, as monitors reckon with: a guest whose frequency is that near the host's gets the host's, and a plan says so before the move",
		      USUAL_TOLERANCE_PPM);
	else
		found(doc, "tolerance", VERDICT_GOOD, NULL,
		      "tsc_tolerance_ppm is %" PRId64 ", less than the %d that monitors reckon with: a frequency farther from the host's than that is %s",
		      ppm, USUAL_TOLERANCE_PPM, host->scaling == 0 ? "caught up by software or refused" : "scaled");
}

void check_sync(struct document *doc, const struct host_facts *host)
{
	if (host->periodic_sync == 0)
		found(doc, "periodic_sync", VERDICT_GOOD,
		      "Take kvmclock_periodic_sync from the options of kvm in /etc/modprobe.d, and with no VM running load KVM again",
		      "kvmclock_periodic_sync is off: of no matter for a clock that is a line, but in host mode vCPUs' clocks part and are not brought together");
	else if (host->sync_period_ms != HOST_UNKNOWN && host->sync_period_ms != USUAL_SYNC_PERIOD_MS)
		found(doc, "sync_period", VERDICT_GOOD, NULL,
		      "kvmclock_sync_period_ms is %" PRId64 ": in host mode, and only there, all vCPUs get a fresh sample so often",
		      host->sync_period_ms);
}

void check_offset_master_clock(struct document *doc, const struct host_facts *host)
{
	if (host->offset_master_clock == 1)
		found(doc, "offset_master_clock", VERDICT_GOOD, NULL,
		      "offset_master_clock is on: a VM whose vCPUs' TSCs have different offsets keeps its line too, without the stable bit");
}

void check_debugfs(struct document *doc, const struct host_facts *host)
{
	int error;
	DIR *folder;

	if (host->kvm == KVM_IS_NONE)
		return;
	folder = open_folder("/sys/kernel/debug/kvm");
	error = errno;
	if (folder) {
		closedir(folder);
		found(doc, "debugfs", VERDICT_GOOD, NULL,
		      "debugfs shows KVM's VMs, so list and show can see them");
	} else if (error == EACCES || error == EPERM) {
		found(doc, "debugfs", VERDICT_GOOD, "Be root for list, show and watch",
		      "debugfs is not permitted to you: of no matter for VMs' time, but they cannot be looked at");
	} else {
		found(doc, "debugfs", VERDICT_GOOD, "mount -t debugfs debugfs /sys/kernel/debug",
		      "debugfs is not mounted, or without KVM's folder: of no matter for VMs' time, but they cannot be looked at");
	}
}
