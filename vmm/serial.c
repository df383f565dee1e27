// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "serial.h"

#include <linux/kvm.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Registers, by their distance from the port; some share one. */
enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_RX		0x01
#define IER_THRE	0x02
#define IIR_NONE	0x01
#define IIR_THRE	0x02
#define IIR_RX		0x04
#define IIR_FIFO	0xc0
#define FCR_ENABLE	0x01
#define FCR_CLEAR_RX	0x02
#define LCR_DLAB	0x80
#define MCR_LOOP	0x10
#define LSR_RX		0x01
#define LSR_EMPTY	0x60	/* both of the sender's registers */
#define MSR_PRESENT	0xb0	/* carrier, data set ready, clear to send */

bool serial_valid(const struct serial_state *state)
{
	return state->queued <= SERIAL_QUEUE && state->thre_pending <= 1;
}

static uint8_t reason(const struct serial_state *state)
{
	if ((state->ier & IER_RX) && state->queued)
		return IIR_RX;
	if ((state->ier & IER_THRE) && state->thre_pending)
		return IIR_THRE;
	return IIR_NONE;
}

static void set_irq(struct serial *serial, bool irq)
{
	struct kvm_irq_level level = { .irq = SERIAL_IRQ, .level = irq };

	ioctl(serial->vm_fd, KVM_IRQ_LINE, &level);
	serial->irq = irq;
}

void serial_update_irq(struct serial *serial)
{
	bool irq = reason(&serial->state) != IIR_NONE;

	if (irq != serial->irq)
		set_irq(serial, irq);
}

static void push(struct serial_state *state, uint8_t value)
{
	if (state->queued < SERIAL_QUEUE)
		state->queue[state->queued++] = value;
}

static uint8_t pull(struct serial_state *state)
{
	uint8_t value = state->queue[0];

	if (!state->queued)
		return 0;
	state->queued--;
	memmove(state->queue, state->queue + 1, state->queued);
	return value;
}

static void send(struct serial *serial, uint8_t value)
{
	struct serial_state *state = &serial->state;
	struct pollfd out = { .fd = serial->out_fd, .events = POLLOUT };

	if (state->mcr & MCR_LOOP)
		push(state, value);
	else if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT) ||
		 write(serial->out_fd, &value, 1) != 1)
		return;		/* a console that nobody reads loses it, as a real one does */
	state->thre_pending = 1;
	/* The line falls and rises: it is an edge that interrupts. */
	if (serial->irq && reason(state) == IIR_THRE)
		set_irq(serial, false);
}

void serial_out(struct serial *serial, uint16_t port, uint8_t value)
{
	struct serial_state *state = &serial->state;
	bool divisor = state->lcr & LCR_DLAB;

	switch (port - SERIAL_PORT) {
	case DATA:
		if (divisor)
			state->dll = value;
		else
			send(serial, value);
		break;
	case IER:
		if (divisor) {
			state->dlm = value;
			break;
		}
		if (!(state->ier & IER_THRE) && (value & IER_THRE))
			state->thre_pending = 1;
		state->ier = value & 0x0f;
		break;
	case IIR_FCR:
		state->fcr = value;
		if (value & FCR_CLEAR_RX)
			state->queued = 0;
		break;
	case LCR:
		state->lcr = value;
		break;
	case MCR:
		state->mcr = value & 0x1f;
		break;
	case SCR:
		state->scr = value;
		break;
	}
	serial_update_irq(serial);
}

static uint8_t read_iir(struct serial_state *state)
{
	uint8_t value = reason(state);

	if (value == IIR_THRE)
		state->thre_pending = 0;
	return value | (state->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

/* In the loop, the four outputs are the four inputs. */
static uint8_t read_msr(const struct serial_state *state)
{
	uint8_t mcr = state->mcr;

	if (!(mcr & MCR_LOOP))
		return MSR_PRESENT;
	return (mcr & 2 ? 0x10 : 0) | (mcr & 1 ? 0x20 : 0) | (mcr & 0x0c) << 4;
}

static uint8_t read_register(struct serial_state *state, int reg)
{
	bool divisor = state->lcr & LCR_DLAB;

	switch (reg) {
	case DATA:
		return divisor ? state->dll : pull(state);
	case IER:
		return divisor ? state->dlm : state->ier;
	case IIR_FCR:
		return read_iir(state);
	case LCR:
		return state->lcr;
	case MCR:
		return state->mcr;
	case LSR:
		return LSR_EMPTY | (state->queued ? LSR_RX : 0);
	case MSR:
		return read_msr(state);
	default:
		return state->scr;
	}
}

uint8_t serial_in(struct serial *serial, uint16_t port)
{
	uint8_t value = read_register(&serial->state, port - SERIAL_PORT);

	serial_update_irq(serial);
	return value;
}

bool serial_type(struct serial *serial, const char *text, size_t size)
{
	if (size > SERIAL_QUEUE - serial->state.queued)
		return false;
	while (size--)
		push(&serial->state, (uint8_t)*text++);
	/* Anew, for an edge. */
	if (serial->irq)
		set_irq(serial, false);
	serial_update_irq(serial);
	return true;
}
