// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * K28: threads set the clock forward, and then eight change everything at once,
 * while four vCPUs read their own page and vCPU 0's; no reading is less than
 * one that any vCPU had before it.
 *
 * usage: k28_hammer [READINGS [SECONDS [SEED]]], of the second part
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "vm.h"

#define VCPUS 4
#define SPARE_VCPUS 40		/* made while the others run */
#define ROUND 200		/* readings in one run of a vCPU */
#define CHANGES 20		/* of each kind, at least */
#define MAX_LEAP_NS 150000000
#define MARGIN_NS 2000000000	/* more than passes between a get and its set */

static struct vm vm;
static volatile bool is_over;
static uint64_t last_clock_ns, clock_back_ns;	/* of KVM_GET_CLOCK, in turn */
static unsigned int seed;
/* What reads the clock to set it, or the TSCs to move them, has its turn alone. */
static pthread_mutex_t clock_turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t tsc_turn = PTHREAD_MUTEX_INITIALIZER;

struct tally {
	uint64_t readings, back, worst_back_ns, odd_slope;
};

struct reader {
	struct vcpu *vcpu;
	struct tally own, first;	/* of its own page, of vCPU 0's */
};

/* ---- vCPUs ---- */

static void hammer(struct vcpu *vcpu, const struct vcpu *whose, struct tally *tally)
{
	const uint64_t *out = vcpu->box->out;

	vcpu->box->arg[2] = VM_SHARED_GPA;
	vcpu_run(vcpu, GUEST_HAMMER, vcpu_page_gpa(whose), ROUND);
	tally->back += out[1];
	if (out[2] > tally->worst_back_ns)
		tally->worst_back_ns = out[2];
	tally->odd_slope += out[3];
	__atomic_add_fetch(&tally->readings, out[0], __ATOMIC_RELAXED);
}

/* The guest sets its page again now and then; vCPU 0 by the old MSR, too. */
static void *read_pages(void *arg)
{
	struct reader *reader = arg;
	struct vcpu *vcpu = reader->vcpu;
	unsigned int round;

	for (round = 0; !is_over; round++) {
		hammer(vcpu, vcpu, &reader->own);
		hammer(vcpu, &vm.vcpu[0], &reader->first);
		if (round % 16 == 0)
			vcpu_set_page(vcpu, MSR_CLOCK_NEW);
		if (round % 64 == 0 && !vcpu->id) {
			vcpu_set_page(vcpu, MSR_CLOCK_OLD);
			vcpu_set_page(vcpu, MSR_CLOCK_NEW);
		}
	}
	return NULL;
}

/* ---- changes ---- */

static void must(int error, const char *what)
{
	if (!error)
		return;
	errno = -error;
	tap_bail("%s", what);
}

static uint64_t leap_ns(unsigned int *random)
{
	return (uint64_t)rand_r(random) % MAX_LEAP_NS;
}

static struct kvm_clock_data get_clock(void)
{
	struct kvm_clock_data data = vm_get_clock(&vm);

	if (data.clock < last_clock_ns && last_clock_ns - data.clock > clock_back_ns)
		clock_back_ns = last_clock_ns - data.clock;
	last_clock_ns = data.clock;
	return data;
}

static void set_clock(unsigned int *random)
{
	struct kvm_clock_data data;

	pthread_mutex_lock(&clock_turn);
	data = get_clock();
	data.clock += leap_ns(random) + MARGIN_NS;
	data.flags = 0;
	must(vm_ioctl(&vm, KVM_SET_CLOCK, &data), "KVM_SET_CLOCK");
	pthread_mutex_unlock(&clock_turn);
}

static void set_clock_at_realtime(unsigned int *random)
{
	struct kvm_clock_data data;

	pthread_mutex_lock(&clock_turn);
	data = get_clock();
	if (data.flags & KVM_CLOCK_REALTIME) {
		data.clock += leap_ns(random) + 1000;
		data.flags = KVM_CLOCK_REALTIME;
		must(vm_ioctl(&vm, KVM_SET_CLOCK, &data), "KVM_SET_CLOCK at a realtime");
	}
	pthread_mutex_unlock(&clock_turn);
}

