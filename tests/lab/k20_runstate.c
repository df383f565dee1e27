// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K20: Xen's runstate times while the clock is set back, and across threads. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"
#include "waiter.h"

#define GPA (VM_SHARED_GPA + 0x80)
#define START_NS 60000000000ull
#define BACK_NS 1000000000ull
#define WAIT_MS 50
#define BUSY_MS 20
enum { RUNNING, RUNNABLE, BLOCKED, OFFLINE, NR_STATES };

/* As Xen's 64-bit guests have it; KVM keeps the same. */
struct record {
	uint32_t state, pad;
	uint64_t entry_ns, time_ns[NR_STATES];
};

struct watch {
	struct vm vm;
	struct record last;
	uint64_t began_ns, raw_ns;	/* what last came of began after raw_ns */
	/* the worst of all times since forgotten */
	uint64_t back_ns, leap_ns;
	bool sum_is_entry, entry_goes_on, negative;
};

static void set_attr(struct watch *w, struct kvm_xen_vcpu_attr attr)
{
	if (vcpu_ioctl(&w->vm.vcpu[0], KVM_XEN_VCPU_SET_ATTR, &attr))
		tap_bail("KVM_XEN_VCPU_SET_ATTR %u", attr.type);
}

static void set_state(struct watch *w, uint64_t state)
{
	w->began_ns = waiter_raw_ns();
	set_attr(w, (struct kvm_xen_vcpu_attr) {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT, .u.runstate.state = state });
}

static struct record read_record(const struct watch *w)
{
	struct record record;

	memcpy(&record, w->vm.mem + GPA, sizeof(record));
	return record;
}

static void forget(struct watch *w)
{
	w->last = read_record(w);
	w->raw_ns = w->began_ns;
	w->back_ns = w->leap_ns = 0;
	w->sum_is_entry = w->entry_goes_on = true;
	w->negative = false;
}

static void raise(uint64_t *worst, uint64_t value)
{
	if (value > *worst)
		*worst = value;
}

/* Compared with the last look; no time may grow by more than passed since that was made. */
static void look(struct watch *w)
{
	struct record now = read_record(w);
	uint64_t passed_ns = waiter_raw_ns() - w->raw_ns, sum_ns = 0;
	int i;

	for (i = 0; i < NR_STATES; i++) {
		int64_t grown_ns = (int64_t)(now.time_ns[i] - w->last.time_ns[i]);

		sum_ns += now.time_ns[i];
		w->negative |= (int64_t)now.time_ns[i] < 0;
		if (grown_ns < 0)
			raise(&w->back_ns, -(uint64_t)grown_ns);
		else if ((uint64_t)grown_ns > passed_ns)
			raise(&w->leap_ns, (uint64_t)grown_ns - passed_ns);
	}
	w->sum_is_entry &= sum_ns == now.entry_ns;
	w->entry_goes_on &= now.entry_ns >= w->last.entry_ns;
	w->last = now;
	w->raw_ns = w->began_ns;
}

static void run(struct watch *w)
{
	w->began_ns = waiter_raw_ns();
	vcpu_run(&w->vm.vcpu[0], GUEST_TSC, 0, 0);
	look(w);
}

/* Each state is entered and seen, once around. */
static bool states_change(struct watch *w)
{
	bool all = true;
	uint64_t state;

	for (state = RUNNABLE; state <= OFFLINE; state++) {
		set_state(w, state);
		look(w);
		all &= w->last.state == state;
	}
	run(w);
	return all && w->last.state == RUNNING;
}

static void judge(struct watch *w, const char *what, bool states)
{
	char figure[48];

	tap_ok(states, "K20 %s: the state changes", what);
	tap_ok(w->back_ns == 0, "K20 %s: no time goes back", what);
	tap_ok(w->leap_ns == 0, "K20 %s: no time jumps", what);
	tap_ok(!w->negative, "K20 %s: no time is negative", what);
	tap_ok(w->sum_is_entry, "K20 %s: the times' sum is the entry time", what);
	tap_ok(w->entry_goes_on, "K20 %s: the entry time does not go back", what);
	snprintf(figure, sizeof(figure), "%s_back", what);
	tap_figure("K20", figure, (long long)(w->back_ns / 1000), "us");
	snprintf(figure, sizeof(figure), "%s_jump", what);
	tap_figure("K20", figure, (long long)(w->leap_ns / 1000), "us");
}

static void set_clock_back(struct watch *w)
{
	struct kvm_clock_data data = { .clock = vm_get_clock(&w->vm).clock - BACK_NS };

	if (vm_ioctl(&w->vm, KVM_SET_CLOCK, &data))
		tap_bail("KVM_SET_CLOCK");
}

