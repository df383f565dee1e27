// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What watching costs: 1000 VMs of 4 vCPUs in a made-up /proc and debugfs, and their events
 * as the kernel's ring buffers hold them, through pipes in the place of trace_pipe_raw: read,
 * parsed, attributed, compared, and each printed as JSON.  TAP.
 * usage: load DIR [SECONDS]
 */
#include "files.h"
#include "ring.h"
#include "tool.h"
#include "watch_print.h"
#include "watch_reader.h"
#include "watch_sum.h"
#include "watch_vms.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <traceevent/event-parse.h>
#include <tracefs.h>

#define VMS 1000
#define VCPUS 4
#define CPUS 4
#define PER_SECOND 1000
#define ROUND_MS 200
#define FIRST_PID 100000
#define AT_ONCE 400000
#define LIMIT_PPM 50000

struct settings settings = { .format = FORMAT_JSON, .root = "" };
static const struct verb load_verb = { .name = "load" };
const struct verb *verb = &load_verb;

int fail(const char *thing, const char *why, ...)
{
	(void)why;
	printf("# %s\n", thing);
	return -1;
}

void progress_end(void) { }

struct load {
	struct watch_reader *reader;
	struct watch_model *model;
	struct watch_vms *vms;
	struct watch_sum *sum;
	FILE *out;
	uint64_t given, steps, lines;
	int pipe[CPUS][2];
};

static struct { uint32_t version; uint64_t gtsc, ns; } vcpus[VMS * VCPUS];
static int tests, failed;

static void ok(bool good, const char *name)
{
	printf("%sok %d - watch load: %s\n", good ? "" : "not ", ++tests, name);
	failed += !good;
}

static uint64_t now_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void put_file(const char *text, const char *format, ...)
{
	char path[512], *slash;
	va_list more;
	FILE *file;

	va_start(more, format);
	vsnprintf(path, sizeof(path), format, more);
	va_end(more);
	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file)) {
		perror(path);
		exit(2);
	}
}

/* Each of its vCPUs is a thread. */
static void make_process(const char *root, int pid)
{
	char text[128];
	int i;

	snprintf(text, sizeof(text), "Name:\tvm\nTgid:\t%d\nVmSize:\t 1 kB\n", pid);
	for (i = 0; i < VCPUS; i++)
		put_file(text, "%s/proc/%d/status", root, pid + i);
}

static void make_vm(const char *root, int pid)
{
	int i;

	for (i = 0; i < VCPUS; i++)
		put_file("-1000\n", "%s/sys/kernel/debug/kvm/%d-11/vcpu%d/tsc-offset", root, pid, i);
}

static void make_root(const char *root)
{
	int vm;

	for (vm = 0; vm < VMS; vm++) {
		make_process(root, FIRST_PID + vm * VCPUS);
		make_vm(root, FIRST_PID + vm * VCPUS);
	}
}

static void on_step(void *context, const struct watch_step *step)
{
	struct load *load = context;

	load->lines += step->kind == STEP_CLOCK_FIRST;
	load->steps += step->kind == STEP_CLOCK && step->step_ns == 7;
	watch_sum_add(load->sum, step);
	watch_print_step(step, load->out);
}

static void on_change(void *context, struct watch_vm_id vm, bool is_there)
{
	(void)context;
	(void)vm;
	(void)is_there;
}

static void open_load(struct load *load)
{
	struct tracefs_cpu **cpus = calloc(CPUS, sizeof(*cpus));
	struct tep_handle *tep = tep_alloc();
	int i;

	ring_formats(tep);
	for (i = 0; i < CPUS; i++) {
		if (pipe(load->pipe[i]) || fcntl(load->pipe[i][0], F_SETFL, O_NONBLOCK))
			exit(2);
		cpus[i] = tracefs_cpu_alloc_fd(load->pipe[i][0], RING_PAGE, true);
	}
	load->out = fopen("/dev/null", "w");
	load->sum = watch_sum_new(now_ns(CLOCK_MONOTONIC));
	load->reader = watch_reader_new(tep, NULL, cpus, CPUS);
	load->model = watch_model_new(4096, 32768, on_step, load);
	load->vms = watch_vms_new(4096, load->model, on_change, NULL);
}

/* Of a vCPU at random: its line goes on by 1 s, and 7 ns. */
static bool add_event(struct ring_page *page, uint64_t time_ns)
{
	int which = rand() % (VMS * VCPUS);

	if (!ring_pvclock_update(page, time_ns, (uint32_t)(FIRST_PID + which), (uint32_t)(which % VCPUS),
				 vcpus[which].version + 2, vcpus[which].gtsc + 1000000000,
				 vcpus[which].ns + 1000000007))
		return false;
	vcpus[which].version += 2;
	vcpus[which].gtsc += 1000000000;
	vcpus[which].ns += 1000000007;
	return true;
}