/* EINVAL: in host mode now, or this TSC is below t0 until its next line. */
static void set_line(unsigned int *random)
{
	struct vcpu *vcpu = &vm.vcpu[rand_r(random) % VCPUS];
	struct pvclock_vcpu_time_info line;
	int error;

	if (!host()->line)
		return;
	pthread_mutex_lock(&clock_turn);
	pthread_mutex_lock(&tsc_turn);
	error = vcpu_ioctl(vcpu, KVM_GET_CLOCK_GUEST, &line);
	if (!error) {
		line.system_time += leap_ns(random);
		error = vcpu_ioctl(vcpu, KVM_SET_CLOCK_GUEST, &line);
	}
	pthread_mutex_unlock(&tsc_turn);
	pthread_mutex_unlock(&clock_turn);
	must(error == -EINVAL ? 0 : error, "the line");
}

/* All vCPUs in turn: unmatched meanwhile, matched in the end. */
static void move_offsets(unsigned int *random)
{
	uint64_t offset;
	int i;

	pthread_mutex_lock(&tsc_turn);
	offset = vcpu_tsc_offset(&vm.vcpu[0]) + (uint64_t)(rand_r(random) % 1000000000);
	for (i = 0; i < vm.count; i++)
		vcpu_set_tsc_offset(&vm.vcpu[i], offset);
	pthread_mutex_unlock(&tsc_turn);
}

static void write_tscs(unsigned int *random)
{
	uint64_t tsc;
	int i;

	pthread_mutex_lock(&tsc_turn);
	tsc = host_tsc() + vcpu_tsc_offset(&vm.vcpu[0]) +
			  (rand_r(random) % 4 ? 0 : (uint64_t)host()->khz * 10000);
	for (i = 0; i < vm.count; i++)
		vcpu_set_msr(&vm.vcpu[i], MSR_TSC, tsc);
	pthread_mutex_unlock(&tsc_turn);
}

/* One and the same ratio, by another name: within the tolerance. */
static void set_khz(unsigned int *random)
{
	struct vcpu *vcpu = &vm.vcpu[rand_r(random) % VCPUS];

	pthread_mutex_lock(&tsc_turn);
	must(vcpu_set_khz(vcpu, host()->khz + (unsigned int)rand_r(random) % 2),
	     "KVM_SET_TSC_KHZ");
	pthread_mutex_unlock(&tsc_turn);
}

static void make_vcpu(unsigned int *random)
{
	static struct vm other;

	pthread_mutex_lock(&tsc_turn);
	if (vm.count < VCPUS + SPARE_VCPUS && rand_r(random) % 2)
		vm_add_vcpu(&vm);
	pthread_mutex_unlock(&tsc_turn);
	vm_open_running(&other, 0, 2);
	vm_close(&other);
}

static void change_clocksource(unsigned int *random)
{
	const char *path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
	static bool is_hpet;
	const char *name = (is_hpet = !is_hpet) ? "hpet" : "tsc";
	int fd = open(path, O_WRONLY);

	(void)random;
	if (fd < 0 || write(fd, name, strlen(name)) < 0)
		tap_bail("%s: %s", path, name);
	close(fd);
}

struct kind {
	const char *name;
	void (*change)(unsigned int *random);
	unsigned int pause_ms;
	unsigned int count;
	pthread_t thread;
};

static struct kind kinds[] = {
	{ .name = "clock_set", .change = set_clock, .pause_ms = 7 },
	{ .name = "clock_set_at_realtime", .change = set_clock_at_realtime, .pause_ms = 11 },
	{ .name = "line_set", .change = set_line, .pause_ms = 3 },
	{ .name = "tsc_offsets_moved", .change = move_offsets, .pause_ms = 40 },
	{ .name = "tscs_written", .change = write_tscs, .pause_ms = 40 },
	{ .name = "frequency_set", .change = set_khz, .pause_ms = 20 },
	{ .name = "vcpus_made", .change = make_vcpu, .pause_ms = 100 },
	{ .name = "clocksource_changed", .change = change_clocksource, .pause_ms = 300 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void *keep_changing(void *arg)
{
	struct kind *kind = arg;
	unsigned int random = seed + (unsigned int)(kind - kinds);

	while (!is_over) {
		kind->change(&random);
		__atomic_add_fetch(&kind->count, 1, __ATOMIC_RELAXED);
		host_sleep_ms(kind->pause_ms);
	}
	return NULL;
}

/* ---- the whole ---- */

struct part {
	const char *name;
	size_t kinds;		/* the first ones */
	uint64_t readings;	/* wanted */
	long seconds;		/* allowed */
	struct reader reader[VCPUS];
};

static uint64_t total_readings(const struct part *part)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < VCPUS; i++)
		sum += part->reader[i].own.readings + part->reader[i].first.readings;
	return sum;
}

