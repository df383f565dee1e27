// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "watch_leftovers.h"
#include "files.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tracefs.h>

/* What only watch names so: NAME, a separator, and the number of a process that is no more. */
static bool is_left(const char *name, char separator)
{
	const size_t length = strlen(WATCH_NAME);
	char path[64], comm[32] = "";
	uint64_t pid;
	FILE *file;

	if (strncmp(name, WATCH_NAME, length) || name[length] != separator ||
	    !parse_number(name + length + 1, &pid) || !pid || pid > INT32_MAX)
		return false;
	snprintf(path, sizeof(path), "/proc/%u/comm", (unsigned int)pid);
	file = fopen(path, "re");
	if (!file)
		return true;
	if (!fgets(comm, sizeof(comm), file))
		*comm = '\0';
	fclose(file);
	return strncmp(comm, WATCH_NAME, length);
}

void watch_remove_probes(const char *group)
{
	struct tracefs_dynevent **all = tracefs_dynevent_get_all(TRACEFS_DYNEVENT_KPROBE, NULL);
	int i;

	for (i = 0; all && all[i]; i++) {
		char *system = NULL, *event = NULL;

		tracefs_dynevent_info(all[i], &system, &event, NULL, NULL, NULL);
		if (system && (group ? !strcmp(system, group) : is_left(system, '_')))
			tracefs_dynevent_destroy(all[i], false);
		free(system);
		free(event);
	}
	if (all)
		tracefs_dynevent_list_free(all);
}

/* The first that is found of those that were left. */
static int find_leftover(const char *name, void *found)
{
	if (!is_left(name, '-'))
		return 0;
	snprintf(found, 64, "%s", name);
	return 1;
}

unsigned int watch_remove_leftovers(void)
{
	unsigned int removed = 0;
	bool gone = true;

	while (gone) {
		struct tracefs_instance *instance;
		char name[64] = "";

		tracefs_instances_walk(find_leftover, name);
		instance = *name ? tracefs_instance_create(name) : NULL;
		gone = instance && !tracefs_instance_destroy(instance);
		removed += gone;
		if (instance)
			tracefs_instance_free(instance);
	}
	watch_remove_probes(NULL);
	return removed;
}
