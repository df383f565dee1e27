// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "page.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <x86intrin.h>

#include "kvm_clock.h"

#define PAGE 4096

static sigjmp_buf no_page;

static void on_bus_error(int signal)
{
	(void)signal;
	siglongjmp(no_page, 1);
}

/*
 * Up to 6.12 the page is the second of [vvar]; later ones have a mapping of
 * their own for it.  It is the kernel's array of all vCPUs' pages.
 */
const char *page_open(struct page *page)
{
	unsigned long vvar = 0, vclock = 0;
	char text[256];
	FILE *maps = fopen("/proc/self/maps", "r");

	if (!maps)
		return "/proc/self/maps";
	while (fgets(text, sizeof(text), maps)) {
		if (strstr(text, "[vvar_vclock]"))
			sscanf(text, "%lx", &vclock);
		else if (strstr(text, "[vvar]"))
			sscanf(text, "%lx", &vvar);
	}
	fclose(maps);
	if (!vvar)
		return "no [vvar]";
	page->mem = (const uint8_t *)(vclock ? vclock : vvar + PAGE);
	signal(SIGBUS, on_bus_error);
	if (sigsetjmp(no_page, 1))
		return "no page of kvm-clock: is it the clocksource, and stable?";
	return page_line(page, 0).mul ? NULL : "the page of kvm-clock is empty";
}

struct line page_line(const struct page *page, int cpu)
{
	const volatile struct pvclock_vcpu_time_info *info = (const void *)(page->mem + 64 * cpu);
	struct line line;

	do {
		line.version = info->version & ~1u;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		line.gtsc = info->tsc_timestamp;
		line.ns = info->system_time;
		line.mul = info->tsc_to_system_mul;
		line.shift = info->tsc_shift;
		line.stable = info->flags & PVCLOCK_TSC_STABLE_BIT;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (info->version != line.version);
	return line;
}

/* Also before the line's point, for the reference is never drawn anew. */
uint64_t line_ns(const struct line *line, uint64_t gtsc)
{
	__int128 ticks = (int64_t)(gtsc - line->gtsc);

	ticks = line->shift < 0 ? ticks >> -line->shift : ticks << line->shift;
	return line->ns + (uint64_t)((ticks * line->mul) >> 32);
}

uint64_t ordered_tsc(void)
{
	uint64_t tsc;

	_mm_lfence();
	tsc = __rdtsc();
	_mm_lfence();
	return tsc;
}
