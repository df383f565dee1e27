// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vm.h"

static int parse(const char *address, struct sockaddr_in *in)
{
	const char *colon = strrchr(address, ':');
	const char *port = colon ? colon + 1 : address;
	size_t length = colon ? (size_t)(colon - address) : 0;
	char host[32] = "0.0.0.0", *end;
	unsigned long number = strtoul(port, &end, 10);

	errno = 0;
	if (length)
		snprintf(host, sizeof(host), "%.*s", (int)length, address);
	*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)number) };
	if (*end || end == port || !number || number > 65535 || length >= sizeof(host) ||
	    !inet_aton(host, &in->sin_addr))
		return complain("%s: not an address IPV4:PORT", address);
	return 0;
}

static int closed(int fd, const char *address)
{
	complain("%s", address);
	if (fd >= 0)
		close(fd);
	return -1;
}

int net_connect(const char *address)
{
	struct sockaddr_in in;
	int fd;

	if (parse(address, &in))
		return -1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof(in)))
		return closed(fd, address);
	return fd;
}

void net_limit(int fd)
{
	struct timeval limit = { .tv_sec = 120 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

int net_accept(const char *address)
{
	struct sockaddr_in in;
	int fd, one = 1, partner;

	if (parse(address, &in))
		return -1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return closed(fd, address);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, 1))
		return closed(fd, address);
	fprintf(stderr, "vmm: listening %s\n", address);
	partner = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (partner < 0)
		return closed(fd, address);
	close(fd);
	return partner;
}

static int local(const char *path, struct sockaddr_un *un)
{
	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	errno = 0;
	if (strlen(path) >= sizeof(un->sun_path))
		return complain("%s: too long a name for a socket", path);
	strcpy(un->sun_path, path);
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

/* It is inherited by who takes the VM over. */
int net_listen_local(const char *path)
{
	struct sockaddr_un un;
	int fd = local(path, &un);

	if (fd < 0)
		return -1;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) || listen(fd, 4))
		return closed(fd, path);
	return fd;
}

int net_connect_local(const char *path)
{
	struct sockaddr_un un;
	int fd = local(path, &un);

	if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)))
		return closed(fd, path);
	return fd;
}
