// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "move.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"
#include "stream.h"

#define READY	'R'
#define GO	'G'
#define GO_PAUSED 'P'

extern char **environ;

/* Too large for a stack. */
static struct vm_state state;

int move_save(struct vm *vm, const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int bad;

	if (fd < 0)
		return complain("%s", file);
	bad = state_save(vm, &state) || stream_write(fd, vm, &state, true);
	if (close(fd) && !bad)
		bad = complain("%s", file);
	if (bad)
		unlink(file);
	return bad ? -1 : 0;
}

int move_restore(struct vm *vm, const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int bad;

	if (fd < 0)
		return complain("%s", file);
	bad = stream_read(fd, vm, &state, -1);
	close(fd);
	return bad || vm_open(vm) || state_restore(vm, &state) ? -1 : 0;
}

/* What the partner says; 0 when it is gone or silent. */
static char hear(int fd)
{
	char word = 0;

	net_limit(fd);
	errno = 0;
	return read(fd, &word, 1) == 1 ? word : 0;
}

static int give(int fd, bool paused)
{
	char word = paused ? GO_PAUSED : GO;

	if (hear(fd) != READY)
		return complain("the destination did not take the VM: it stays here");
	/* From here on it is the destination's, whatever comes of it. */
	if (write(fd, &word, 1) != 1)
		return complain("the destination is gone: the VM stays here");
	return 0;
}

int move_confirm(int fd)
{
	char word = READY;

	if (write(fd, &word, 1) != 1)
		return complain("the source is gone");
	word = hear(fd);
	close(fd);
	if (word != GO && word != GO_PAUSED)
		return complain("the source did not give the VM away: it is not run here");
	return word == GO_PAUSED;
}

int move_migrate(struct vm *vm, const char *address, bool paused)
{
	int fd, bad;

	if (state_save(vm, &state))
		return -1;
	fd = net_connect(address);
	if (fd < 0)
		return -1;
	net_limit(fd);
	bad = stream_write(fd, vm, &state, true) || give(fd, paused);
	close(fd);
	return bad ? -1 : 0;
}

int move_receive(struct vm *vm, const char *address, int *partner_fd)
{
	int fd = net_accept(address);

	if (fd < 0)
		return -1;
	*partner_fd = fd;
	net_limit(fd);
	return stream_read(fd, vm, &state, -1) || vm_open(vm) || state_restore(vm, &state) ? -1 : 0;
}

/* argv and a last option, which says what is inherited. */
static pid_t start_heir(const char *program, char **argv, const struct take_over *to)
{
	static char option[64];
	char **more;
	int count = 0;
	pid_t pid;

	snprintf(option, sizeof(option), "--take-over=%d,%d,%d,%d", to->mem_fd, to->state_fd,
		 to->partner_fd, to->control_fd);
	while (argv[count])
		count++;
	more = calloc((size_t)count + 2, sizeof(*more));
	if (!more)
		return complain("memory");
	memcpy(more, argv, (size_t)count * sizeof(*more));
	more[count] = option;
	errno = posix_spawn(&pid, program, NULL, NULL, more, environ);
	free(more);
	return errno ? complain("%s: cannot be started", program) : pid;
}

int move_hand_over(struct vm *vm, const char *program, char **argv, int control_fd, bool paused)
{
	int pair[2], bad;
	struct take_over to = { .mem_fd = vm->mem_fd, .control_fd = control_fd };
	pid_t pid;

	if (state_save(vm, &state))
		return -1;
	to.state_fd = memfd_create("state", 0);
	if (to.state_fd < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) {
		close(to.state_fd);
		return complain("memfd_create, socketpair");
	}
	fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	to.partner_fd = pair[1];
	bad = stream_write(to.state_fd, vm, &state, false);
	lseek(to.state_fd, 0, SEEK_SET);
	pid = bad ? -1 : start_heir(program, argv, &to);
	close(to.state_fd);
	close(pair[1]);
	bad = pid < 0 || give(pair[0], paused);
	close(pair[0]);
	if (bad && pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return bad ? -1 : 0;
}

int move_take_over(struct vm *vm, const struct take_over *from)
{
	int bad = stream_read(from->state_fd, vm, &state, from->mem_fd);

	close(from->state_fd);
	fcntl(from->partner_fd, F_SETFD, FD_CLOEXEC);
	return bad || vm_open(vm) || state_restore(vm, &state) ? -1 : 0;
}
