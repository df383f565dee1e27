// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The saved VM's format without KVM: what is written is read; cut, flipped and
 * forged bytes give an error, or a state within its bounds, and never more.
 * TAP.  Built with the sanitizers, which do the judging.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lab/tap.h"
#include "stream.h"

#define MEM_MB	VM_MIN_MB
#define FLIPS	4000

/* Of vm.c, whose other parts are KVM's. */
int complain(const char *text, ...)
{
	(void)text;
	return -1;
}

int vm_open_memory(struct vm *vm, uint64_t size, int mem_fd)
{
	(void)mem_fd;
	if (size != (uint64_t)MEM_MB << 20)
		return -1;
	vm->mem_size = size;
	/* One page more, so that what goes beyond the end is seen to. */
	vm->mem = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return vm->mem == MAP_FAILED ? -1 : 0;
}

static struct vm_state saved, loaded;
static struct vm source;
static uint8_t *bytes;
static size_t size;

static uint32_t random32(void)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33);
}

static void fill(void *data, size_t length)
{
	uint8_t *byte = data;

	while (length--)
		*byte++ = (uint8_t)random32();
}

/* Two vCPUs; memory at its start, within, and at its end. */
static void make_source(void)
{
	uint32_t i;

	fill(&saved, sizeof(saved));
	saved.mem_size = (uint64_t)MEM_MB << 20;
	saved.count = 2;
	saved.clock_size = 300;
	saved.serial.queued = 3;
	saved.serial.thre_pending = 1;
	for (i = 0; i < 3; i++)
		saved.irqchip[i].chip_id = i;
	for (i = 0; i < saved.count; i++) {
		saved.vcpu[i].msrs = 100;
		saved.vcpu[i].cpuids = 50;
	}
	if (vm_open_memory(&source, saved.mem_size, -1))
		tap_bail("memory");
	fill(source.mem, 8192);
	source.mem[saved.mem_size / 2] = 1;
	source.mem[saved.mem_size - 1] = 1;
}

static int in_memory(const void *data, size_t length)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, length) != (ssize_t)length)
		tap_bail("memfd");
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* What stream_read() says of these bytes; what it accepts is within its bounds. */
static int load(const void *data, size_t length, struct vm *vm)
{
	int fd = in_memory(data, length);
	int ret = stream_read(fd, vm, &loaded, -1);

	close(fd);
	if (!ret && !stream_valid(&loaded))
		abort();
	return ret;
}

static int load_and_drop(const void *data, size_t length)
{
	struct vm vm = { 0 };
	int ret = load(data, length, &vm);

	if (vm.mem && vm.mem != MAP_FAILED)
		munmap(vm.mem, vm.mem_size + 4096);
	return ret;
}

static void write_source(void)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	if (fd < 0 || stream_write(fd, &source, &saved, true))
		tap_bail("stream_write");
	size = (size_t)lseek(fd, 0, SEEK_END);
	bytes = malloc(size);
	if (!bytes || pread(fd, bytes, size, 0) != (ssize_t)size)
		tap_bail("read back");
	close(fd);
}

static void round_trip(void)
{
	struct vm vm = { 0 };
	int ret = load(bytes, size, &vm);
	size_t used = offsetof(struct vm_state, vcpu) + saved.count * sizeof(saved.vcpu[0]);

	tap_ok(!ret, "stream: what was written is read");
	tap_ok(!ret && !memcmp(&saved, &loaded, used), "stream: the state is the same");
	tap_ok(!ret && !memcmp(vm.mem, source.mem, source.mem_size), "stream: the memory is the same");
	tap_figure("vmm", "bytes_of_four_pages", (long long)size, "bytes");
}

static void cut_everywhere(void)
{
	size_t length, accepted = 0, step;

	for (length = 0; length < size; length += step) {
		accepted += !load_and_drop(bytes, length);
		step = length < 64 || length > size - 600 ? 1 : 1 + random32() % 97;
	}
	tap_ok(!accepted, "stream: cut anywhere, it is refused");
}

static void flip_everywhere(void)
{
	size_t i, accepted = 0;

	for (i = 0; i < FLIPS; i++) {
		size_t at = i < 64 ? i : random32() % size;

		uint8_t bit = (uint8_t)(1u << random32() % 8);

		bytes[at] ^= bit;
		accepted += !load_and_drop(bytes, size);
		bytes[at] ^= bit;
	}
	tap_ok(!accepted, "stream: with one bit flipped, it is refused");
}

