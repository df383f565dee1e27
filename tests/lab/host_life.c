// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "host_life.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/"

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		tap_bail("%s: %s", path, text);
	close(fd);
}

static bool holds(const char *path, const char *word)
{
	char text[256] = "";
	FILE *file = fopen(path, "r");

	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	return strstr(text, word);
}

bool host_set_clocksource(const char *name)
{
	if (!holds(CLOCKSOURCE "available_clocksource", name))
		return false;
	put(CLOCKSOURCE "current_clocksource", name);
	return true;
}
