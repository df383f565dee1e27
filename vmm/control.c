// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "move.h"
#include "net.h"
#include "steal.h"

#define LINE_SIZE 1024
#define LINE_WAIT_MS 2000	/* for the rest of a line, or for its begin while another waits */

struct command {
	const char *name;
	int (*run)(struct control *control, const char *argument);
	bool stops;	/* the VM is out of the guest meanwhile */
};

static int do_pause(struct control *control, const char *argument)
{
	(void)argument;
	control->stopped = true;
	return 0;
}

static int do_resume(struct control *control, const char *argument)
{
	(void)argument;
	control->stopped = false;
	return 0;
}

static int do_save(struct control *control, const char *argument)
{
	return move_save(control->vm, argument);
}

static int do_migrate(struct control *control, const char *argument)
{
	if (move_migrate(control->vm, argument, control->stopped))
		return -1;
	control->gone = true;
	return 0;
}

static int do_handover(struct control *control, const char *argument)
{
	const char *program = *argument ? argument : "/proc/self/exe";

	if (move_hand_over(control->vm, program, control->argv, control->listen_fd, control->stopped))
		return -1;
	control->gone = true;
	return 0;
}

static int do_plant(struct control *control, const char *argument)
{
	return clock_plant(control->vm, strtoll(argument, NULL, 0));
}

static int do_steal(struct control *control, const char *argument)
{
	char *add;
	long id = strtol(argument, &add, 0);

	if (!strcmp(add, " torn"))
		return steal_tear(control->vm, id);
	return steal_plant(control->vm, id, (uint64_t)strtoll(add, NULL, 0));
}

static int do_verify(struct control *control, const char *argument)
{
	(void)argument;
	return clock_verify(control->vm);
}

static int do_type(struct control *control, const char *argument)
{
	char line[LINE_SIZE + 1];
	int size = snprintf(line, sizeof(line), "%s\n", argument);
	bool good;

	pthread_mutex_lock(&control->vm->lock);
	good = serial_type(&control->vm->serial, line, (size_t)size);
	pthread_mutex_unlock(&control->vm->lock);
	errno = 0;
	return good ? 0 : complain("the guest does not read what is typed");
}

static int do_quit(struct control *control, const char *argument)
{
	(void)argument;
	vm_end(control->vm, 0);
	return 0;
}

static int do_status(struct control *control, const char *argument)
{
	(void)control;
	(void)argument;
	return 0;
}

static const struct command commands[] = {
	{ "pause", do_pause, true }, { "resume", do_resume, false }, { "status", do_status, false },
	{ "save", do_save, true }, { "migrate", do_migrate, true }, { "handover", do_handover, true },
	{ "plant", do_plant, true }, { "verify", do_verify, true }, { "steal", do_steal, true },
	{ "type", do_type, false }, { "quit", do_quit, true },
};

static int run_line(struct control *control, char *line)
{
	const char *name = strsep(&line, " ");
	const char *argument = line ? line : "";
	const struct command *command = commands;
	int bad;

	for (; strcmp(command->name, name); command++) {
		errno = 0;
		if (command == commands + sizeof(commands) / sizeof(commands[0]) - 1)
			return complain("%s: no such command", name);
	}
	if (command->stops)
		vm_pause(control->vm);
	bad = command->run(control, argument);
	if (!control->stopped && !control->gone)
		vm_resume(control->vm);
	return bad;
}

static void answer(struct control *control, int bad)
{
	dprintf(control->out_fd, bad ? "error\n" : "ok %s\n",
		control->gone ? "gone" : control->stopped ? "paused" : "running");
}

static void hang_up(struct control *control)
{
	if (control->in_fd != STDIN_FILENO)
		close(control->in_fd);
	control->in_fd = -1;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_readable(int fd, int64_t wait_ms)
{
	struct pollfd more = { .fd = fd, .events = POLLIN };

	return poll(&more, 1, wait_ms > 0 ? (int)wait_ms : 0) == 1;
}

/*
 * Reads one line, a byte at a time: what follows it is somebody else's after a
 * handover.  Who does not end a line that has begun, in time and within its
 * size, is not heard any more: what else there is of it is no command.
 */
static void hear_line(struct control *control)
{
	int64_t end_ms = now_ms() + LINE_WAIT_MS;
	char line[LINE_SIZE];
	size_t size = 0;

	for (;; size++) {
		if (size == sizeof(line) || !is_readable(control->in_fd, end_ms - now_ms()) ||
		    read(control->in_fd, line + size, 1) != 1) {
			hang_up(control);
			return;
		}
		if (line[size] == '\n')
			break;
	}
	line[size] = 0;
	if (size)
		answer(control, run_line(control, line));
}

int control_loop(struct control *control)
{
	enum { ENDED, LISTEN, HEARD, COUNT };
	struct pollfd fds[COUNT];
	int told;

	while (!control->gone) {
		fds[ENDED] = (struct pollfd){ .fd = control->vm->ended_fd, .events = POLLIN };
		fds[HEARD] = (struct pollfd){ .fd = control->in_fd, .events = POLLIN };
		fds[LISTEN] = (struct pollfd){ .fd = control->listen_fd, .events = POLLIN };
		if (control->in_fd >= 0)
			fds[LISTEN].fd = -1;	/* one after another */
		told = poll(fds, COUNT, control->in_fd >= 0 ? LINE_WAIT_MS : -1);
		if (told < 0 && errno != EINTR)
			return complain("poll") + 4;
		if (!told && is_readable(control->listen_fd, 0))
			hang_up(control);	/* of two, the one who says nothing */
		if (fds[ENDED].revents)
			return control->vm->exit_code;
		if (fds[LISTEN].revents)
			control->in_fd = control->out_fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		else if (fds[HEARD].revents)
			hear_line(control);
	}
	return 0;
}

int control_send(const char *path, char **words)
{
	char text[LINE_SIZE];
	int fd = net_connect_local(path);
	ssize_t n;

	if (fd < 0)
		return 2;
	for (; *words; words++)
		dprintf(fd, "%s%s", *words, words[1] ? " " : "\n");
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return complain("the monitor gave no answer") + 3;
	text[n] = 0;
	fputs(text, stdout);
	return strncmp(text, "ok", 2) ? 1 : 0;
}
