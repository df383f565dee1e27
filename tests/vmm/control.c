// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The monitor's control socket without KVM: a peer that says nothing, half a
 * line, or a line that never ends keeps no other waiting.  TAP.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../lab/tap.h"
#include "clock.h"
#include "control.h"
#include "move.h"
#include "net.h"
#include "steal.h"

/* control.c's limits, of time with what a busy machine may add. */
#define ANSWER_MS	(2000 + 8000)
#define LINE_BYTES	1023
#define DRIP_MS		200

/* Of the monitor, whose other parts are KVM's. */
int complain(const char *text, ...) { (void)text; return -1; }
void vm_pause(struct vm *vm) { (void)vm; }
void vm_resume(struct vm *vm) { (void)vm; }
int move_save(struct vm *vm, const char *file) { (void)vm, (void)file; return -1; }
int move_migrate(struct vm *vm, const char *to, bool paused) { (void)vm, (void)to, (void)paused; return -1; }
int move_hand_over(struct vm *vm, const char *program, char **argv, int fd, bool paused)
{
	(void)vm, (void)program, (void)argv, (void)fd, (void)paused;
	return -1;
}
int clock_plant(struct vm *vm, int64_t step_ns) { (void)vm, (void)step_ns; return -1; }
int clock_verify(struct vm *vm) { (void)vm; return -1; }
int steal_plant(struct vm *vm, long id, uint64_t add_ns) { (void)vm, (void)id, (void)add_ns; return -1; }
int steal_tear(struct vm *vm, long id) { (void)vm, (void)id; return -1; }

void vm_end(struct vm *vm, int exit_code)
{
	vm->exit_code = exit_code;
	eventfd_write(vm->ended_fd, 1);
}

static char path[64];
static struct vm vm = { .lock = PTHREAD_MUTEX_INITIALIZER, .exit_code = -1 };
static struct control control = { .vm = &vm, .in_fd = -1 };

static void *listen_to_all(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)control_loop(&control);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int call(const char *text)
{
	int fd = net_connect_local(path);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		tap_bail("%s", path);
	return fd;
}

/* Within the limit, while bad goes on to drip, if it does. */
static bool is_answered(int fd, int bad, bool drips)
{
	uint64_t end_ms = now_ms() + ANSWER_MS;
	struct pollfd answered = { .fd = fd, .events = POLLIN };
	char text[32] = "";

	while (now_ms() < end_ms && !poll(&answered, 1, DRIP_MS))
		if (drips && write(bad, "x", 1) < 0)
			drips = false;
	return answered.revents && read(fd, text, sizeof(text) - 1) > 0 && !strncmp(text, "ok running\n", 11);
}

static void wait_behind(const char *text, bool drips, const char *who)
{
	int bad = call(text), good = call("status\n");

	tap_ok(is_answered(good, bad, drips), "control: behind a peer that %s, another is answered", who);
	close(good);
	close(bad);
}

int main(void)
{
	pthread_t loop;
	void *code;
	char long_line[LINE_BYTES + 6];
	int fd;

	signal(SIGPIPE, SIG_IGN);
	snprintf(path, sizeof(path), "control-%d", getpid());
	vm.ended_fd = eventfd(0, EFD_CLOEXEC);
	control.listen_fd = net_listen_local(path);
	if (vm.ended_fd < 0 || control.listen_fd < 0 || pthread_create(&loop, NULL, listen_to_all, NULL))
		tap_bail("%s", path);
	fd = call("status\nstatus\n");
	tap_ok(is_answered(fd, -1, false), "control: a line is answered");
	close(fd);
	wait_behind("stat", false, "sends half a line");
	wait_behind("", false, "says nothing");
	wait_behind("s", true, "never ends its line");
	memset(long_line, 'x', LINE_BYTES);
	strcpy(long_line + LINE_BYTES, "quit\n");
	wait_behind(long_line, false, "has a command where its line is too long");
	call("quit\n");
	pthread_join(loop, &code);
	tap_ok(code == (void *)0, "control: quit ends it");
	unlink(path);
	return tap_end();
}
