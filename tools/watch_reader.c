// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "watch_reader.h"

#include <stdlib.h>
#include <string.h>

#include <traceevent/event-parse.h>
#include <traceevent/kbuffer.h>
#include <tracefs.h>

#define ROOM 65536	/* events at once */
#define FIELDS 6
#define FORMATS 8

static const struct {
	enum watch_kind kind;
	const char *system, *name, *field[FIELDS + 1];
} known[] = {
	{ WATCH_PAGE, "kvm", "kvm_pvclock_update", { "vcpu_id", "version", "tsc_timestamp",
	  "system_time", "tsc_to_system_mul", "tsc_shift" } },
	{ WATCH_MASTER, "kvm", "kvm_update_master_clock", { "use_master_clock", "host_clock",
	  "offset_matched" } },
	{ WATCH_TRACK, "kvm", "kvm_track_tsc", { "vcpu_id", "nr_vcpus_matched_tsc", "online_vcpus",
	  "use_master_clock", "host_clock" } },
	{ WATCH_OFFSET, "kvm", "kvm_write_tsc_offset", { "vcpu_id", "previous_tsc_offset",
	  "next_tsc_offset" } },
	{ WATCH_MSR, "kvm", "kvm_msr", { "ecx" } },
	{ WATCH_IOCTL, NULL, "vm_ioctl", { "cmd" } },
	{ WATCH_IOCTL, NULL, "vcpu_ioctl", { "cmd" } },
};

struct format {
	int id;
	enum watch_kind kind;
	struct tep_format_field *field[FIELDS], *flags;
};

struct watch_reader {
	struct tep_handle *tep;
	struct kbuffer *kbuffer;
	struct tracefs_cpu **cpu;
	int cpus, formats;
	struct format format[FORMATS];
	void *buffer;
	struct watch_event *event;
	size_t count, given;
	uint32_t order;
	uint64_t lost;
};

static bool add_format(struct watch_reader *reader, const char *system, unsigned int which)
{
	struct tep_event *event = tep_find_event_by_name(reader->tep, system, known[which].name);
	struct format *format = &reader->format[reader->formats];
	int i;

	if (!event)
		return false;
	format->id = event->id;
	format->kind = known[which].kind;
	for (i = 0; known[which].field[i]; i++) {
		format->field[i] = tep_find_field(event, known[which].field[i]);
		if (!format->field[i])
			return false;
	}
	format->flags = tep_find_field(event, "flags");
	reader->formats++;
	return true;
}

struct watch_reader *watch_reader_new(struct tep_handle *tep, const char *ioctls,
				      struct tracefs_cpu **cpus, int count)
{
	struct watch_reader *reader = calloc(1, sizeof(*reader));
	bool pages = false;
	unsigned int i;

	if (!reader)
		return NULL;
	reader->tep = tep;
	reader->cpu = cpus;
	reader->cpus = count;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *system = known[i].system ? known[i].system : ioctls;

		if (system && add_format(reader, system, i))
			pages |= known[i].kind == WATCH_PAGE;
	}
	reader->kbuffer = kbuffer_alloc(KBUFFER_LSIZE_8, KBUFFER_ENDIAN_LITTLE);
	reader->buffer = malloc(count ? (size_t)tracefs_cpu_read_size(cpus[0]) : 1);
	reader->event = malloc(ROOM * sizeof(*reader->event));
	if (pages && reader->kbuffer && reader->buffer && reader->event)
		return reader;
	watch_reader_free(reader);
	return NULL;
}

void watch_reader_free(struct watch_reader *reader)
{
	int i;

	for (i = 0; i < reader->cpus; i++)
		tracefs_cpu_close(reader->cpu[i]);
	free(reader->cpu);
	if (reader->kbuffer)
		kbuffer_free(reader->kbuffer);
	free(reader->buffer);
	free(reader->event);
	free(reader);
}

uint64_t watch_reader_lost(const struct watch_reader *reader)
{
	return reader->lost;
}

static void fill_in(struct watch_event *event, uint32_t flags, const unsigned long long *value)
{
	event->vcpu = (uint32_t)value[0];
	switch (event->kind) {
	case WATCH_PAGE:
		event->page.version = (uint32_t)value[1];
		event->page.line = (struct kc_line) {
			value[2], value[3], { (u32)value[4], (s8)value[5] } };
		event->page.flags = (uint8_t)flags;
		break;
	case WATCH_MASTER:
		event->master.master = value[0];
		event->master.host_clock = (uint32_t)value[1];
		event->master.matched = value[2];
		break;
	case WATCH_TRACK:
		event->track.matched = (uint32_t)value[1];
		event->track.online = (uint32_t)value[2];
		event->track.master = value[3];
		event->track.host_clock = (uint32_t)value[4];
		break;
	case WATCH_OFFSET:
		event->offset.from = value[1];
		event->offset.to = value[2];
		break;
	default:
		event->msr = (uint32_t)value[0];
	}
}

