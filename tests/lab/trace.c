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

	snprintf(path, sizeof(path), TRACE "events/kvm/%s/enable", event);
	put(path, on ? "1" : "0");
}

void trace_forget(void)
{
	put(TRACE "trace", "");
}

int trace_count(const char *event)
{
	FILE *trace = fopen(TRACE "trace", "r");
	char line[512], word[128];
	int count = 0;

	if (!trace)
		tap_bail(TRACE "trace");
	snprintf(word, sizeof(word), " %s:", event);
	while (fgets(line, sizeof(line), trace))
		count += strstr(line, word) != NULL;
	fclose(trace);
	return count;
}
