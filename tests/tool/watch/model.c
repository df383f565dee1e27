// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* watch's model, event by event: what each case comes to.  TAP. */
#include "model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int tests, failed;

bool ok(bool good, const char *name)
{
	printf("%sok %d - watch model: %s\n", good ? "" : "not ", ++tests, name);
	failed += !good;
	return good;
}

static void take(void *context, const struct watch_step *step)
{
	struct watched *watched = context;

	if (watched->count < MAX_OUT)
		watched->out[watched->count++] = *step;
}

void watched_open(struct watched *watched, uint32_t vms, uint32_t vcpus, bool always_drawn)
{
	*watched = (struct watched){ .now_ns = 1000000000 };
	watched->model = watch_model_new(vms, vcpus, take, watched);
	watch_model_found(watched->model, (struct watch_vm_id){ 7, 1 }, always_drawn);
}

void watched_close(struct watched *watched)
{
	watch_model_free(watched->model);
}

static void feed(struct watched *watched, uint32_t vm, struct watch_event event)
{
	watched->count = 0;
	event.time_ns = watched->now_ns += 1000000;
	watch_model_feed(watched->model, (struct watch_vm_id){ 7, vm }, &event);
}

void watched_page(struct watched *watched, uint32_t vm, uint32_t vcpu, uint32_t version,
		  struct kc_line line, bool stable)
{
	feed(watched, vm, (struct watch_event){ .kind = WATCH_PAGE, .vcpu = vcpu, .page = { line, version, stable } });
}

void watched_offset(struct watched *watched, uint32_t vm, uint32_t vcpu, uint64_t from, uint64_t to)
{
	feed(watched, vm, (struct watch_event){ .kind = WATCH_OFFSET, .vcpu = vcpu, .offset = { from, to } });
}

void watched_track(struct watched *watched, uint32_t vm, uint32_t matched, uint32_t online, bool master)
{
	feed(watched, vm, (struct watch_event){ .kind = WATCH_TRACK, .track = { matched, online, 1, master } });
}

void watched_master(struct watched *watched, uint32_t vm, bool master)
{
	feed(watched, vm, (struct watch_event){ .kind = WATCH_MASTER, .master = { 1, master, true } });
}

void watched_ioctl(struct watched *watched, uint32_t vm, uint32_t ioctl)
{
	feed(watched, vm, (struct watch_event){ .kind = WATCH_IOCTL, .ioctl = ioctl });
}

void watched_lost(struct watched *watched)
{
	feed(watched, 1, (struct watch_event){ .kind = WATCH_LOST });
}

void watched_passes(struct watched *watched, uint64_t ns)
{
	watched->count = 0;
	watch_model_passed(watched->model, watched->now_ns += ns);
}

/* 2.6 GHz */
#define MUL 0xc4ec4ec5u
#define SHIFT (-1)
#define RATE { MUL, SHIFT }

static bool is_step(const struct watched *w, int at, enum watch_step_kind kind, int64_t step_ns)
{
	return w->count > at && w->out[at].kind == kind && w->out[at].step_ns == step_ns;
}

static struct kc_line line_at(uint64_t gtsc, uint64_t ns)
{
	return (struct kc_line){ gtsc, ns, RATE };
}

static void lines(void)
{
	struct watched w;
	struct kc_line slow = { 2600000 * 3, 3000000, { MUL - 1000, SHIFT } };

	watched_open(&w, 4, 8, false);
	watched_page(&w, 1, 0, 2, line_at(0, 0), true);
	ok(is_step(&w, 0, STEP_CLOCK_FIRST, 0), "the first line is no step");
	watched_page(&w, 1, 0, 4, line_at(2600000, 1000000), true);
	ok(is_step(&w, 0, STEP_CLOCK, 0), "the line drawn anew from another point is no step");
	watched_ioctl(&w, 1, 0x4030ae7b);
	watched_page(&w, 1, 0, 6, line_at(5200000, 2000777), true);
	ok(is_step(&w, 0, STEP_CLOCK, 777) && w.out[0].cause == CAUSE_CLOCK_SET && w.out[0].error_ns == 777,
	   "KVM_SET_CLOCK: a step ahead, and its cause");
	watched_page(&w, 1, 0, 8, slow, true);
	ok(is_step(&w, 0, STEP_CLOCK, -777) && w.out[0].new_slope && w.out[0].cause == CAUSE_UNKNOWN,
	   "a step back, to another slope, with no cause that was traced");
	watched_page(&w, 1, 0, 10, line_at(2600000 * 2, kc_line_read_floor_ns(&slow, 2600000 * 3) - 1000000), true);
	ok(w.count == 1 && w.out[0].step_ns <= 0 && w.out[0].step_ns >= -1 && w.out[0].gtsc == 2600000 * 3,
	   "a line whose point is before the old one's is compared where both hold");
	watched_page(&w, 1, 0, 10, (struct kc_line){ 0, 0, { MUL, 32 } }, true);
	watched_page(&w, 1, 0, 10, (struct kc_line){ 0, 0, { 0, 0 } }, true);
	ok(watch_model_counts(w.model)->invalid == 2, "lines that cannot be are not read");
	watched_close(&w);
}