/* Up to so many events, shared by the CPUs; what did not fit does not come. */
static void put_events(struct load *load, int count, uint64_t missed)
{
	struct ring_page page;
	int cpu, i;

	for (cpu = 0; cpu < CPUS; cpu++) {
		uint64_t time_ns = now_ns(CLOCK_MONOTONIC) - 2000000;

		ring_begin(&page, time_ns);
		for (i = 0; i < count / CPUS && add_event(&page, time_ns + (uint64_t)i); i++)
			load->given++;
		if (!cpu && missed)
			ring_missed(&page, missed);
		if (write(load->pipe[cpu][1], page.bytes, RING_PAGE) != RING_PAGE)
			exit(2);
	}
}

static void read_events(struct load *load, uint64_t at_ns)
{
	const struct watch_event *events;
	bool more = true;
	size_t count, i;

	while (more) {
		count = watch_reader_read(load->reader, at_ns - 1000000, &events, &more);
		for (i = 0; i < count; i++)
			watch_model_feed(load->model, events[i].kind == WATCH_LOST ? WATCH_HOST :
					 watch_vms_of(load->vms, events[i].tid, events[i].vcpu,
						      events[i].time_ns, at_ns), &events[i]);
	}
	watch_model_passed(load->model, at_ns);
}

/* As the verb does it, at the rate that is asked for; the maker's own time is taken off. */
static void paced(struct load *load, int seconds)
{
	const struct timespec round = { 0, ROUND_MS * 1000000 };
	uint64_t begin_ns = now_ns(CLOCK_MONOTONIC), busy_ns = 0, before_ns, at_ns;
	int i;
	char name[128];

	for (i = 0; i < seconds * 1000 / ROUND_MS; i++) {
		put_events(load, PER_SECOND * ROUND_MS / 1000, 0);
		nanosleep(&round, NULL);
		at_ns = now_ns(CLOCK_MONOTONIC);
		before_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
		if (i % (1000 / ROUND_MS) == 0)
			watch_vms_scan(load->vms, at_ns);
		read_events(load, at_ns);
		busy_ns += now_ns(CLOCK_PROCESS_CPUTIME_ID) - before_ns;
	}
	at_ns = (now_ns(CLOCK_MONOTONIC) - begin_ns) / 1000000;
	printf("# figure watch share_at_1000_events_a_second %" PRIu64 " ppm\n", busy_ns / at_ns);
	snprintf(name, sizeof(name), "%d VMs, %d events a second: under %d percent of a CPU", VMS, PER_SECOND,
		 LIMIT_PPM / 10000);
	ok(busy_ns / at_ns < LIMIT_PPM, name);
}

static void at_once(struct load *load)
{
	uint64_t busy_ns = 0, before_ns, given = load->given, per_event_ns;

	while (load->given - given < AT_ONCE) {
		put_events(load, 4 * 80, 0);
		before_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
		read_events(load, now_ns(CLOCK_MONOTONIC));
		busy_ns += now_ns(CLOCK_PROCESS_CPUTIME_ID) - before_ns;
	}
	per_event_ns = busy_ns / (load->given - given);
	printf("# figure watch cost_of_an_event %" PRIu64 " ns\n", per_event_ns);
	ok(per_event_ns < 50000, "an event costs less than 50 us");
}

/* Made right after a look at what VMs there are, and after its process was looked up. */
static void made_later(struct load *load, const char *root)
{
	const uint32_t pid = FIRST_PID + VMS * VCPUS;
	struct watch_vm_id before, after;

	make_process(root, (int)pid);
	watch_vms_scan(load->vms, 1000);
	before = watch_vms_of(load->vms, pid + 1, 0, 990, 1001);
	make_vm(root, (int)pid);
	after = watch_vms_of(load->vms, pid + 1, 0, 1002, 1003);
	ok(before.pid == pid && before.fd == WATCH_GONE_FD, "a process without a VM is known by its number");
	ok(after.pid == pid && after.fd == 11, "a VM that was made since is looked for at once");
}

int main(int argc, char **argv)
{
	struct load load = { 0 };
	struct rusage usage;

	if (argc < 2)
		return 64;
	settings.root = argv[1];
	make_root(argv[1]);
	open_load(&load);
	watch_vms_scan(load.vms, now_ns(CLOCK_MONOTONIC));
	ok(watch_vms_count(load.vms) == VMS, "all VMs are found");
	paced(&load, argc > 2 ? atoi(argv[2]) : 10);
	at_once(&load);
	ok(load.lines <= VMS * VCPUS && load.steps + load.lines == load.given,
	   "each event came out as the step it was made for");
	ok(!watch_model_counts(load.model)->unattributed && !watch_model_counts(load.model)->evicted,
	   "each was attributed to its VM");
	ok(!watch_reader_lost(load.reader), "nothing was lost");
	put_events(&load, CPUS, 12);
	put_events(&load, CPUS, 30);
	read_events(&load, now_ns(CLOCK_MONOTONIC));
	ok(watch_reader_lost(load.reader) == 42, "what the buffers say was lost is counted");
	made_later(&load, argv[1]);
	getrusage(RUSAGE_SELF, &usage);
	printf("# figure watch memory %ld kB\n", usage.ru_maxrss);
	ok(usage.ru_maxrss < 65536, "in less than 64 MB");
	printf("1..%d\n", tests);
	return failed != 0;
}
