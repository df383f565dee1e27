// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "tool.h"

static const char *name_of(const char *path)
{
	return strcmp(path, "-") ? path : "stdin";
}

static int open_to_read(const char *path)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);

	if (fd < 0)
		fail(name_of(path), "%s: give a file that can be read, or - for stdin", strerror(errno));
	return fd;
}

/* One byte more than is allowed tells that there are more. */
static int read_whole(int fd, uint8_t *bytes, size_t most, size_t *length)
{
	int error;

	*length = read_up_to(fd, bytes, most + 1, &error);
	return error ? error : *length > most ? EFBIG : 0;
}

uint8_t *file_read(const char *path, size_t most, size_t *length)
{
	int fd = open_to_read(path);
	uint8_t *bytes = fd < 0 ? NULL : malloc(most + 2), *whole = NULL;
	int error;

	if (fd >= 0 && !bytes)
		fail(name_of(path), "no memory for %zu bytes", most);
	if (!bytes)
		goto out;
	error = read_whole(fd, bytes, most, length);
	if (!error) {
		bytes[*length] = 0;
		/* Cut to size: so that a tool sees what reads behind the last byte. */
		whole = realloc(bytes, *length + 1);
		return close(fd), whole ? whole : bytes;
	}
	if (error == EFBIG)
		fail(name_of(path), "more than %zu bytes, which is the most that is read of such a file", most);
	else
		fail(name_of(path), "%s: give a file that can be read", strerror(error));
	free(bytes);
out:
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int write_all(int fd, const uint8_t *bytes, size_t length)
{
	while (length) {
		ssize_t put = write(fd, bytes, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		bytes += put;
		length -= (size_t)put;
	}
	return fsync(fd);
}

/* With the mode that open() would have given it. */
static int create_beside(const char *path, char **beside)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	if (asprintf(beside, "%s.XXXXXX", path) < 0)
		return *beside = NULL, -1;
	fd = mkostemp(*beside, O_CLOEXEC);
	if (fd < 0) {
		free(*beside);
		return *beside = NULL, -1;
	}
	return fchmod(fd, 0666 & ~mask) ? close(fd), -1 : fd;
}

/* link() does not replace, rename() does. */
static int put_in_place(const char *beside, const char *path, bool over)
{
	if (over)
		return rename(beside, path);
	return link(beside, path) ? -1 : unlink(beside);
}

int file_write(const char *path, const void *bytes, size_t length, bool over)
{
	char *beside = NULL;
	struct stat is;
	int fd, ret = -1, error;

	/* Root can replace /dev/null by a file, too. */
	if (!lstat(path, &is) && !S_ISREG(is.st_mode))
		return fail(path, "no plain file: name one that can be written, with -o");
	fd = create_beside(path, &beside);
	if (fd >= 0)
		ret = write_all(fd, bytes, length);
	if (fd >= 0 && close(fd))
		ret = -1;
	if (!ret)
		ret = put_in_place(beside, path, over);
	error = errno;
	if (ret && beside)
		unlink(beside);
	free(beside);
	if (ret && error == EEXIST)
		return fail(path, "is there already: name another file, or say --force");
	return ret ? fail(path, "%s: name a file that can be written, with -o", strerror(error)) : 0;
}