static void wraps(void)
{
	struct watched w;

	watched_open(&w, 4, 8, false);
	watched_page(&w, 1, 0, 0xfffffffe, line_at(-2600000ull, -1000000ull), true);
	watched_page(&w, 1, 0, 0, line_at(2600000, 1000005), false);
	ok(is_step(&w, 0, STEP_CLOCK, 5) && w.out[0].cause == CAUSE_HOST_MODE, "TSC, clock and version wrap around");
	watched_close(&w);
}

static void offsets(void)
{
	struct watched w;

	watched_open(&w, 4, 8, true);
	watched_page(&w, 1, 0, 2, line_at(1000, 0), true);
	watched_offset(&w, 1, 0, 500, 500 + 26000000);
	ok(w.count == 1 && w.out[0].kind == STEP_TSC && w.out[0].cycles == 26000000, "a TSC offset: cycles");
	watched_passes(&w, 1000000000);
	watched_page(&w, 1, 0, 4, line_at(1000 + 26000000, 0), true);
	ok(is_step(&w, 0, STEP_CLOCK, 0) && w.out[0].cause == CAUSE_TSC_OFFSET,
	   "the line that moves along with it is no step, however late it is drawn");
	watched_close(&w);

	watched_open(&w, 4, 8, false);
	watched_page(&w, 1, 0, 2, line_at(1000, 0), true);
	watched_offset(&w, 1, 0, 500, 500 + 26000000);
	watched_track(&w, 1, 1, 3, false);
	watched_passes(&w, 10000000);
	ok(!w.count, "stock: a line may still be drawn");
	watched_passes(&w, 20000000);
	ok(is_step(&w, 0, STEP_CLOCK_STALE, 10000000) && w.out[0].cause == CAUSE_TSC_OFFSET,
	   "stock: the offset moved and no line drawn is a step of the clock");
	watched_passes(&w, 20000000);
	ok(!w.count, "which is told once");
	watched_page(&w, 1, 0, 4, line_at(1000 + 26000000, 0), true);
	ok(is_step(&w, 0, STEP_CLOCK, -10000000) && !w.out[0].error_ns, "stock: the line drawn later steps back");
	watched_offset(&w, 1, 0, 500 + 26000000, 500);
	watched_track(&w, 1, 0, 3, true);
	watched_passes(&w, 1000000000);
	ok(!w.count, "stock: with the master clock and a new generation a line is due");
	watched_page(&w, 1, 0, 6, line_at(1000, 3), true);
	ok(is_step(&w, 0, STEP_CLOCK, 3), "which is compared with the one moved along");
	watched_offset(&w, 1, 0, 500, 500 - 2600);
	watched_page(&w, 1, 0, 8, line_at(1000 - 2600, 3), false);
	ok(is_step(&w, 0, STEP_CLOCK, 0), "stock: drawn at once, as after a write by the guest");
	watched_offset(&w, 1, 0, 500 - 2600, 500);
	w.now_ns += 5000000;
	watched_page(&w, 1, 0, 10, line_at(1000, 3), false);
	ok(is_step(&w, 0, STEP_CLOCK_STALE, 1000) && is_step(&w, 1, STEP_CLOCK, -1000),
	   "stock: drawn some ms later for no reason: the guest saw both steps");
	watched_offset(&w, 1, 0, 500, 500 + 2600);
	watched_ioctl(&w, 1, 0x4030ae7b);
	w.now_ns += 5000000;
	watched_page(&w, 1, 0, 12, line_at(1000 + 2600, 3), false);
	ok(is_step(&w, 0, STEP_CLOCK, 0), "stock: drawn some ms later, the monitor having asked for it: none");
	watched_close(&w);
}

static void made_anew(void)
{
	struct watched w;

	watched_open(&w, 4, 8, false);
	watched_offset(&w, 1, 0, 0, 5000);
	ok(!w.count, "a vCPU's first offset is no step of its TSC");
	watched_page(&w, 1, 0, 2, line_at(1000, 0), true);
	watched_offset(&w, 1, 0, 0, 9000);
	watched_page(&w, 1, 0, 2, line_at(50, 123456), true);
	ok(is_step(&w, 0, STEP_CLOCK_FIRST, 0), "a VM made anew under the same name begins anew");
	watched_offset(&w, 1, 0, 77777, 88888);
	watched_page(&w, 1, 0, 2, line_at(50, 99), true);
	ok(is_step(&w, 0, STEP_CLOCK_FIRST, 0), "so does one whose offset is not the one that was written");
	watch_model_gone(w.model, (struct watch_vm_id){ 7, 1 });
	watched_page(&w, 1, 0, 2, line_at(50, 1), true);
	ok(is_step(&w, 0, STEP_CLOCK_FIRST, 0), "a VM that went is forgotten");
	watched_page(&w, 0xffffffff, 0, 2, line_at(50, 1), true);
	ok(!w.count && watch_model_counts(w.model)->ambiguous == 1, "what cannot be told apart is not compared, and is counted");
	watched_close(&w);
}

