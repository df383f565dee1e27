// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "ring.h"

#include <stdio.h>
#include <string.h>

#include <traceevent/event-parse.h>

#define HEADER 16		/* the page's time, and how much of it is used */
#define TYPE_TIME_EXTEND 30
#define MISSED (1u << 31)
#define MISSED_STORED (1u << 30)
#define ID 1234

static const char format[] =
	"name: kvm_pvclock_update\nID: 1234\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	"\tfield:unsigned int vcpu_id;\toffset:8;\tsize:4;\tsigned:0;\n"
	"\tfield:__u32 version;\toffset:12;\tsize:4;\tsigned:0;\n"
	"\tfield:__u64 tsc_timestamp;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:__u64 system_time;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:__u32 tsc_to_system_mul;\toffset:32;\tsize:4;\tsigned:0;\n"
	"\tfield:__s8 tsc_shift;\toffset:36;\tsize:1;\tsigned:1;\n"
	"\tfield:__u8 flags;\toffset:37;\tsize:1;\tsigned:0;\n\n"
	"print fmt: \"%u\", REC->vcpu_id\n";

struct record {
	uint16_t type;
	uint8_t flags, preempt;
	int32_t pid;
	uint32_t vcpu, version;
	uint64_t gtsc, ns;
	uint32_t mul;
	int8_t shift;
	uint8_t page_flags, pad[2];
};

void ring_formats(struct tep_handle *tep)
{
	tep_set_long_size(tep, 8);
	tep_parse_event(tep, format, sizeof(format) - 1, "kvm");
}

static void put(struct ring_page *page, const void *data, uint32_t size)
{
	uint64_t commit;

	memcpy(page->bytes + page->used, data, size);
	page->used += size;
	commit = page->used - HEADER;
	memcpy(page->bytes + 8, &commit, sizeof(commit));
}

void ring_begin(struct ring_page *page, uint64_t time_ns)
{
	memset(page, 0, sizeof(*page));
	memcpy(page->bytes, &time_ns, sizeof(time_ns));
	page->used = HEADER;
	page->last_ns = time_ns;
}

bool ring_pvclock_update(struct ring_page *page, uint64_t time_ns, uint32_t tid, uint32_t vcpu,
			 uint32_t version, uint64_t gtsc, uint64_t ns)
{
	const struct record record = {
		.type = ID, .pid = (int32_t)tid, .vcpu = vcpu, .version = version, .gtsc = gtsc, .ns = ns,
		.mul = 0x80000000u, .shift = 1, .page_flags = 1,
	};
	uint64_t delta_ns = time_ns - page->last_ns;
	uint32_t head;

	if (page->used + sizeof(record) + 12 > RING_PAGE - 8)
		return false;
	if (delta_ns >> 27) {
		const uint32_t extend[2] = { TYPE_TIME_EXTEND | (uint32_t)(delta_ns & 0x7ffffff) << 5,
					     (uint32_t)(delta_ns >> 27) };

		put(page, extend, sizeof(extend));
		delta_ns = 0;
	}
	head = (uint32_t)(sizeof(record) / 4) | (uint32_t)delta_ns << 5;
	put(page, &head, sizeof(head));
	put(page, &record, sizeof(record));
	page->last_ns = time_ns;
	return true;
}

void ring_missed(struct ring_page *page, uint64_t events)
{
	uint64_t commit = (page->used - HEADER) | MISSED | (events ? MISSED_STORED : 0);

	memcpy(page->bytes + page->used, &events, sizeof(events));
	memcpy(page->bytes + 8, &commit, sizeof(commit));
}
