/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Pages as the kernel's ring buffer gives them to who reads it raw, with events of our making. */
#ifndef TEST_WATCH_RING_H
#define TEST_WATCH_RING_H

#include <stdbool.h>
#include <stdint.h>

struct tep_handle;

#define RING_PAGE 4096

struct ring_page {
	uint8_t bytes[RING_PAGE];
	uint32_t used;
	uint64_t last_ns;
};

/* The formats of the events below, as the kernel states them. */
void ring_formats(struct tep_handle *tep);

void ring_begin(struct ring_page *page, uint64_t time_ns);
/* Adds an event; false: the page is full. */
bool ring_pvclock_update(struct ring_page *page, uint64_t time_ns, uint32_t tid, uint32_t vcpu,
			 uint32_t version, uint64_t gtsc, uint64_t ns);
/* Marks the page: events before it were lost, so many; 0: unknown how many. */
void ring_missed(struct ring_page *page, uint64_t events);

#endif
