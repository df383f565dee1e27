/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What is so on this host, read once: what could be had without harm, by whoever asks. */
#ifndef KVMCLOCK_HOST_H
#define KVMCLOCK_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"

/* Unknown: there is no /sys/module, which would tell. */
enum kvm_kind { KVM_IS_UNKNOWN, KVM_IS_NONE, KVM_IS_STOCK, KVM_IS_OURS };
enum vendor { VENDOR_OTHER, VENDOR_INTEL, VENDOR_AMD };

/* Numbers are HOST_UNKNOWN, texts "", where they could not be had. */
#define HOST_UNKNOWN (-1)

struct host_facts {
	enum kvm_kind kvm;
	bool vendor_module;		/* kvm_intel or kvm_amd is there, too */
	enum vendor vendor;
	char kernel[80], cpu[96];
	char flags[8192];		/* of the first processor, KVM's among them */
	char clocksource[32], clocksources[256];
	int64_t tolerance_ppm;
	int64_t periodic_sync;		/* 0, 1 */
	int64_t sync_period_ms;		/* ours only */
	int64_t offset_master_clock;	/* 0, 1; ours only */
	/* What only /dev/kvm tells. */
	struct device_facts device;
	int64_t tsc_khz, tier;
	/* From the CPU where KVM was not to be asked. */
	int64_t scaling;		/* 0, 1 */
	int64_t frac_bits;
};

const struct host_facts *host_facts(void);
const char *kvm_kind_word(enum kvm_kind kind);
const char *vendor_word(enum vendor vendor);
bool host_has_flag(const char *flag);
/* Its flags were read, and none is of virtualization. */
bool host_lacks_virtualization(void);
/* "Whether a KVM is loaded is not known", and what to do. */
void find_kvm_unknown(struct document *doc);
/* Its clocksource is what KVM's master clock goes by: the TSC, with the stock one also by Hyper-V's page. */
bool host_counts_by_tsc(const struct host_facts *host);

#endif
