/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Commands, one a line, each answered by "ok", "ok WORD" or "error":
 *   pause  resume  status  type TEXT  plant NS  verify
 *   save FILE  handover [PROGRAM]  migrate IPV4:PORT  quit
 */
#ifndef VMM_CONTROL_H
#define VMM_CONTROL_H

#include "vm.h"

struct control {
	struct vm *vm;
	char **argv;		/* for who takes the VM over */
	int listen_fd;		/* or -1 */
	int in_fd, out_fd;	/* who is heard now, or -1 */
	bool stopped;		/* the VM is paused by command */
	bool gone;		/* it is no longer here */
};

/* Until the guest ends or is gone; the exit code. */
int control_loop(struct control *control);
/* One command to the monitor at path; its answer is printed.  The exit code. */
int control_send(const char *path, char **words);

#endif
