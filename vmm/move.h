/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A VM to a file, to a new process, to another host, and from there.  With a
 * partner, one of both runs it: the source stops it and sends; the destination
 * says that it can go on; the source gives it away, or else goes on itself.
 */
#ifndef VMM_MOVE_H
#define VMM_MOVE_H

#include "vm.h"

/* What a new process is given: descriptors. */
struct take_over {
	int mem_fd, state_fd, partner_fd, control_fd;
};

/* The VM is paused, and stays so; paused: so shall it be there, too. */
int move_save(struct vm *vm, const char *file);
int move_migrate(struct vm *vm, const char *address, bool paused);
int move_hand_over(struct vm *vm, const char *program, char **argv, int control_fd, bool paused);

/* The VM is made, its vCPUs have not run. */
int move_restore(struct vm *vm, const char *file);
int move_receive(struct vm *vm, const char *address, int *partner_fd);
int move_take_over(struct vm *vm, const struct take_over *from);
/* After one of the last two: the source's consent.  0, 1 (stay paused), or -1. */
int move_confirm(int partner_fd);

#endif