/* As stream.c has it: who forges bytes makes the sum right. */
static void make_sum(uint8_t *data, size_t length)
{
	struct stream_sum sum = { 0 };
	uint64_t word;
	size_t i;

	for (i = 0; i + 8 <= length - sizeof(sum); i += 8) {
		memcpy(&word, data + i, 8);
		sum.sum += word;
		sum.weighted += sum.sum;
	}
	memcpy(data + length - sizeof(sum), &sum, sizeof(sum));
}

#define HEAD(member)	offsetof(struct stream_head, member)
#define STATE(member)	(sizeof(struct stream_head) + offsetof(struct vm_state, member))
#define RUN(member)	(STATE(vcpu[2]) + offsetof(struct stream_run, member))

/* Each with a sum that is right. */
static const struct { size_t at, width; uint64_t value; } forged[] = {
	{ HEAD(magic), 8, 0 }, { HEAD(version), 4, 2 }, { HEAD(with_memory), 4, 0 },
	{ HEAD(vm_size), 4, 8 }, { HEAD(vcpu_size), 4, ~0u },
	{ STATE(mem_size), 8, 0 }, { STATE(mem_size), 8, ~0ull }, { STATE(mem_size), 8, 0x1001 },
	{ STATE(count), 4, 0 }, { STATE(count), 4, VM_MAX_VCPUS + 1 }, { STATE(count), 4, ~0u },
	{ STATE(clock_size), 4, STATE_MAX_CLOCK + 1 }, { STATE(clock_size), 4, ~0u },
	{ STATE(irqchip[1].chip_id), 4, 7 },
	{ STATE(serial.queued), 4, SERIAL_QUEUE + 1 }, { STATE(serial.queued), 4, ~0u },
	{ STATE(vcpu[0].msrs), 4, STATE_MAX_MSRS + 1 }, { STATE(vcpu[1].cpuids), 4, VM_MAX_CPUID + 1 },
	{ STATE(vcpu[1].cpuids), 4, ~0u },
	{ RUN(gpa), 8, 1 }, { RUN(gpa), 8, (uint64_t)MEM_MB << 20 }, { RUN(gpa), 8, 1ull << 63 },
	{ RUN(gpa), 8, -4096ull }, { RUN(size), 8, 4097 }, { RUN(size), 8, 1ull << 63 },
	{ RUN(size), 8, -4096ull }, { RUN(size), 8, 0 },
};

static void forge(void)
{
	const size_t count = sizeof(forged) / sizeof(forged[0]);
	uint8_t *forgery = malloc(size);
	size_t i;

	if (!forgery)
		tap_bail("memory");
	memcpy(forgery, bytes, size);
	make_sum(forgery, size);
	tap_ok(!memcmp(forgery, bytes, size), "stream: the forger's sum is right");
	for (i = 0; i < count; i++) {
		memcpy(forgery, bytes, size);
		memcpy(forgery + forged[i].at, &forged[i].value, forged[i].width);
		make_sum(forgery, size);
		if (!load_and_drop(forgery, size))
			break;
	}
	tap_ok(i == count, "stream: a forged size, count or place is refused (%zu of %zu)", i, count);
	free(forgery);
}

/* The last run, longer by a page that the bytes do have. */
static void forge_past_the_end(void)
{
	size_t tail = sizeof(struct stream_run) + sizeof(struct stream_sum);
	uint8_t *forgery = calloc(1, size + 4096);
	uint64_t length = 8192;

	if (!forgery)
		tap_bail("memory");
	memcpy(forgery, bytes, size - tail);
	memcpy(forgery + size - tail - 4096 - 8, &length, sizeof(length));
	make_sum(forgery, size + 4096);
	tap_ok(load_and_drop(forgery, size + 4096), "stream: a run beyond the memory's end is refused");
	free(forgery);
}

int main(void)
{
	make_source();
	write_source();
	round_trip();
	cut_everywhere();
	flip_everywhere();
	forge();
	forge_past_the_end();
	free(bytes);
	return tap_end();
}
