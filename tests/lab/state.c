// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static FILE *open_state(const struct vm *vm)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/clock", getpid(), vm->fd);
	return fopen(path, "r");
}

bool state_exists(const struct vm *vm)
{
	FILE *file = open_state(vm);

	if (file)
		fclose(file);
	return file;
}

void state_text(const struct vm *vm, const char *key, char text[STATE_TEXT])
{
	char line[STATE_TEXT], *value = NULL;
	FILE *file = open_state(vm);

	if (!file)
		tap_bail("the VM's file in debugfs");
	while (!value && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		value = strchr(line, ' ');
		if (!value || (size_t)(value - line) != strlen(key) ||
		    strncmp(line, key, strlen(key)))
			value = NULL;
	}
	fclose(file);
	if (!value)
		tap_bail("no %s in the VM's file", key);
	strcpy(text, value + 1);
}

uint64_t state_number(const struct vm *vm, const char *key)
{
	char text[STATE_TEXT];

	state_text(vm, key, text);
	return text[0] == '-' ? (uint64_t)strtoll(text, NULL, 10) : strtoull(text, NULL, 10);
}

bool state_is(const struct vm *vm, const char *key, const char *text)
{
	char is[STATE_TEXT];

	state_text(vm, key, is);
	return !strcmp(is, text);
}
