// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "host_life.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "tap.h"

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/"
#define CPU1 "/sys/devices/system/cpu/cpu1/online"
#define WAKE_ALARM "/sys/class/rtc/rtc0/wakealarm"

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

bool host_set_cpu1_online(bool online)
{
	if (access(CPU1, W_OK))
		return false;
	put(CPU1, online ? "1" : "0");
	return true;
}

bool host_run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

void host_slew_ppm(int ppm)
{
	struct timex timex = { .modes = ADJ_FREQUENCY, .freq = ppm * 65536l };

	if (adjtimex(&timex) < 0)
		tap_bail("adjtimex");
}

bool host_suspend(unsigned int seconds)
{
	char alarm[16];

	if (!holds("/sys/power/mem_sleep", "deep") || access(WAKE_ALARM, W_OK))
		return false;
	snprintf(alarm, sizeof(alarm), "+%u", seconds);
	put(WAKE_ALARM, alarm);
	put("/sys/power/state", "mem");
	return true;
}
