// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Prints this machine's TSC frequency in kHz, against CLOCK_MONOTONIC_RAW: for
 * emulated hosts that read its TSC.  What else the machine does comes between
 * two readings, so the tightest of many are taken: good to a few ppm.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define APART_NS 100000000
#define TRIES 1000

struct reading {
	uint64_t tsc, width_tsc;
	int64_t ns;
};

static struct reading read_once(void)
{
	struct timespec now;
	uint64_t before = __rdtsc(), width;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	width = __rdtsc() - before;
	return (struct reading){ before + width / 2, width, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec };
}

static struct reading read_best(void)
{
	struct reading best = read_once();
	int i;

	for (i = 1; i < TRIES; i++) {
		struct reading reading = read_once();

		if (reading.width_tsc < best.width_tsc)
			best = reading;
	}
	return best;
}

int main(void)
{
	const struct timespec apart = { .tv_nsec = APART_NS };
	struct reading from = read_best(), to;

	nanosleep(&apart, NULL);
	to = read_best();
	printf("%" PRIu64 "\n", (uint64_t)((unsigned __int128)(to.tsc - from.tsc) * 1000000 / (uint64_t)(to.ns - from.ns)));
	return 0;
}