static const struct format *format_of(const struct watch_reader *reader, struct tep_record *record)
{
	int id = tep_data_type(reader->tep, record), i;

	for (i = 0; i < reader->formats; i++)
		if (reader->format[i].id == id)
			return &reader->format[i];
	return NULL;
}

static struct watch_event *next_event(struct watch_reader *reader, enum watch_kind kind, uint64_t time_ns)
{
	struct watch_event *event = &reader->event[reader->count++];

	*event = (struct watch_event){ .kind = kind, .time_ns = time_ns, .order = reader->order++ };
	return event;
}

static void read_record(struct watch_reader *reader, void *data, int size, uint64_t time_ns)
{
	struct tep_record record = { .ts = time_ns, .data = data, .size = size };
	const struct format *format = format_of(reader, &record);
	unsigned long long value[FIELDS] = { 0 }, flags = 0;
	struct watch_event *event;
	int i;

	if (!format)
		return;
	for (i = 0; i < FIELDS && format->field[i]; i++) {
		if (format->field[i]->offset + format->field[i]->size > size ||
		    tep_read_number_field(format->field[i], data, &value[i]))
			return;
	}
	if (format->flags && format->flags->offset < size)
		tep_read_number_field(format->flags, data, &flags);
	event = next_event(reader, format->kind, time_ns);
	event->tid = (uint32_t)tep_data_pid(reader->tep, &record);
	fill_in(event, (uint32_t)flags, value);
}

/* A page of a CPU's buffer; the time of its last event. */
static uint64_t read_page(struct watch_reader *reader)
{
	unsigned long long time_ns = 0;
	int missed;
	void *data;

	kbuffer_load_subbuffer(reader->kbuffer, reader->buffer);
	missed = kbuffer_missed_events(reader->kbuffer);
	data = kbuffer_read_event(reader->kbuffer, &time_ns);
	if (missed) {
		/* -1: it does not tell how many */
		reader->lost += missed < 0 ? 1 : (uint64_t)missed;
		next_event(reader, WATCH_LOST, time_ns)->lost = missed < 0 ? 0 : (uint64_t)missed;
	}
	while (data) {
		read_record(reader, data, kbuffer_event_size(reader->kbuffer), time_ns);
		data = kbuffer_next_event(reader->kbuffer, NULL);
		if (data)
			time_ns = kbuffer_timestamp(reader->kbuffer);
	}
	return time_ns;
}

static int by_time(const void *a, const void *b)
{
	const struct watch_event *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return (int32_t)(x->order - y->order) < 0 ? -1 : 1;
}

static void forget_given(struct watch_reader *reader)
{
	reader->count -= reader->given;
	memmove(reader->event, reader->event + reader->given, reader->count * sizeof(*reader->event));
	reader->given = 0;
}

/* An event is 16 bytes or more, and one more may say that others were lost. */
static bool has_room(const struct watch_reader *reader, int page_size)
{
	return reader->count + (size_t)page_size / 16 + 1 <= ROOM;
}

size_t watch_reader_read(struct watch_reader *reader, uint64_t until_ns, const struct watch_event **events,
			 bool *more)
{
	size_t i;
	int cpu;

	forget_given(reader);
	*more = false;
	for (cpu = 0; cpu < reader->cpus; cpu++) {
		int size = tracefs_cpu_read_size(reader->cpu[cpu]);
		uint64_t last_ns = 0;

		while (has_room(reader, size) && tracefs_cpu_read(reader->cpu[cpu], reader->buffer, true) > 0)
			last_ns = read_page(reader);
		/* Not read to its end: what others hold after that has to wait. */
		if (!has_room(reader, size)) {
			*more = true;
			if (last_ns && last_ns < until_ns)
				until_ns = last_ns;
		}
	}
	qsort(reader->event, reader->count, sizeof(*reader->event), by_time);
	for (i = 0; i < reader->count && reader->event[i].time_ns <= until_ns; i++)
		continue;
	/* Rather out of order than no longer reading. */
	if (!i && *more)
		i = reader->count;
	reader->given = i;
	*events = reader->event;
	return i;
}
