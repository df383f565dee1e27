/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* In a guest: the pages of kvm-clock, as the vDSO maps them for anybody. */
#ifndef PROBE_PAGE_H
#define PROBE_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_VCPUS 64	/* that have their lines in the one page that is mapped */

/* As a page of kvm-clock has it. */
struct line {
	uint64_t gtsc, ns;
	uint32_t version, mul;
	int8_t shift;
	bool stable;
};

struct page {
	const uint8_t *mem;	/* 64 bytes for each vCPU */
};

/* NULL, or why there is none: the clock is another, or not stable. */
const char *page_open(struct page *page);
struct line page_line(const struct page *page, int cpu);
uint64_t line_ns(const struct line *line, uint64_t gtsc);
uint64_t ordered_tsc(void);

#endif
