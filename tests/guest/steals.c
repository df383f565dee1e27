// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * steals NAME CPU RECORD: in a guest, keeps a CPU busy and reads its line of
 * /proc/stat all the time, until there is a file /stop.  Each second, as top would compute it:
 *   steals: NAME percent P
 * and at the end, in units of 10 ms:
 *   steals: NAME end grown T most M back B hundred H of S last L record R
 * T: the column's growth; M, B: the most that it grew, and fell, from one reading
 * to the next; H: of S seconds, those with 90 percent or more; L: the column, with
 * nothing left to be counted; R: the record at that time, in ns, signed; it is at
 * the physical address RECORD.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STEAL	7	/* user nice system idle iowait irq softirq steal; guest's are in user's */
#define COLUMNS	8

struct stat_line {
	unsigned long long ticks[COLUMNS];
};

struct seen {
	long long most, back;
	int hundred;
};

static void read_line(int fd, int cpu, struct stat_line *line)
{
	char text[8192], name[16];
	ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
	char *at;
	int i;

	text[size > 0 ? size : 0] = 0;
	snprintf(name, sizeof(name), "cpu%d ", cpu);
	at = strstr(text, name);
	if (!at)
		exit(1);
	at += strlen(name);
	for (i = 0; i < COLUMNS; i++)
		line->ticks[i] = strtoull(at, &at, 10);
}

/* Where /proc/kcore has that physical address. */
static off_t in_kcore(int fd, unsigned long address)
{
	Elf64_Ehdr head;
	Elf64_Phdr part;
	int i;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head))
		return -1;
	for (i = 0; i < head.e_phnum; i++) {
		if (pread(fd, &part, sizeof(part), head.e_phoff + i * sizeof(part)) != sizeof(part))
			return -1;
		if (part.p_type == PT_LOAD && address >= part.p_paddr &&
		    address - part.p_paddr < part.p_filesz)
			return part.p_offset + (address - part.p_paddr);
	}
	return -1;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static long long grown(const struct stat_line *was, const struct stat_line *is, int column)
{
	return is->ticks[column] - was->ticks[column];
}

/* What falls counts 0, as top has it. */
static int percent(const struct stat_line *was, const struct stat_line *is)
{
	double all = 0, steal = 0;
	int i;

	for (i = 0; i < COLUMNS; i++) {
		if (grown(was, is, i) > 0)
			all += grown(was, is, i);
	}
	if (grown(was, is, STEAL) > 0)
		steal = grown(was, is, STEAL);
	return all > 0 ? (int)(100 * steal / all + 0.5) : 0;
}

static void one_second(int fd, int cpu, struct stat_line *line, struct seen *seen)
{
	double end = now_s() + 1;
	struct stat_line next;

	while (now_s() < end) {
		read_line(fd, cpu, &next);
		if (grown(line, &next, STEAL) > seen->most)
			seen->most = grown(line, &next, STEAL);
		if (-grown(line, &next, STEAL) > seen->back)
			seen->back = -grown(line, &next, STEAL);
		*line = next;
	}
}

/* Column and record of one time: next to nothing is stolen for a tick, and more. */
static int read_both(int fd, int cpu, struct stat_line *line, unsigned long address, long long *record)
{
	int kcore = open("/proc/kcore", O_RDONLY), tries;
	off_t at = in_kcore(kcore, address);
	long long was;
	double end;

	for (tries = 0; at > 0 && tries < 1000; tries++) {
		if (pread(kcore, &was, sizeof(was), at) != sizeof(was))
			return -1;
		for (end = now_s() + 0.006; now_s() < end;)
			;
		read_line(fd, cpu, line);
		if (pread(kcore, record, sizeof(*record), at) != sizeof(*record))
			return -1;
		if (*record - was <= 2000000)
			return 0;
	}
	return -1;
}

int main(int argc, char **argv)
{
	int fd = open("/proc/stat", O_RDONLY), cpu, i, p;
	struct stat_line first, was, is;
	struct seen seen = { 0, 0, 0 };
	long long record = 0;
	cpu_set_t set;

	if (argc != 4 || fd < 0)
		return 64;
	cpu = atoi(argv[2]);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return 1;
	read_line(fd, cpu, &first);
	is = first;
	printf("steals: %s begins\n", argv[1]);
	fflush(stdout);
	for (i = 0; access("/stop", F_OK); i++) {
		was = is;
		one_second(fd, cpu, &is, &seen);
		p = percent(&was, &is);
		seen.hundred += p >= 90;
		printf("steals: %s percent %d\n", argv[1], p);
		fflush(stdout);
	}
	unlink("/stop");
	if (read_both(fd, cpu, &is, strtoul(argv[3], NULL, 16), &record))
		printf("steals: %s: no record\n", argv[1]);
	printf("steals: %s end grown %lld most %lld back %lld hundred %d of %d last %llu record %lld\n", argv[1],
	       grown(&first, &is, STEAL), seen.most, seen.back, seen.hundred, i,
	       is.ticks[STEAL], record);
	return 0;
}
