// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "files.h"
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool path_below(char path[PATH_MAX], const char *format, va_list more)
{
	int length = snprintf(path, PATH_MAX, "%s", settings.root), rest;

	if (length < 0 || length >= PATH_MAX)
		return false;
	rest = vsnprintf(path + length, (size_t)(PATH_MAX - length), format, more);
	return rest >= 0 && rest < PATH_MAX - length;
}

/* Without O_NONBLOCK a pipe in the place of a file would hold us up. */
static int open_list(int flags, const char *format, va_list more)
{
	char path[PATH_MAX];
	int fd;

	if (!path_below(path, format, more))
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int open_below(int flags, const char *format, ...)
{
	va_list more;
	int fd;

	va_start(more, format);
	fd = open_list(flags, format, more);
	va_end(more);
	return fd;
}

DIR *open_folder(const char *format, ...)
{
	va_list more;
	DIR *folder;
	int fd;

	va_start(more, format);
	fd = open_list(O_RDONLY | O_DIRECTORY, format, more);
	va_end(more);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	folder = fdopendir(fd);
	if (!folder)
		close(fd);
	return folder;
}

bool exists_below(const char *format, ...)
{
	char path[PATH_MAX];
	va_list more;
	bool fits;

	va_start(more, format);
	fits = path_below(path, format, more);
	va_end(more);
	return fits && !access(path, F_OK);
}

size_t read_up_to(int fd, void *bytes, size_t room, int *error)
{
	size_t have = 0;
	ssize_t got = 1;

	*error = 0;
	while (have < room && got) {
		got = read(fd, (char *)bytes + have, room - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*error = errno;
			break;
		}
		have += (size_t)got;
	}
	return have;
}

static ssize_t read_some(int fd, char *text, size_t room)
{
	int error;
	size_t have = read_up_to(fd, text, room - 1, &error);

	text[have] = 0;
	/* The kernel's log does not end: it has no more to say, or its next record no room. */
	if (error && !(have && (error == EAGAIN || error == EINVAL)))
		return -error;
	return (ssize_t)have;
}

static void make_printable(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != '\n' && text[i] != '\t' && (text[i] < ' ' || text[i] > '~'))
			text[i] = '?';
}

static ssize_t read_list(char *text, size_t room, const char *format, va_list more)
{
	int fd = open_list(O_RDONLY, format, more);
	ssize_t length;

	*text = 0;
	if (fd < 0)
		return fd;
	length = read_some(fd, text, room);
	close(fd);
	if (length < 0)
		*text = 0;
	else
		make_printable(text, (size_t)length);
	return length;
}

ssize_t read_text(char *text, size_t room, const char *format, ...)
{
	va_list more;
	ssize_t length;

	va_start(more, format);
	length = read_list(text, room, format, more);
	va_end(more);
	return length;
}

ssize_t read_line(char *text, size_t room, const char *format, ...)
{
	va_list more;
	ssize_t length;

	va_start(more, format);
	length = read_list(text, room, format, more);
	va_end(more);
	text[strcspn(text, "\n")] = 0;
	while (*text && text[strlen(text) - 1] == ' ')
		text[strlen(text) - 1] = 0;
	return length < 0 ? length : (ssize_t)strlen(text);
}

bool parse_number(const char *text, uint64_t *value)
{
	char *end;

	if (*text != '-' && (*text < '0' || *text > '9'))
		return false;
	errno = 0;
	*value = *text == '-' ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 10);
	return !errno && end != text && !*end;
}

int read_number(uint64_t *value, const char *format, ...)
{
	char text[32];
	va_list more;
	ssize_t length;

	va_start(more, format);
	length = read_list(text, sizeof(text), format, more);
	va_end(more);
	text[strcspn(text, "\n")] = 0;
	if (length < 0)
		return (int)length;
	return parse_number(text, value) ? 0 : -EINVAL;
}

bool find_value(const char *text, const char *key, char separator, char *value, size_t room)
{
	size_t length = strlen(key);
	const char *at;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		if (strncmp(text, key, length))
			continue;
		at = text + length + strspn(text + length, "\t ");
		if (separator == ' ' ? at == text + length : *at++ != separator)
			continue;
		at += strspn(at, " ");
		snprintf(value, room, "%.*s", (int)strcspn(at, "\n"), at);
		return true;
	}
	return false;
}

bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	while (*text) {
		size_t next = strcspn(text, " \t\n");

		if (next == length && !memcmp(text, word, length))
			return true;
		text += next;
		text += strspn(text, " \t\n");
	}
	return false;
}
