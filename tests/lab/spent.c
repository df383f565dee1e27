// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "spent.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"
#include "trace.h"
#include "vm.h"

static uint64_t tracer_ns;	/* what the tracer itself takes of each call */

/* At least one of them there is; or else everything would be traced. */
static void choose(const char *functions)
{
	char copy[512], line[128], *name, *rest = NULL;
	int found = 0;

	trace_put("current_tracer", "nop");
	trace_put("set_ftrace_filter", "");
	snprintf(copy, sizeof(copy), "%s", functions);
	for (name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		snprintf(line, sizeof(line), "%s\n", name);
		found += trace_try_put("set_ftrace_filter", line, O_APPEND);
	}
	if (*functions && !found)
		tap_bail("no function of %s", functions);
}

struct spent {
	uint64_t sum_ns, least_ns;
	unsigned int calls;
};

/* "  12.345 us    |  name [kvm]();", or for more than a leaf, "...|  }". */
static struct spent read_spent(void)
{
	struct spent spent = { 0, UINT64_MAX, 0 };
	char line[512];
	FILE *trace;
	double us;

	trace_put("tracing_on", "0");	/* or reading, which is traced, has no end */
	trace = fopen("/sys/kernel/tracing/trace", "r");
	if (!trace)
		tap_bail("the trace");
	while (fgets(line, sizeof(line), trace)) {
		uint64_t ns;

		if (line[0] == '#' || sscanf(line, " %lf us", &us) != 1)
			continue;
		ns = (uint64_t)(us * 1000 + 0.5);
		spent.sum_ns += ns;
		spent.least_ns = ns < spent.least_ns ? ns : spent.least_ns;
		spent.calls++;
	}
	fclose(trace);
	return spent;
}

static void start_graph(const char *functions)
{
	choose(functions);
	trace_put("max_graph_depth", "1");
	trace_put("current_tracer", "function_graph");
	trace_put("trace_options", "nofuncgraph-cpu");
	trace_put("trace_options", "nofuncgraph-overhead");
	trace_forget();
}

/* By a function of some ten instructions, when nobody waits. */
static void calibrate(void)
{
	struct spent spent;

	start_graph("mutex_unlock");
	host_sleep_ms(10);
	spent = read_spent();
	if (!spent.calls)
		tap_bail("mutex_unlock is not called");
	tracer_ns = spent.least_ns;
}

void spent_in(const char *functions)
{
	if (!tracer_ns)
		calibrate();
	start_graph(functions);
}

uint64_t spent_ticks(void)
{
	struct spent spent = read_spent();

	return (spent.sum_ns - tracer_ns * spent.calls) * host()->khz / 1000000;
}