static bool is_enough(const struct part *part)
{
	size_t i;

	for (i = 0; i < part->kinds; i++) {
		if (kinds[i].count < CHANGES)
			return false;
	}
	return total_readings(part) >= part->readings;
}

static void start(struct part *part, pthread_t *thread)
{
	size_t i;

	is_over = false;
	last_clock_ns = clock_back_ns = 0;
	memset(vm.mem + VM_SHARED_GPA, 0, sizeof(uint64_t));
	for (i = 0; i < VCPUS; i++) {
		part->reader[i].vcpu = &vm.vcpu[i];
		vm.vcpu[i].box->page = vcpu_page(&vm.vcpu[0]);
		pthread_create(&thread[i], NULL, read_pages, &part->reader[i]);
	}
	for (i = 0; i < part->kinds; i++) {
		kinds[i].count = 0;
		pthread_create(&kinds[i].thread, NULL, keep_changing, &kinds[i]);
	}
}

static void run(struct part *part)
{
	time_t end = time(NULL) + part->seconds;
	pthread_t thread[VCPUS];
	size_t i;

	start(part, thread);
	while (time(NULL) < end && !is_enough(part))
		host_sleep_ms(100);
	is_over = true;
	for (i = 0; i < part->kinds; i++)
		pthread_join(kinds[i].thread, NULL);
	for (i = 0; i < VCPUS; i++)
		pthread_join(thread[i], NULL);
}

static struct tally sum(const struct part *part, bool first)
{
	struct tally sum = { 0 };
	int i;

	for (i = 0; i < VCPUS; i++) {
		const struct tally *one = first ? &part->reader[i].first : &part->reader[i].own;

		sum.readings += one->readings;
		sum.back += one->back;
		sum.odd_slope += one->odd_slope;
		if (one->worst_back_ns > sum.worst_back_ns)
			sum.worst_back_ns = one->worst_back_ns;
	}
	return sum;
}

static void figure(const struct part *part, const char *what, uint64_t value, const char *unit)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%s", part->name, what);
	tap_figure("K28", name, (long long)value, unit);
}

static void tell(const struct part *part)
{
	struct tally own = sum(part, false), first = sum(part, true);
	size_t i;

	tap_ok(total_readings(part) >= part->readings, "K28 %s: %llu readings with the stable bit",
	       part->name, (unsigned long long)part->readings);
	tap_ok(!own.back, "K28 %s: no reading of a vCPU's own page goes back", part->name);
	tap_ok(!first.back, "K28 %s: no reading of vCPU 0's page goes back", part->name);
	tap_ok(!own.odd_slope && !first.odd_slope, "K28 %s: no torn page", part->name);
	tap_ok(!clock_back_ns, "K28 %s: KVM_GET_CLOCK does not go back", part->name);
	figure(part, "readings", own.readings + first.readings, "readings");
	figure(part, "own_page_back", own.back, "readings");
	figure(part, "own_page_worst", own.worst_back_ns, "ns");
	figure(part, "first_page_back", first.back, "readings");
	figure(part, "first_page_worst", first.worst_back_ns, "ns");
	for (i = 0; i < part->kinds; i++) {
		tap_ok(kinds[i].count >= CHANGES, "K28 %s: %s meanwhile", part->name,
		       kinds[i].name);
		figure(part, kinds[i].name, kinds[i].count, "times");
	}
}

static void hammer_part(struct part *part)
{
	vm_open_running(&vm, 0, VCPUS);
	run(part);
	tell(part);
	vm_close(&vm);
}

int main(int argc, char **argv)
{
	static struct part sets = { .name = "set", .kinds = 3, .readings = 100000, .seconds = 30 };
	static struct part all = { .name = "all", .kinds = KINDS };

	all.readings = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
	all.seconds = argc > 2 ? strtol(argv[2], NULL, 0) : 120;
	seed = argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 0) : (unsigned int)time(NULL);
	tap_diag("seed %u", seed);
	hammer_part(&sets);
	hammer_part(&all);
	return tap_end();
}
