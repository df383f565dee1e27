// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096ull
#define VM_PART offsetof(struct vm_state, vcpu)

_Static_assert(VM_PART % 8 == 0 && sizeof(struct vcpu_state) % 8 == 0, "whole words");

struct stream {
	int fd;
	struct stream_sum sum;
};

/* Finds changed and exchanged words; who alters it on purpose can make it right. */
static void add_sum(struct stream_sum *sum, const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint64_t word;

	for (; size >= 8; size -= 8, byte += 8) {
		memcpy(&word, byte, 8);
		sum->sum += word;
		sum->weighted += sum->sum;
	}
}

static int put(struct stream *stream, const void *data, size_t size)
{
	const char *from = data;

	add_sum(&stream->sum, data, size);
	while (size) {
		ssize_t n = write(stream->fd, from, size);

		if (n <= 0)
			return complain("the saved state cannot be written");
		from += n;
		size -= (size_t)n;
	}
	return 0;
}

static int get(struct stream *stream, void *data, size_t size)
{
	char *to = data;
	size_t left = size;

	while (left) {
		ssize_t n = read(stream->fd, to, left);

		if (n < 0)
			return complain("the saved state cannot be read");
		errno = 0;
		if (!n)
			return complain("the saved state ends too early");
		to += n;
		left -= (size_t)n;
	}
	add_sum(&stream->sum, data, size);
	return 0;
}

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE - 1);
}

static int put_memory(struct stream *stream, const struct vm *vm)
{
	uint64_t at = 0, end;

	while (at < vm->mem_size) {
		struct stream_run run;

		if (is_zero(vm->mem + at)) {
			at += PAGE;
			continue;
		}
		for (end = at + PAGE; end < vm->mem_size && !is_zero(vm->mem + end);)
			end += PAGE;
		run = (struct stream_run){ .gpa = at, .size = end - at };
		if (put(stream, &run, sizeof(run)) || put(stream, vm->mem + at, run.size))
			return -1;
		at = end;
	}
	return 0;
}

int stream_write(int fd, const struct vm *vm, const struct vm_state *state, bool with_memory)
{
	struct stream stream = { .fd = fd };
	struct stream_head head = {
		.magic = STREAM_MAGIC, .version = STREAM_VERSION, .with_memory = with_memory,
		.vm_size = VM_PART, .vcpu_size = sizeof(struct vcpu_state),
	};
	struct stream_run last = { 0 };
	struct stream_sum sum;

	if (put(&stream, &head, sizeof(head)) || put(&stream, state, VM_PART) ||
	    put(&stream, state->vcpu, state->count * sizeof(state->vcpu[0])))
		return -1;
	if (with_memory && put_memory(&stream, vm))
		return -1;
	if (put(&stream, &last, sizeof(last)))
		return -1;
	sum = stream.sum;
	return put(&stream, &sum, sizeof(sum));
}

bool stream_valid(const struct vm_state *state)
{
	uint32_t i;

	if (state->count < 1 || state->count > VM_MAX_VCPUS || state->clock_size > STATE_MAX_CLOCK)
		return false;
	for (i = 0; i < 3; i++) {
		if (state->irqchip[i].chip_id != i)
			return false;
	}
	for (i = 0; i < state->count; i++) {
		if (state->vcpu[i].msrs > STATE_MAX_MSRS || state->vcpu[i].cpuids > VM_MAX_CPUID)
			return false;
	}
	return serial_valid(&state->serial);
}

static int get_state(struct stream *stream, struct vm_state *state, bool with_memory)
{
	struct stream_head head;

	if (get(stream, &head, sizeof(head)))
		return -1;
	if (head.magic != STREAM_MAGIC)
		return complain("this is no saved VM");
	if (head.version != STREAM_VERSION || head.vm_size != VM_PART ||
	    head.vcpu_size != sizeof(struct vcpu_state))
		return complain("saved by another version of kvmclock-vmm");
	if (head.with_memory != with_memory)
		return complain("saved %s the guest's memory", with_memory ? "without" : "with");
	if (get(stream, state, VM_PART))
		return -1;
	if (state->count < 1 || state->count > VM_MAX_VCPUS)
		return complain("the saved VM has %u vCPUs: 1 to %d can be had", state->count,
				VM_MAX_VCPUS);
	if (get(stream, state->vcpu, state->count * sizeof(state->vcpu[0])))
		return -1;
	errno = 0;
	return stream_valid(state) ? 0 : complain("the saved state is damaged");
}

static int get_memory(struct stream *stream, struct vm *vm)
{
	struct stream_run run;
	uint64_t next = 0;

	for (;;) {
		if (get(stream, &run, sizeof(run)))
			return -1;
		if (!run.size)
			return 0;
		if (run.gpa < next || run.gpa >= vm->mem_size || run.size > vm->mem_size - run.gpa ||
		    (run.gpa | run.size) % PAGE)
			return complain("the saved memory is damaged");
		if (get(stream, vm->mem + run.gpa, run.size))
			return -1;
		next = run.gpa + run.size;
	}
}

int stream_read(int fd, struct vm *vm, struct vm_state *state, int mem_fd)
{
	struct stream stream = { .fd = fd };
	struct stream_sum wanted, sum;

	errno = 0;
	if (get_state(&stream, state, mem_fd < 0) || vm_open_memory(vm, state->mem_size, mem_fd) ||
	    get_memory(&stream, vm))
		return -1;
	wanted = stream.sum;
	if (get(&stream, &sum, sizeof(sum)))
		return -1;
	if (memcmp(&sum, &wanted, sizeof(sum)))
		return complain("the saved state's sum is wrong: it is damaged");
	return 0;
}
