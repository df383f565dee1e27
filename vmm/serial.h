/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A 16550 at 0x3f8, interrupt 4: what Linux needs for its console and a terminal. */
#ifndef VMM_SERIAL_H
#define VMM_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIAL_PORT	0x3f8
#define SERIAL_IRQ	4
#define SERIAL_QUEUE	4096

/* All that a saved VM has of it: whole, of fixed size, no pointers. */
struct serial_state {
	uint8_t ier, lcr, mcr, scr, dll, dlm, fcr;
	uint8_t thre_pending;
	uint32_t queued;		/* bytes in queue, the oldest first */
	uint8_t queue[SERIAL_QUEUE];
};

struct serial {
	struct serial_state state;
	int out_fd;
	int vm_fd;			/* for the interrupt */
	bool irq;
};

bool serial_valid(const struct serial_state *state);
void serial_out(struct serial *serial, uint16_t port, uint8_t value);
uint8_t serial_in(struct serial *serial, uint16_t port);
/* What was typed; false when it does not fit. */
bool serial_type(struct serial *serial, const char *text, size_t size);
/* Brings the interrupt line to what the state says. */
void serial_update_irq(struct serial *serial);

#endif
