// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Hosts: time, and the calls that are not KVM's. */
#include <errno.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "sim.h"

#define PS_PER_S 1000000000000ull

u64 sim_random(struct sim_world *world)
{
	u64 x = world->noise += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

u64 sim_htsc_at(const struct sim_host *host, u64 ps)
{
	return host->tsc_start + wide_muldiv(ps, host->hz, PS_PER_S);
}

u64 sim_htsc(const struct sim_host *host)
{
	return sim_htsc_at(host, host->world->now_ps);
}

s64 sim_realtime_at(const struct sim_host *host, u64 ps)
{
	s64 drift_ns = (s64)wide_muldiv(ps / 1000, host->drift_ppb < 0 ? -host->drift_ppb :
					host->drift_ppb, 1000000000);

	return host->realtime_ns + (s64)(ps / 1000) + (host->drift_ppb < 0 ? -drift_ns : drift_ns);
}

s64 sim_realtime(const struct sim_host *host)
{
	return sim_realtime_at(host, host->world->now_ps);
}

/* Half a call passes. */
void sim_pass(const struct sim_host *host)
{
	struct sim_world *world = host->world;

	world->now_ps += host->latency_ps;
	if (host->noise_ps)
		world->now_ps += sim_random(world) % host->noise_ps;
}

bool sim_begin_call(struct sim_host *host)
{
	host->calls++;
	if (host->event.at && host->calls == host->event.at) {
		host->realtime_ns += host->event.step_ns - host->event.leap_s * 1000000000;
		host->tai_s += host->event.leap_s;
	}
	sim_pass(host);
	if (!host->fail_at || host->calls != host->fail_at)
		return false;
	host->failed = true;
	return true;
}

static int clock_now(void *context, int clock, struct timespec *now)
{
	struct sim_host *host = ((struct sim_vm *)context)->host;
	s64 ns;

	if (sim_begin_call(host))
		return -host->fail_errno;
	if (clock != CLOCK_REALTIME)
		return -EINVAL;
	ns = sim_realtime(host);
	now->tv_sec = ns / 1000000000;
	now->tv_nsec = ns % 1000000000;
	sim_pass(host);
	return 0;
}

static int timex_now(void *context, struct timex *timex)
{
	struct sim_host *host = ((struct sim_vm *)context)->host;

	if (sim_begin_call(host))
		return -host->fail_errno;
	if (timex->modes)
		return -EPERM;
	timex->tai = (int)host->tai_s;
	timex->maxerror = (long)host->stated_us;
	sim_pass(host);
	return 0;
}

static uint64_t tsc_now(void *context)
{
	struct sim_host *host = ((struct sim_vm *)context)->host;
	u64 htsc;

	host->world->now_ps += host->latency_ps / 8;
	htsc = sim_htsc(host);
	host->world->now_ps += host->latency_ps / 8 + 1;
	return htsc;
}

static int guest_read(void *context, uint64_t gpa, void *to, size_t bytes)
{
	struct sim_vm *vm = context;

	if (sim_begin_call(vm->host))
		return -vm->host->fail_errno;
	sim_pass(vm->host);
	if (gpa < 0x1000 || gpa % 0x1000 || gpa / 0x1000 > vm->s.nr || bytes != sizeof(struct sim_page))
		return -EFAULT;
	memcpy(to, &vm->pages[gpa / 0x1000 - 1], bytes);
	return 0;
}

struct kvmclock_ops sim_ops(struct sim_vm *vm)
{
	return (struct kvmclock_ops) {
		.size = sizeof(struct kvmclock_ops), .context = vm, .ioctl = sim_ioctl,
		.clock_gettime = clock_now, .adjtimex = timex_now, .rdtsc = tsc_now,
		.read_guest = guest_read,
	};
}
