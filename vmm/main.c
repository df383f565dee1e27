// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * kvmclock-vmm: boots Linux on KVM, stops it, stores it, and moves it to
 * another process or host, its clock included.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot.h"
#include "clock.h"
#include "control.h"
#include "move.h"
#include "net.h"

static const char usage[] =
	"usage: kvmclock-vmm OPTION...\n"
	"  --kernel FILE          boot this bzImage\n"
	"  --initrd FILE          with this initramfs\n"
	"  --append ARGS          and these arguments\n"
	"  --memory MB  --cpus N  the guest's: 128, 1\n"
	"  --tsc-khz KHZ          its TSC, where the host can scale it\n"
	"  --restore FILE         or: go on with what \"save\" stored\n"
	"  --listen [IPV4:]PORT   or: wait for what \"migrate\" sends\n"
	"  --policy NAME          how its clock goes on then: live-update, advance,\n"
	"                         frozen, clone; naive: as without the library\n"
	"  --budget-ns NS         the greatest step of it that is allowed: 50\n"
	"  --budget-ppb PPB       the greatest error of its TSC's rate: 250000\n"
	"  --paused               do not run it before \"resume\"\n"
	"  --console FILE         the guest's output: appended; stdout\n"
	"  --control PATH         a socket for commands; -: they come from stdin\n"
	"       kvmclock-vmm --send PATH COMMAND...\n"
	"commands: pause, resume, status, save FILE, handover [PROGRAM],\n"
	"  migrate IPV4:PORT, type TEXT, plant NS, verify, quit,\n"
	"  steal VCPU NS (adds it, mod 2^64, to what the guest is told was stolen),\n"
	"  steal VCPU torn (that record is never whole again)\n";

enum { KERNEL = 1, INITRD, APPEND, MEMORY, CPUS, TSC_KHZ, RESTORE, LISTEN, TAKE_OVER, POLICY, BUDGET, RATE,
	PAUSED, CONSOLE, CONTROL, SEND, HELP };

static const struct option long_options[] = {
	{ "kernel", 1, NULL, KERNEL }, { "initrd", 1, NULL, INITRD }, { "append", 1, NULL, APPEND },
	{ "memory", 1, NULL, MEMORY }, { "cpus", 1, NULL, CPUS }, { "tsc-khz", 1, NULL, TSC_KHZ },
	{ "restore", 1, NULL, RESTORE }, { "listen", 1, NULL, LISTEN },
	{ "take-over", 1, NULL, TAKE_OVER }, { "policy", 1, NULL, POLICY },
	{ "budget-ns", 1, NULL, BUDGET }, { "budget-ppb", 1, NULL, RATE }, { "paused", 0, NULL, PAUSED },
	{ "console", 1, NULL, CONSOLE }, { "control", 1, NULL, CONTROL }, { "send", 1, NULL, SEND },
	{ "help", 0, NULL, HELP }, { 0 },
};

struct options {
	const char *text[HELP + 1];	/* as given */
	uint64_t number[HELP + 1];
	char **rest;
};

static void misused(const char *what)
{
	fprintf(stderr, "kvmclock-vmm: %s; see kvmclock-vmm --help\n", what);
	exit(64);
}

static void read_number(struct options *options, int name, uint64_t least, uint64_t most)
{
	char *end;

	errno = 0;
	options->number[name] = strtoull(optarg, &end, 10);
	if (errno || end == optarg || *end || options->number[name] < least || options->number[name] > most)
		misused("a number is out of its bounds");
}

static void parse(int argc, char **argv, struct options *options)
{
	int name;

	*options = (struct options){ .number = { [MEMORY] = 128, [CPUS] = 1, [BUDGET] = 50,
					   [RATE] = 250000 } };
	options->text[APPEND] = "console=ttyS0";
	/* What is sent may begin with dashes. */
	while ((name = getopt_long(argc, argv, "+", long_options, NULL)) != -1) {
		if (name == '?')
			misused("wrong option");
		options->text[name] = optarg ? optarg : "";
		if (name == MEMORY)
			read_number(options, name, VM_MIN_MB, VM_MAX_MB);
		else if (name == CPUS)
			read_number(options, name, 1, VM_MAX_VCPUS);
		else if (name == TSC_KHZ)
			read_number(options, name, 1, UINT32_MAX);
		else if (name == BUDGET || name == RATE)
			read_number(options, name, 0, UINT64_MAX);
		else if (name == SEND)
			break;
	}
	options->rest = argv + optind;
	if (options->text[SEND] ? !*options->rest : !!*options->rest)
		misused("an argument too few or too many");
}