static void *keep_busy(void *arg)
{
	struct vcpu *vcpu = arg;

	vcpu_run(vcpu, GUEST_SPIN, (uint64_t)vcpu->khz * BUSY_MS, 0);
	return NULL;
}

/* While the vCPU runs, and again while it is blocked. */
static void check_set_back(struct watch *w)
{
	pthread_t thread;
	bool states;

	forget(w);
	w->began_ns = waiter_raw_ns();
	if (pthread_create(&thread, NULL, keep_busy, &w->vm.vcpu[0]))
		tap_bail("pthread_create");
	host_sleep_ms(BUSY_MS / 4);
	set_clock_back(w);
	pthread_join(thread, NULL);
	look(w);
	run(w);
	states = states_change(w);
	set_state(w, BLOCKED);
	set_clock_back(w);
	run(w);
	judge(w, "set_back", states);
}

static void check_line_back(struct watch *w)
{
	struct pvclock_vcpu_time_info line;
	bool states;

	if (!host()->line) {
		tap_skip("no line ioctls", "K20 line_back: the state changes");
		return;
	}
	forget(w);
	if (vcpu_ioctl(&w->vm.vcpu[0], KVM_GET_CLOCK_GUEST, &line))
		tap_bail("KVM_GET_CLOCK_GUEST");
	line.system_time -= BACK_NS;
	if (vcpu_ioctl(&w->vm.vcpu[0], KVM_SET_CLOCK_GUEST, &line))
		tap_bail("KVM_SET_CLOCK_GUEST");
	run(w);
	states = states_change(w);
	judge(w, "line_back", states);
}

/* Once the clock is where it was, the times go on. */
static void check_goes_on(struct watch *w)
{
	struct kvm_clock_data data = { .clock = read_record(w).entry_ns + 1 };
	uint64_t entry_ns, begin_ns;
	bool states;

	if (vm_ioctl(&w->vm, KVM_SET_CLOCK, &data))
		tap_bail("KVM_SET_CLOCK");
	begin_ns = waiter_raw_ns();
	run(w);
	forget(w);
	entry_ns = w->last.entry_ns;
	host_sleep_ms(WAIT_MS);
	run(w);
	tap_ok(w->last.entry_ns - entry_ns >= WAIT_MS * 1000000ull &&
	       w->last.entry_ns - entry_ns < waiter_raw_ns() - begin_ns + 1000000,
	       "K20 goes_on: times grow by what passes");
	states = states_change(w);
	judge(w, "goes_on", states);
}

/* What the thread waited while it was to run is runnable time; other threads' is not. */
static void check_threads(struct watch *w)
{
	uint64_t runnable_ns, waited_ns;
	bool states;
	int i;

	run(w);
	forget(w);
	runnable_ns = w->last.time_ns[RUNNABLE];
	waited_ns = waiter_run_delay_ns();
	waiter_wait(WAIT_MS);
	waited_ns = waiter_run_delay_ns() - waited_ns;
	run(w);
	tap_ok(w->last.time_ns[RUNNABLE] - runnable_ns >= waited_ns,
	       "K20 threads: waiting is runnable time");
	for (i = 0; i < 2; i++) {
		w->began_ns = waiter_raw_ns();
		waiter_run_elsewhere(&w->vm.vcpu[0]);
		look(w);
		run(w);
	}
	states = states_change(w);
	judge(w, "threads", states);
}

/* A Xen guest of 64 bits whose record is placed before it first runs. */
static void open_xen(struct watch *w)
{
	struct kvm_clock_data data = { .clock = START_NS };
	struct kvm_xen_hvm_attr mode = {
		.type = KVM_XEN_ATTR_TYPE_LONG_MODE, .u.long_mode = 1 };

	vm_open(&w->vm, 0);
	if (vm_set_xen_page(&w->vm) || vm_ioctl(&w->vm, KVM_XEN_HVM_SET_ATTR, &mode) ||
	    vm_ioctl(&w->vm, KVM_SET_CLOCK, &data))
		tap_bail("a Xen VM");
	vm_add_vcpu(&w->vm);
	set_attr(w, (struct kvm_xen_vcpu_attr) {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, .u.gpa = GPA });
	vcpu_set_page(&w->vm.vcpu[0], MSR_CLOCK_NEW);
	vcpu_fresh_page(&w->vm.vcpu[0]);
}

int main(void)
{
	static struct watch w;

	open_xen(&w);
	run(&w);
	forget(&w);
	run(&w);
	tap_ok(w.last.state == RUNNING && w.last.entry_ns >= START_NS && w.sum_is_entry,
	       "K20: the record is kept");
	check_set_back(&w);
	check_line_back(&w);
	check_goes_on(&w);
	check_threads(&w);
	vm_close(&w.vm);
	return tap_end();
}
