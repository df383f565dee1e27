// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Findings on the host's time: its TSC, what it is read by, and its wall clock. */
#include "check.h"
#include "files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#define KERNEL_LOG_MAX (4u << 20)

/* ---- the clocksource -------------------------------------------------------- */

/* A word of the command line that keeps the kernel from the TSC. */
static bool find_argument(char *word, size_t room)
{
	char text[4096], *at, *rest = text;

	read_line(text, sizeof(text), "/proc/cmdline");
	while ((at = strsep(&rest, " "))) {
		if (strcmp(at, "notsc") && strcmp(at, "tsc=unstable") &&
		    (strncmp(at, "clocksource=", 12) || !strcmp(at + 12, "tsc")))
			continue;
		snprintf(word, room, "%s", at);
		return true;
	}
	return false;
}

/* What the kernel said when it gave the TSC up; its log is for root, and may have rolled over. */
static bool find_in_log(char *why, size_t room)
{
	static const char key[] = "Marking TSC unstable due to ";
	char *text = malloc(KERNEL_LOG_MAX), *at;

	if (!text)
		return false;
	read_text(text, KERNEL_LOG_MAX, "/dev/kmsg");
	at = strstr(text, key);
	if (at) {
		at += strlen(key);
		snprintf(why, room, "%.*s", (int)strcspn(at, "\n"), at);
	}
	free(text);
	return at;
}

void check_clocksource(struct document *doc, const struct host_facts *host)
{
	static const char lost[] = "so every VM's clock is sampled from the host's (host mode) and steps";
	char why[160];

	if (!*host->clocksource)
		found(doc, "clocksource", VERDICT_UNMEASURED, "Mount sysfs on /sys",
		      "The kernel's clocksource cannot be read, so whether VMs' clocks are lines over the TSC is not known");
	else if (host_counts_by_tsc(host))
		found(doc, "clocksource", VERDICT_GOOD, NULL,
		      "The kernel's clocksource is the TSC%s, so a VM's clock can be a line over its TSC",
		      strcmp(host->clocksource, "tsc") ? " by Hyper-V's page" : "");
	else if (has_word(host->clocksources, "tsc"))
		found(doc, "clocksource", VERDICT_UNSAFE,
		      "Choose it: echo tsc >/sys/devices/system/clocksource/clocksource0/current_clocksource; and take clocksource= from the kernel's command line",
		      "The kernel's clocksource is %s, though the TSC may be chosen, %s", host->clocksource, lost);
	else if (find_argument(why, sizeof(why)))
		found(doc, "clocksource", VERDICT_UNSAFE,
		      "Take it from the kernel's command line, and boot again",
		      "The kernel's clocksource is %s, as its command line has %s, %s", host->clocksource, why, lost);
	else if (find_in_log(why, sizeof(why)))
		found(doc, "clocksource", VERDICT_UNSAFE,
		      "Bring the firmware up to date and boot again; tsc=reliable on the kernel's command line only if the TSC is known to be right",
		      "The kernel's clocksource is %s, as it gave the TSC up (%s), %s", host->clocksource, why, lost);
	else
		found(doc, "clocksource", VERDICT_UNSAFE,
		      "Look for TSC in the kernel's log: dmesg | grep -i tsc",
		      "The kernel's clocksource is %s, as it does not offer the TSC, %s", host->clocksource, lost);
}

void check_watchdog(struct document *doc, const struct host_facts *host)
{
	char text[4096];

	(void)host;
	read_line(text, sizeof(text), "/proc/cmdline");
	if (has_word(text, "tsc=reliable") || has_word(text, "tsc=nowatchdog"))
		found(doc, "watchdog", VERDICT_GOOD,
		      "Take tsc= from the kernel's command line where the TSC is not known to be right",
		      "The kernel was told not to watch the TSC, so one that goes wrong will not be noticed");
}

/* ---- the TSC ---------------------------------------------------------------- */

static bool no_flags(struct document *doc, const char *id, const struct host_facts *host)
{
	if (*host->flags)
		return false;
	found(doc, id, VERDICT_UNMEASURED, "Mount proc on /proc",
	      "The CPU's flags cannot be read, so what its TSC does is not known");
	return true;
}

void check_constant(struct document *doc, const struct host_facts *host)
{
	if (no_flags(doc, "constant_tsc", host))
		return;
	if (has_word(host->flags, "constant_tsc"))
		found(doc, "constant_tsc", VERDICT_GOOD, NULL,
		      "The TSC counts at one rate at all speeds of the CPU (constant_tsc)");
	else
		found(doc, "constant_tsc", VERDICT_UNSAFE,
		      "Use a CPU with an invariant TSC; in a VM have it shown (QEMU: -cpu ...,+invtsc)",
		      "The CPU does not promise a TSC of one rate (no constant_tsc), so guests' TSCs and clocks may change theirs, and KVM scales none by hardware");
}

void check_nonstop(struct document *doc, const struct host_facts *host)
{
	if (no_flags(doc, "nonstop_tsc", host))
		return;
	if (has_word(host->flags, "nonstop_tsc"))
		found(doc, "nonstop_tsc", VERDICT_GOOD, NULL,
		      "The TSC goes on while the CPU sleeps (nonstop_tsc)");
	else
		found(doc, "nonstop_tsc", VERDICT_UNSAFE,
		      "Use a CPU with an invariant TSC, or forbid deep sleep: processor.max_cstate=1 and intel_idle.max_cstate=0 on the kernel's command line",
		      "The TSC may stop while the CPU sleeps (no nonstop_tsc), and the kernel gives it up when it does, with a step in every VM's clock");
}

void check_nested(struct document *doc, const struct host_facts *host)
{
	if (*host->flags && has_word(host->flags, "hypervisor"))
		found(doc, "nested", VERDICT_GOOD,
		      "Know that the hypervisor below neither moves this host nor emulates its TSC, or use bare metal",
		      "This host is itself a guest, so all that is said here of its TSC holds as far as its hypervisor keeps it");
}

/* ---- the wall clock --------------------------------------------------------- */

/* Asked of the kernel, not of a file: with --root it would be another host's. */
void check_realtime(struct document *doc, const struct host_facts *host)
{
	struct timex now = { 0 };

	(void)host;
	if (*settings.root || adjtimex(&now) < 0)
		return;
	if (now.status & STA_UNSYNC)
		found(doc, "realtime", VERDICT_GOOD, "Have chrony, or another, keep the host's time",
		      "The host's wall clock is not synchronised: of no matter for VMs that stay, but one that is moved with its time away counted (advance) is off by as much as the wall clocks of both hosts differ");
	else
		found(doc, "realtime", VERDICT_GOOD, NULL,
		      "The host's wall clock is synchronised to %ld us, which bounds the error of a move that counts the time away (advance)",
		      now.maxerror);
	document_figure(doc, "host_realtime_synchronised", !(now.status & STA_UNSYNC), "1",
			"1: the host's wall clock is synchronised", NULL);
}
