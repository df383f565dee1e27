// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The random engine: so many cases of each law, TAP, a replayable seed. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "laws.h"

struct run {
	u64 seed, cases, nr;
	const char *law;	/* NULL: all */
	const char *engine;	/* what to call this build */
	bool one_case, hashes;
};

static jmp_buf failed;

void engine_failed(void)
{
	longjmp(failed, 1);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* The hash of all cases; false if one failed. */
static bool run_law(const struct law *law, const struct run *run, u64 cases,
		    u64 *rejected, u64 *hash)
{
	static struct in in;
	volatile u64 nr;

	if (setjmp(failed))
		return false;
	for (nr = run->nr; nr < run->nr + cases; nr++) {
		in_from_seed(&in, law->name, run->seed, nr);
		law->check(&in);
		*rejected += in.rejected;
		*hash = *hash * 31 + in.hash;
	}
	return true;
}

static bool report_law(const struct law *law, const struct run *run, u64 cases,
		       unsigned int nr)
{
	u64 rejected = 0, hash = 0;
	double start = now_s();
	bool passed = run_law(law, run, cases, &rejected, &hash);

	if (passed && cases > 1000 && rejected > cases / 2) {
		printf("# law %s rejects %llu cases\n", law->name, rejected);
		passed = false;
	}
	printf("%sok %u - law %s, %s: %llu cases", passed ? "" : "not ", nr,
	       law->name, run->engine, cases);
	if (run->hashes)
		printf(", hash %016llx\n", hash);
	else
		printf(", %llu of them rejected, %.2f s\n", rejected,
		       now_s() - start);
	fflush(stdout);
	return passed;
}

static int run_all(const struct run *run)
{
	unsigned int i, weights = 0, nr = 0, nr_failed = 0;
	u64 total = 0;
	double start = now_s();

	for (i = 0; i < nr_laws; i++)
		if (!run->law || !strcmp(run->law, laws[i].name)) {
			weights += laws[i].weight;
			nr++;
		}
	printf("TAP version 13\n1..%u\n# seed %llu\n", nr, run->seed);
	for (i = nr = 0; i < nr_laws; i++) {
		u64 cases = run->cases * laws[i].weight / (weights + !weights) + 1;

		if (run->law && strcmp(run->law, laws[i].name))
			continue;
		if (run->one_case)
			cases = 1;
		nr_failed += !report_law(&laws[i], run, cases, ++nr);
		total += cases;
	}
	if (!run->hashes)
		printf("# %llu cases in %.1f s\n", total, now_s() - start);
	return !nr || nr_failed;
}

static int usage(void)
{
	fputs("usage: [--seed N] [--cases N] [--law NAME [--case K]] [--hashes] [--engine NAME]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct run run = {
		.seed = time(NULL), .cases = 10000000, .engine = "random",
	};
	int i;

	for (i = 1; i < argc; i++) {
		const char *option = argv[i], *value = argv[i + 1];

		if (!strcmp(option, "--hashes")) {
			run.hashes = true;
			continue;
		}
		if (!value)
			return usage();
		if (!strcmp(option, "--seed"))
			run.seed = strtoull(value, NULL, 0);
		else if (!strcmp(option, "--cases"))
			run.cases = strtoull(value, NULL, 0);
		else if (!strcmp(option, "--law"))
			run.law = value;
		else if (!strcmp(option, "--engine"))
			run.engine = value;
		else if (!strcmp(option, "--case"))
			run.one_case = true, run.nr = strtoull(value, NULL, 0);
		else
			return usage();
		i++;
	}
	return run_all(&run);
}
