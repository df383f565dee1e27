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
	char copy[512], *name, *rest = NULL;
	int found = 0;

	trace_put("current_tracer", "nop");
	trace_put("set_ftrace_filter", "");
	snprintf(copy, sizeof(copy), "%s", functions);
	for (name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
		found += trace_try_put("set_ftrace_filter", name, O_APPEND);
	if (*functions && !found)
		tap_bail("no function of %s", functions);
}

/* "  12.345 us    |  name [kvm]();", or for more than a leaf, "...|  }". */
static uint64_t sum_ns(int *calls)
{
	FILE *trace = fopen("/sys/kernel/tracing/trace", "r");
	uint64_t sum = 0;
	char line[512];
	double us;

	if (!trace)
		tap_bail("the trace");
	*calls = 0;
	while (fgets(line, sizeof(line), trace)) {
		if (line[0] == '#' || sscanf(line, " %lf us", &us) != 1)
			continue;
		sum += (uint64_t)(us * 1000 + 0.5);
		++*calls;
	}
	fclose(trace);
	return sum;
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

/* By a function that does nothing but return a variable: one on each vCPU load. */
static void calibrate(void)
{
	static struct vm vm;
	struct kvm_regs regs;
	int calls;

	vm_open(&vm, 0);
	vm_add_vcpu(&vm);
	start_graph("check_tsc_unstable");
	if (vcpu_ioctl(&vm.vcpu[0], KVM_GET_REGS, &regs) ||
	    vcpu_ioctl(&vm.vcpu[0], KVM_GET_REGS, &regs))
		tap_bail("KVM_GET_REGS");
	tracer_ns = sum_ns(&calls);
	if (!calls)
		tap_bail("check_tsc_unstable is not called");
	tracer_ns /= (unsigned int)calls;
	vm_close(&vm);
}

void spent_in(const char *functions)
{
	if (!tracer_ns)
		calibrate();
	start_graph(functions);
}

uint64_t spent_ticks(void)
{
	int calls;
	uint64_t ns = sum_ns(&calls);

	return (ns - tracer_ns * (unsigned int)calls) * host()->khz / 1000000;
}
