// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Runs in a guest: looks for steps of its clock against its TSC, on all vCPUs, as
 * ../tools/probe/watch.h says.
 * usage: watcher [SECONDS]
 *
 * Prints lines "watch: WORD KEY VALUE...": "start" once, "step" for each step
 * of 3 ns or more, "sum" each second, "end".  See watch_print.c for the keys.
 */
#include "watch_print.h"

#include <stdlib.h>
#include <unistd.h>

static struct watch watch;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double start = seconds(), length = argc > 1 ? atof(argv[1]) : 1e9;
	const char *failed;

	failed = page_open(&watch.page);
	if (!failed) {
		watch.step = watch_print_step;
		failed = watch_begin(&watch);
	}
	if (failed)
		watch_fail(failed);
	watch_print_start(&watch);
	while (seconds() - start < length) {
		usleep(1000000);
		watch_print_sum(&watch, "sum", seconds() - start);
	}
	watch_end(&watch);
	watch_print_sum(&watch, "end", seconds() - start);
	return 0;
}
