// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

#define TRACE "/sys/kernel/tracing/"

bool trace_try_put(const char *file, const char *text, int flags)
{
	char path[128];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), TRACE "%s", file);
	fd = open(path, O_WRONLY | flags);
	length = fd < 0 ? -1 : write(fd, text, strlen(text));
	if (fd >= 0)
		close(fd);
	return length >= 0;
}

void trace_put(const char *file, const char *text)
{
	if (!trace_try_put(file, text, O_TRUNC))
		tap_bail(TRACE "%s", file);
}

void trace_enable(const char *event, bool on)
{
	char path[128];

	snprintf(path, sizeof(path), "events/%s%s/enable", strchr(event, '/') ? "" : "kvm/",
		 event);
	trace_put(path, on ? "1" : "0");
}

void trace_function(const char *name)
{
	if (name)
		trace_put("set_ftrace_filter", name);
	trace_put("current_tracer", name ? "function" : "nop");
}

const char *trace_pass(void)
{
	bool is_ours = trace_try_put("set_ftrace_filter", "kvm_clock_pass\n", O_TRUNC);

	return is_ours ? "kvm_clock_pass" : "kvm_guest_time_update";
}

void trace_forget(void)
{
	trace_put("trace", "");
	trace_put("tracing_on", "1");
}

int trace_count_lines(const char *word, const char *other)
{
	FILE *trace = fopen(TRACE "trace", "r");
	char line[512];
	int count = 0;

	if (!trace)
		tap_bail(TRACE "trace");
	while (fgets(line, sizeof(line), trace))
		count += *line != '#' && strstr(line, word) && strstr(line, other);
	fclose(trace);
	return count;
}

int trace_count(const char *event)
{
	char word[128];

	snprintf(word, sizeof(word), " %s:", event);
	return trace_count_lines(word, "");
}