/* A new process on the same host is a live update, unless said otherwise. */
static const char *policy(const struct options *options)
{
	const char *given = options->text[POLICY];

	/* An heir has the options of the one before, whose policy was for another move. */
	if (options->text[TAKE_OVER])
		return given && !strcmp(given, "naive") ? given : "live-update";
	return given ? given : "advance";
}

static int boot(struct vm *vm, const struct options *options)
{
	union {
		struct kvm_cpuid2 head;
		char room[sizeof(struct kvm_cpuid2) + VM_MAX_CPUID * sizeof(struct kvm_cpuid_entry2)];
	} cpuid;
	int id, count = (int)options->number[CPUS];

	if (vm_open_memory(vm, options->number[MEMORY] << 20, -1) || vm_open(vm))
		return -1;
	if (options->text[TSC_KHZ] && ioctl(vm->fd, KVM_SET_TSC_KHZ, options->number[TSC_KHZ]))
		return complain("KVM_SET_TSC_KHZ %s", options->text[TSC_KHZ]);
	for (id = 0; id < count; id++) {
		if (vm_cpuid(vm, id, count, &cpuid.head) || vm_add_vcpu(vm, &cpuid.head))
			return -1;
	}
	return boot_linux(vm, options->text[KERNEL], options->text[INITRD], options->text[APPEND]);
}

/* The VM, however it comes.  0, 1 (stay paused), or -1. */
static int bring_up(struct vm *vm, const struct options *options, struct take_over *from)
{
	const char *fds = options->text[TAKE_OVER];
	int partner = -1, bad;

	if (fds) {
		if (sscanf(fds, "%d,%d,%d,%d", &from->mem_fd, &from->state_fd, &from->partner_fd,
			   &from->control_fd) != 4)
			misused("--take-over is not for people");
		partner = from->partner_fd;
		bad = move_take_over(vm, from);
	} else if (options->text[RESTORE]) {
		bad = move_restore(vm, options->text[RESTORE]);
	} else if (options->text[LISTEN]) {
		bad = move_receive(vm, options->text[LISTEN], &partner);
	} else if (options->text[KERNEL]) {
		bad = boot(vm, options);
	} else {
		misused("no --kernel, --restore or --listen");
		return -1;
	}
	return bad || partner < 0 ? bad : move_confirm(partner);
}

static int open_console(const char *file)
{
	int fd = file ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : STDOUT_FILENO;

	return fd < 0 ? complain("%s", file) : fd;
}

/* 0: the socket is there, or none is wanted. */
static int open_control(struct control *control, const char *path, const struct take_over *from)
{
	control->listen_fd = from->control_fd;
	control->in_fd = -1;
	if (path && !strcmp(path, "-")) {
		control->in_fd = STDIN_FILENO;
		control->out_fd = STDERR_FILENO;
	} else if (path && control->listen_fd < 0) {
		control->listen_fd = net_listen_local(path);
		return control->listen_fd < 0 ? -1 : 0;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct vm vm;
	struct take_over from = { .control_fd = -1 };
	struct control control = { .vm = &vm, .argv = argv };
	struct options options;
	int paused;

	parse(argc, argv, &options);
	if (options.text[HELP])
		return fputs(usage, stdout) < 0;
	if (options.text[SEND])
		return control_send(options.text[SEND], options.rest);
	if (clock_set_policy(policy(&options), options.text[TAKE_OVER]))
		misused("no such policy");
	clock_set_budget(options.number[BUDGET], options.number[RATE]);
	signal(SIGPIPE, SIG_IGN);
	vm.serial.out_fd = open_console(options.text[CONSOLE]);
	if (vm.serial.out_fd < 0)
		return 2;
	paused = bring_up(&vm, &options, &from);
	if (paused < 0 || open_control(&control, options.text[CONTROL], &from) || vm_start_threads(&vm))
		return 2;
	/* Who takes over goes on as the one before was. */
	control.stopped = paused || (options.text[PAUSED] && !options.text[TAKE_OVER]);
	if (!control.stopped)
		vm_resume(&vm);
	_exit(control_loop(&control));
}
