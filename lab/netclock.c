// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * netclock serve           host a: answers what its realtime is
 * netclock set ADDRESS     host b: steps its realtime to that of ADDRESS
 * netclock state ADDRESS   host b: asks only, and steps nothing
 *
 * Host a's realtime is the truth in a pair of hosts.  Each answer is bounded by
 * its question and its arrival, both read on b, so b's error is at most half
 * of the way there and back, however fast the two clocks run.  "set" and
 * "state" tell b's kernel that error (adjtimex), and a's kernel that it has
 * none; from then on the kernels let it grow by 500 ppm.
 *
 * "serve" comes back when b has set its clock, and goes on behind.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define PORT		37
#define ASKED		64
#define TAI_OFFSET_S	37

struct message {
	int64_t asked_ns;	/* CLOCK_MONOTONIC_RAW of b */
	int64_t realtime_ns;	/* of a */
	int64_t is_set;		/* b has set its clock */
};

struct answer {
	int64_t offset_ns;	/* how far a is ahead of b */
	int64_t error_ns;	/* of that */
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		fail("netclock: clock_gettime");
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* The kernel counts in us; ours is rounded up. */
static void tell_kernel(int64_t error_ns)
{
	struct timex tai = { .modes = ADJ_TAI, .constant = TAI_OFFSET_S };
	struct timex t = {
		.modes = ADJ_MAXERROR | ADJ_ESTERROR | ADJ_STATUS,
		.maxerror = error_ns / 1000 + 1,
		.esterror = error_ns / 1000 + 1,
	};

	if (adjtimex(&tai) < 0 || adjtimex(&t) < 0)
		fail("netclock: adjtimex");
}

static void step(int64_t by_ns)
{
	struct timex t = { .modes = ADJ_SETOFFSET | ADJ_NANO };

	t.time.tv_sec = by_ns / 1000000000;
	t.time.tv_usec = by_ns % 1000000000;
	if (t.time.tv_usec < 0) {
		t.time.tv_sec--;
		t.time.tv_usec += 1000000000;
	}
	if (adjtimex(&t) < 0)
		fail("netclock: adjtimex");
}

static int open_socket(const char *address, in_addr_t any)
{
	struct timeval wait = { .tv_usec = 200000 };
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = address ? inet_addr(address) : any,
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		fail("netclock: socket");
	if (address) {
		if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
		    connect(fd, (struct sockaddr *)&at, sizeof(at)))
			fail("netclock: connect");
	} else if (bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		fail("netclock: bind");
	}
	return fd;
}

static void serve(void)
{
	int fd = open_socket(NULL, htonl(INADDR_ANY));
	struct sockaddr_in from;
	struct message m;
	bool behind = false;

	tell_kernel(0);
	for (;;) {
		socklen_t size = sizeof(from);

		if (recvfrom(fd, &m, sizeof(m), 0, (struct sockaddr *)&from, &size) != sizeof(m))
			continue;
		m.realtime_ns = now_ns(CLOCK_REALTIME);
		sendto(fd, &m, sizeof(m), 0, (struct sockaddr *)&from, size);
		if (!m.is_set)
			continue;
		tell_kernel(0);
		if (!behind && fork() > 0)
			exit(0);
		behind = true;
	}
}

/* Asks until there is an answer, also to an earlier question. */
static struct answer ask(int fd, bool is_set)
{
	struct message m;
	int64_t realtime_ns, took_ns;

	do {
		m = (struct message){ now_ns(CLOCK_MONOTONIC_RAW), 0, is_set };
		send(fd, &m, sizeof(m), 0);
	} while (recv(fd, &m, sizeof(m), 0) != sizeof(m) || m.is_set != is_set);

	realtime_ns = now_ns(CLOCK_REALTIME);
	took_ns = now_ns(CLOCK_MONOTONIC_RAW) - m.asked_ns;
	return (struct answer){ m.realtime_ns - (realtime_ns - took_ns / 2), took_ns / 2 + 1 };
}

/* The best of many: the one that came back soonest. */
static struct answer ask_often(int fd)
{
	struct answer best = ask(fd, false), a;
	int i;

	for (i = 1; i < ASKED; i++) {
		a = ask(fd, false);
		if (a.error_ns < best.error_ns)
			best = a;
	}
	return best;
}

static void set(const char *address, bool stepping)
{
	int fd = open_socket(address, 0);
	struct answer a = ask_often(fd);

	printf("netclock: %s is %+" PRId64 " ns from here, to %" PRId64 " ns\n", address,
	       a.offset_ns, a.error_ns);
	if (stepping) {
		step(a.offset_ns);
		a.offset_ns = 0;
	}
	tell_kernel(llabs(a.offset_ns) + a.error_ns);
	ask(fd, true);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (argc == 2 && !strcmp(verb, "serve"))
		serve();
	else if (argc == 3 && !strcmp(verb, "set"))
		set(argv[2], true);
	else if (argc == 3 && !strcmp(verb, "state"))
		set(argv[2], false);
	else
		return 2;
	return 0;
}
