// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K21: the guest's steal record never goes back, and grows by no more than the time. */
#include <stdio.h>

#include "tap.h"
#include "waiter.h"

#define MSR_STEAL_TIME 0x4b564d03
#define GPA (VM_SHARED_GPA + 0x40)
#define WAIT_MS 100
#define RESTORED_NS 0x123456789abcdefull
#define NEAR_END_NS (~0ull - 1000)

struct record {
	uint64_t steal_ns;
	uint32_t version;	/* odd while the host writes */
};

/* A vCPU, its record, and what was seen of both before its last run began. */
struct watch {
	struct vm vm;
	volatile struct record *record;
	uint64_t raw_ns, steal_ns;
	uint64_t back_ns, leap_ns;	/* the worst */
};

static void begin(struct watch *w, uint64_t record_ns)
{
	w->record->steal_ns = w->steal_ns = record_ns;
	w->back_ns = w->leap_ns = 0;
}

/* A run on this thread or another: what the record did against the time since the last. */
static uint64_t run(struct watch *w, bool elsewhere)
{
	uint64_t before_ns = waiter_raw_ns(), steal_ns, passed_ns, grown_ns;

	if (elsewhere)
		waiter_run_elsewhere(&w->vm.vcpu[0]);
	else
		vcpu_run(&w->vm.vcpu[0], GUEST_TSC, 0, 0);
	steal_ns = w->record->steal_ns;
	passed_ns = waiter_raw_ns() - w->raw_ns;
	grown_ns = steal_ns - w->steal_ns;
	if (steal_ns < w->steal_ns) {
		if (w->steal_ns - steal_ns > w->back_ns)
			w->back_ns = w->steal_ns - steal_ns;
	} else if (grown_ns > passed_ns && grown_ns - passed_ns > w->leap_ns) {
		w->leap_ns = grown_ns - passed_ns;
	}
	w->raw_ns = before_ns;
	w->steal_ns = steal_ns;
	return grown_ns;
}

static void judge(const struct watch *w, const char *what, const char *figure)
{
	char name[64];

	tap_ok(w->back_ns == 0, "K21 %s: steal never decreases", what);
	tap_ok(w->leap_ns == 0, "K21 %s: grows by no more than the time that passed", what);
	snprintf(name, sizeof(name), "%s_back", figure);
	tap_figure("K21", name, (long long)(w->back_ns / 1000), "us");
	snprintf(name, sizeof(name), "%s_leap", figure);
	tap_figure("K21", name, (long long)(w->leap_ns / 1000), "us");
}

/* From elsewhere: the record has a value, then the MSR is set on this host. */
static void check_restored(struct watch *w)
{
	begin(w, RESTORED_NS);
	w->raw_ns = waiter_raw_ns();
	vcpu_set_msr(&w->vm.vcpu[0], MSR_STEAL_TIME, GPA | 1);
	run(w, false);
	tap_ok(w->record->version && !(w->record->version & 1), "K21 restored: the record is written");
	judge(w, "restored", "restored");
}

/* What is really stolen must be told: between what is surely and at most waited. */
static void check_counts(struct watch *w)
{
	uint64_t before_ns, grown_ns, least_ns;

	begin(w, 0);
	before_ns = waiter_run_delay_ns();
	run(w, false);
	least_ns = waiter_run_delay_ns();
	waiter_wait(WAIT_MS);
	least_ns = waiter_run_delay_ns() - least_ns;
	grown_ns = run(w, false);
	tap_ok(grown_ns >= least_ns && grown_ns <= waiter_run_delay_ns() - before_ns,
	       "K21 waited: what the thread waited is what was stolen");
	judge(w, "waited", "waited");
}

static void check_threads(struct watch *w)
{
	int i;

	begin(w, RESTORED_NS);
	run(w, false);
	for (i = 0; i < 4; i++)
		run(w, !(i & 1));
	judge(w, "moved", "moved");
}

static void check_near_end(struct watch *w)
{
	begin(w, NEAR_END_NS);
	run(w, false);
	waiter_wait(WAIT_MS / 10);
	run(w, false);
	judge(w, "near 2^64", "near_end");
}

/* Off, the thread waits, on again: none of that is the new record's. */
static void check_again(struct watch *w)
{
	begin(w, RESTORED_NS);
	vcpu_set_msr(&w->vm.vcpu[0], MSR_STEAL_TIME, 0);
	waiter_wait(WAIT_MS / 10);
	w->raw_ns = waiter_raw_ns();
	vcpu_set_msr(&w->vm.vcpu[0], MSR_STEAL_TIME, GPA | 1);
	run(w, false);
	judge(w, "off and on", "off_and_on");
}

int main(void)
{
	static struct watch w;

	vm_open_running(&w.vm, 0, 1);
	w.record = (volatile void *)(w.vm.mem + GPA);
	waiter_wait(WAIT_MS);
	check_restored(&w);
	check_counts(&w);
	check_threads(&w);
	check_near_end(&w);
	check_again(&w);
	vm_close(&w.vm);
	return tap_end();
}