static void begun_later(void)
{
	struct watched w;

	watched_open(&w, 4, 8, true);
	watched_page(&w, 1, 0, 2, line_at(0, 0), true);
	ok(is_step(&w, 0, STEP_CLOCK_FIRST, 0) && !w.out[0].born && watch_model_counts(w.model)->unknown == 1,
	   "a VM that ran before: its first step is not known, and is counted");
	watched_offset(&w, 1, 1, 0, 5000);
	watched_page(&w, 1, 1, 2, line_at(0, 0), true);
	ok(is_step(&w, 0, STEP_CLOCK_FIRST, 0) && w.out[0].born && watch_model_counts(w.model)->unknown == 1,
	   "a vCPU that is made has none");
	watch_model_line(w.model, (struct watch_vm_id){ 7, 1 }, 2, line_at(2600, 1000), w.now_ns + 1500000);
	watched_page(&w, 1, 2, 2, line_at(0, 77), true);
	ok(!w.count, "a line that is told has in it what was drawn before");
	watched_page(&w, 1, 2, 4, line_at(2600, 1042), true);
	ok(is_step(&w, 0, STEP_CLOCK, 42) && watch_model_counts(w.model)->unknown == 1, "and the first one after it is compared with it");
	watched_close(&w);
}

static void losses(void)
{
	struct watched w;

	watched_open(&w, 4, 8, false);
	watched_page(&w, 1, 0, 2, line_at(0, 0), true);
	watched_page(&w, 1, 1, 2, line_at(0, 0), true);
	watched_lost(&w);
	watched_page(&w, 1, 0, 4, line_at(0, 50), true);
	ok(is_step(&w, 0, STEP_CLOCK, 50) && !w.out[0].across_loss, "the next version: nothing of this vCPU was lost");
	watched_page(&w, 1, 1, 8, line_at(0, 60), true);
	ok(is_step(&w, 0, STEP_CLOCK, 60) && w.out[0].across_loss, "another version after a loss: may be several steps");
	watched_page(&w, 1, 1, 10, line_at(0, 61), true);
	ok(is_step(&w, 0, STEP_CLOCK, 1) && !w.out[0].across_loss, "the step after that is one");
	watched_close(&w);
}

static void causes(void)
{
	struct watched w;

	watched_open(&w, 4, 8, false);
	watched_master(&w, 1, true);
	ok(!w.count, "the first mode that is seen is no change of it");
	watched_page(&w, 1, 0, 2, line_at(0, 0), true);
	watched_page(&w, 1, 1, 2, line_at(0, 0), true);
	watched_master(&w, 1, false);
	ok(w.count == 1 && w.out[0].kind == STEP_MODE && !w.out[0].stable, "the master clock goes off");
	watched_page(&w, 1, 0, 4, line_at(0, 3), false);
	ok(w.count == 1 && w.out[0].cause == CAUSE_MODE, "a line drawn for that");
	watched_page(&w, 1, 0, 6, line_at(0, 5), false);
	ok(w.count == 1 && w.out[0].cause == CAUSE_HOST_MODE, "and once more: a sample of the host's clock");
	watched_page(&w, 1, 1, 4, line_at(0, 3), false);
	ok(w.count == 1 && w.out[0].cause == CAUSE_MODE, "another vCPU's, later, is still for that");
	watched_master(&w, 1, false);
	watched_page(&w, 1, 1, 6, line_at(0, 4), true);
	ok(w.count == 1 && w.out[0].cause == CAUSE_MASTER, "the master clock sampled anew");
	watched_offset(&w, 1, 2, 0, 1000);
	watched_page(&w, 1, 0, 8, line_at(0, 6), true);
	ok(w.count == 1 && w.out[0].cause == CAUSE_VCPU_ADDED, "a vCPU that is made");
	watched_close(&w);
}

static void room(void)
{
	struct watched w;
	uint32_t i;

	watched_open(&w, 2, 4, false);
	for (i = 1; i <= 1000; i++)
		watched_page(&w, i, i, 2, line_at(0, 0), true);
	ok(watch_model_counts(w.model)->evicted == 998, "those idle longest make room, and are counted");
	watched_page(&w, 1000, 1000, 4, line_at(0, 9), true);
	ok(is_step(&w, 0, STEP_CLOCK, 9), "the last ones are known");
	watched_page(&w, 1, 1, 4, line_at(0, 9), true);
	ok(is_step(&w, 0, STEP_CLOCK_FIRST, 0), "a forgotten one begins anew");
	for (i = 0; i < 20; i++)
		watched_page(&w, 5, i, 2, line_at(0, 0), true);
	ok(watch_model_counts(w.model)->evicted > 998, "one VM with more vCPUs than there is room for");
	watched_close(&w);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)0x5eed;

	lines();
	wraps();
	offsets();
	made_anew();
	begun_later();
	losses();
	causes();
	room();
	random_streams(seed);
	printf("1..%d\n", tests);
	return failed != 0;
}
