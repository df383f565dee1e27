// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The host's realtime, by VMClock's page: its fields, and their places, are its public ABI. */
#include "guest_verb.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "page.h"

#define MAGIC 0x4b4c4356u	/* "VCLK" */
#define VERSION 1
#define COUNTER_TSC 1
#define FLAG_TAI_OFFSET 0x01u
#define FLAG_MAXERROR 0x40u
#define UNRELIABLE 4
#define TRIES 1000
#define MOST_NS 3155760000000000000u

enum { TELLS_UTC, TELLS_TAI };

/* Little endian. */
struct vmclock {
	uint32_t magic, size;
	uint16_t version;
	uint8_t counter_id, time_type;
	uint32_t sequence;
	uint64_t disruption_marker, flags;
	uint8_t pad[2], status, smearing_hint;
	int16_t tai_offset_s;
	uint8_t leap_indicator, period_shift;
	uint64_t counter, period_frac_s, period_esterror, period_maxerror;
	uint64_t time_s, time_frac_s, time_esterror_ns, time_maxerror_ns;
};
_Static_assert(offsetof(struct vmclock, time_maxerror_ns) == 96, "as the ABI has it");

static const struct guest_figure no_figure = {
	"host_realtime", "ns", "What the guest's realtime is behind the host's", "vmclock", 0, false,
};

/* As a whole, with a TSC and the guest's realtime read meanwhile; false: it changes all the time. */
static bool read_page(const volatile struct vmclock *page, struct vmclock *copy, uint64_t tsc[2],
		      struct timespec *now)
{
	for (int i = 0; i < TRIES; i++) {
		uint32_t sequence = page->sequence;

		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		memcpy(copy, (const void *)page, sizeof(*copy));
		tsc[0] = ordered_tsc();
		clock_gettime(CLOCK_REALTIME, now);
		tsc[1] = ordered_tsc();
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(le32toh(sequence) & 1) && page->sequence == sequence)
			return true;
	}
	return false;
}

static const char *check(const struct vmclock *page)
{
	if (le32toh(page->magic) != MAGIC || le16toh(page->version) != VERSION ||
	    le32toh(page->size) < sizeof(*page))
		return "its page is of no known version";
	if (page->counter_id != COUNTER_TSC)
		return "it counts by another counter than the TSC";
	if (page->time_type != TELLS_UTC && page->time_type != TELLS_TAI)
		return "it tells no realtime";
	if (page->time_type == TELLS_TAI && !(le64toh(page->flags) & FLAG_TAI_OFFSET))
		return "it tells TAI, and not how far that is from UTC";
	if (page->status >= UNRELIABLE)
		return "it says that it is unreliable";
	if (page->period_shift > 63)
		return "its period makes no sense";
	return NULL;
}

/* The host's UTC at a TSC, modulo 2^64. */
static uint64_t utc_ns(const struct vmclock *page, uint64_t tsc)
{
	int64_t ticks = (int64_t)(tsc - le64toh(page->counter));
	unsigned __int128 way = (unsigned __int128)magnitude(ticks) *
				le64toh(page->period_frac_s) >> page->period_shift;
	unsigned __int128 at = (unsigned __int128)le64toh(page->time_s) << 64 | le64toh(page->time_frac_s);
	uint64_t seconds, ns;

	at = ticks < 0 ? at - way : at + way;
	seconds = (uint64_t)(at >> 64);
	ns = (uint64_t)(((unsigned __int128)(uint64_t)at * (uint64_t)GUEST_NS_PER_S) >> 64);
	if (page->time_type == TELLS_TAI)
		seconds -= (uint64_t)(int64_t)(int16_t)le16toh((uint16_t)page->tai_offset_s);
	return seconds * (uint64_t)GUEST_NS_PER_S + ns;
}

static void measure(struct document *doc, const volatile struct vmclock *page)
{
	struct guest_figure figure = no_figure;
	struct timespec now;
	struct vmclock copy;
	uint64_t tsc[2], guest_ns, low, width;
	const char *why;

	if (!read_page(page, &copy, tsc, &now)) {
		guest_no_figure(doc, &figure, "its page changes all the time");
		return;
	}
	why = check(&copy);
	if (why) {
		guest_no_figure(doc, &figure, why);
		return;
	}
	guest_ns = (uint64_t)(now.tv_sec * GUEST_NS_PER_S + now.tv_nsec);
	low = utc_ns(&copy, tsc[0]) - guest_ns;
	width = utc_ns(&copy, tsc[1]) - guest_ns - low;
	if (le64toh(copy.flags) & FLAG_MAXERROR)
		figure.uncertainty = le64toh(copy.time_maxerror_ns);
	/* More than 100 years: neither is a time. */
	if (width > MOST_NS || figure.uncertainty > MOST_NS) {
		guest_no_figure(doc, &figure, "its period or its error makes no sense");
		return;
	}
	figure.uncertainty += width / 2 + 1;
	guest_figure(doc, &figure, (int64_t)(low + width / 2));
}

void guest_vmclock(struct document *doc)
{
	int fd = open_below(O_RDONLY, "/dev/vmclock0");
	struct stat is;
	char why[128];
	void *page;

	if (fd < 0) {
		snprintf(why, sizeof(why), "/dev/vmclock0: %s", fd == -ENOENT ? "not present" : strerror(-fd));
		guest_no_figure(doc, &no_figure, why);
		return;
	}
	if (fstat(fd, &is) || (!S_ISCHR(is.st_mode) && is.st_size < (off_t)sizeof(struct vmclock))) {
		guest_no_figure(doc, &no_figure, "/dev/vmclock0: too short for its page");
		close(fd);
		return;
	}
	page = mmap(NULL, sizeof(struct vmclock), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED) {
		snprintf(why, sizeof(why), "/dev/vmclock0: mmap: %s", strerror(errno));
		guest_no_figure(doc, &no_figure, why);
		return;
	}
	measure(doc, page);
	munmap(page, sizeof(struct vmclock));
}
