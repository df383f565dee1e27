// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* kvmclock check: can this host keep exact time for guests? */
#include "check.h"
#include "verbs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

void found(struct document *doc, const char *id, enum verdict verdict, const char *cure,
	   const char *says, ...)
{
	char text[1024];
	va_list more;

	va_start(more, says);
	vsnprintf(text, sizeof(text), says, more);
	va_end(more);
	document_finding(doc, id, verdict, text, cure);
}

static void (*const checks[])(struct document *doc, const struct host_facts *host) = {
	check_clocksource, check_watchdog, check_constant, check_nonstop, check_nested,
	check_kvm, check_device, check_tier, check_offset, check_scaling, check_tolerance,
	check_sync, check_offset_master_clock, check_debugfs, check_realtime,
};

static void figure(struct document *doc, const char *name, int64_t value, const char *unit,
		   const char *meaning)
{
	if (value == HOST_UNKNOWN)
		document_no_figure(doc, name, unit, meaning, "the findings say what is missing");
	else
		document_figure(doc, name, value, unit, meaning, NULL);
}

static void add_figures(struct document *doc, const struct host_facts *host)
{
	const char *const labels[] = {
		"kvm", kvm_kind_word(host->kvm), "kernel", host->kernel,
		"vendor", vendor_word(host->vendor), "clocksource", host->clocksource, NULL,
	};

	document_figure(doc, "host_info", 1, "1", "the host", labels);
	figure(doc, "host_tsc", host->tsc_khz, "kHz", "the host TSC's frequency");
	figure(doc, "host_tier", host->tier, "1",
	       "libkvmclock's tier here: 0 exact, 1 corrected, 2 by realtime, 3 by MSR");
	figure(doc, "host_tsc_scaling", host->scaling, "1", "1: KVM can scale a guest's TSC");
	figure(doc, "host_tsc_frac", host->frac_bits, "bits", "bits behind the point of a TSC's ratio");
	figure(doc, "host_tsc_tolerance", host->tolerance_ppm, "ppm",
	       "a TSC frequency so near the host's is not scaled");
}

static int64_t ns_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * 1000000000LL + now.tv_nsec - then->tv_nsec;
}

static int run(struct document *doc)
{
	const struct host_facts *host;
	struct timespec begun;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	host = host_facts();
	document_host(doc);
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		checks[i](doc, host);
	add_figures(doc, host);
	document_figure(doc, "check_duration", ns_since(&begun), "ns", "what this check took", NULL);
	return 0;
}

static void print(struct document *doc, FILE *to)
{
	const struct host_facts *host = host_facts();
	enum verdict verdict = document_verdict(doc);

	fprintf(to, "host: Linux %s, %s, KVM: %s\n\n", *host->kernel ? host->kernel : "?",
		*host->cpu ? host->cpu : "unknown CPU", kvm_kind_word(host->kvm));
	print_findings(doc, to);
	fputc('\n', to);
	print_figures(doc, to);
	fprintf(to, "\nverdict: %s%s%s\n", colour(to, verdict), verdict_word(verdict),
		colour_end(to));
}

const struct verb verb_check = {
	.name = "check",
	.says = "Say whether this host can keep exact time for guests",
	.explains = "Each finding is one sentence on the host, with its cure below where there is one. "
		"Unsafe is what lets a guest's clock jump or lose the TSC. Beyond the budget is what makes errors possible. "
		"Without root all is said but what only /dev/kvm tells; the VM that is made to ask it has one vCPU and no memory, never runs, and is gone again.",
	.uses = USES_BUDGET_NS | USES_BUDGET_PPB | USES_ROOT,
	.run = run,
	.print = print,
};
