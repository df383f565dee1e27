/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The findings of kvmclock check; each function adds one, or none where there is nothing to say. */
#ifndef KVMCLOCK_CHECK_H
#define KVMCLOCK_CHECK_H

#include "host.h"
#include "tool.h"

/* document_finding() with a sentence made of what was read. */
void found(struct document *doc, const char *id, enum verdict verdict, const char *cure,
	   const char *says, ...) __attribute__((format(printf, 5, 6)));

/* check_tsc.c: the host's time */
void check_clocksource(struct document *doc, const struct host_facts *host);
void check_watchdog(struct document *doc, const struct host_facts *host);
void check_constant(struct document *doc, const struct host_facts *host);
void check_nonstop(struct document *doc, const struct host_facts *host);
void check_nested(struct document *doc, const struct host_facts *host);
void check_realtime(struct document *doc, const struct host_facts *host);

/* check_kvm.c: the host's KVM */
void check_kvm(struct document *doc, const struct host_facts *host);
void check_device(struct document *doc, const struct host_facts *host);
void check_tier(struct document *doc, const struct host_facts *host);
void check_offset(struct document *doc, const struct host_facts *host);
void check_scaling(struct document *doc, const struct host_facts *host);
void check_tolerance(struct document *doc, const struct host_facts *host);
void check_sync(struct document *doc, const struct host_facts *host);
void check_offset_master_clock(struct document *doc, const struct host_facts *host);
void check_debugfs(struct document *doc, const struct host_facts *host);

#endif
