// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

#define TRACE "/sys/kernel/tracing/"

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		tap_bail("%s", path);
	close(fd);
}

void trace_enable(const char *event, bool on)
{
	char path[128];

	snprintf(path, sizeof(path), TRACE "events/%s%s/enable", strchr(event, '/') ? "" : "kvm/",
		 event);
	put(path, on ? "1" : "0");
}

void trace_function(const char *name)
{
	if (name)
		put(TRACE "set_ftrace_filter", name);
	put(TRACE "current_tracer", name ? "function" : "nop");
}

void trace_forget(void)
{
	put(TRACE "trace", "");
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
