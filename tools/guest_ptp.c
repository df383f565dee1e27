// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The host's realtime, by the PTP clock that KVM gives its guests. */
#include "guest_verb.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ptp_clock.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "files.h"

#define KVM_PTP "KVM virtual PTP"
#define MAX_CLOCKS 16

static const char meaning[] = "What the guest's realtime is behind the host's";

static int64_t ns_of(struct ptp_clock_time time)
{
	return time.sec * GUEST_NS_PER_S + time.nsec;
}

/* Host and guest at one TSC: what is not known is the rounding of both. */
static bool read_precise(struct document *doc, int fd)
{
	const struct guest_figure figure = { "host_realtime", "ns", meaning, "ptp_kvm precise", 2, false };
	struct ptp_sys_offset_precise pair = { 0 };

	if (ioctl(fd, PTP_SYS_OFFSET_PRECISE, &pair))
		return false;
	guest_figure(doc, &figure, ns_of(pair.device) - ns_of(pair.sys_realtime));
	return true;
}

/* The host's lies between two of the guest's: of several the narrowest counts. */
struct bracket_ns {
	int64_t width, value;
};

static void narrow(struct bracket_ns *best, struct ptp_clock_time before, struct ptp_clock_time host,
		   struct ptp_clock_time after)
{
	int64_t width = ns_of(after) - ns_of(before);

	if (width >= 0 && width < best->width)
		*best = (struct bracket_ns) { width, ns_of(host) - ns_of(before) - width / 2 };
}

/* By the ioctl that brackets each reading, or else by the one that has them in a row. */
static bool read_bracketed(struct document *doc, int fd)
{
	struct guest_figure figure = { "host_realtime", "ns", meaning, "ptp_kvm bracketed", 0, false };
	struct ptp_sys_offset_extended each = { .n_samples = PTP_MAX_SAMPLES };
	struct ptp_sys_offset row = { .n_samples = PTP_MAX_SAMPLES };
	struct bracket_ns best = { INT64_MAX, 0 };
	int i;

	if (!ioctl(fd, PTP_SYS_OFFSET_EXTENDED, &each))
		for (i = 0; i < PTP_MAX_SAMPLES; i++)
			narrow(&best, each.ts[i][0], each.ts[i][1], each.ts[i][2]);
	else if (!ioctl(fd, PTP_SYS_OFFSET, &row))
		for (i = 0; i < PTP_MAX_SAMPLES; i++)
			narrow(&best, row.ts[2 * i], row.ts[2 * i + 1], row.ts[2 * i + 2]);
	if (best.width == INT64_MAX)
		return false;
	figure.uncertainty = (uint64_t)best.width / 2 + 1;
	guest_figure(doc, &figure, best.value);
	return true;
}

/* The number of KVM's clock, or -1. */
static int find_clock(void)
{
	char name[64];

	for (int i = 0; i < MAX_CLOCKS; i++)
		if (read_line(name, sizeof(name), "/sys/class/ptp/ptp%d/clock_name", i) > 0 &&
		    !strcmp(name, KVM_PTP))
			return i;
	return -1;
}

void guest_ptp(struct document *doc)
{
	const struct guest_figure figure = { "host_realtime", "ns", meaning, "ptp_kvm", 0, false };
	int number = find_clock(), fd;
	char why[128];

	if (number < 0) {
		guest_no_figure(doc, &figure, "not present: no PTP clock of KVM, modprobe ptp_kvm");
		return;
	}
	fd = open_below(O_RDONLY, "/dev/ptp%d", number);
	if (fd < 0) {
		snprintf(why, sizeof(why), "/dev/ptp%d: %s: be root", number, strerror(-fd));
		guest_no_figure(doc, &figure, why);
		return;
	}
	if (!read_precise(doc, fd) & !read_bracketed(doc, fd))
		guest_no_figure(doc, &figure, "the PTP clock gives no pairs: its host's clocksource is not the TSC");
	close(fd);
}
