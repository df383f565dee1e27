// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* K3: the line got and set: round trips, errors, and no trace of a refused set. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "scene.h"
#include "tap.h"

#define TRIPS 1000

typedef struct pvclock_vcpu_time_info line_t;

static int get(struct vcpu *vcpu, line_t *line)
{
	return vcpu_ioctl(vcpu, KVM_GET_CLOCK_GUEST, line);
}

static int set(struct vcpu *vcpu, const line_t *line)
{
	return vcpu_ioctl(vcpu, KVM_SET_CLOCK_GUEST, (void *)line);
}

static line_t must_get(struct vcpu *vcpu)
{
	line_t line;

	memset(&line, 0xee, sizeof(line));
	if (get(vcpu, &line))
		tap_bail("KVM_GET_CLOCK_GUEST");
	return line;
}

static bool same(const line_t *a, const line_t *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static void check_form(const char *kind, struct vcpu *vcpu)
{
	line_t line = must_get(vcpu), page = vcpu_fresh_page(vcpu);

	tap_ok(!line.version && !line.pad0 && !line.pad[0] && !line.pad[1],
	       "K3 %s: version and pads are 0", kind);
	tap_ok(line.flags == PVCLOCK_TSC_STABLE_BIT, "K3 %s: flags are the stable bit", kind);
	tap_ok(exact_same_line(&line, &page), "K3 %s: the line is the page's", kind);
}

static void check_trips(const char *kind, struct vcpu *vcpu)
{
	line_t first = must_get(vcpu), page = vcpu_fresh_page(vcpu), line = first;
	char figure[48];
	int bad = 0, i;

	for (i = 0; i < TRIPS; i++) {
		line = must_get(vcpu);
		bad += !same(&line, &first);
		bad += set(vcpu, &line) != 0;
	}
	line = must_get(vcpu);
	bad += !same(&line, &first);
	tap_ok(!bad, "K3 %s: %d round trips are bit-identical", kind, TRIPS);
	snprintf(figure, sizeof(figure), "%s_trips_not_identical", kind);
	tap_figure("K3", figure, bad, "trips");
	line = vcpu_fresh_page(vcpu);
	tap_ok(same(&line, &page), "K3 %s: the page is not written for them", kind);
}

static void check_second_vm(const char *kind, struct vcpu *a, uint32_t khz)
{
	line_t line = must_get(a), there, page;
	int i, bad = 0;
	struct vm vm;

	vm_open_running(&vm, khz, 1);
	vcpu_set_tsc_offset(&vm.vcpu[0], vcpu_tsc_offset(a));
	for (i = 0; i < TRIPS / 10; i++) {
		bad += set(&vm.vcpu[0], &line) != 0;
		there = must_get(&vm.vcpu[0]);
		bad += !same(&there, &line);
		bad += set(a, &there) != 0;
		there = must_get(a);
		bad += !same(&there, &line);
	}
	page = vcpu_fresh_page(&vm.vcpu[0]);
	tap_ok(!bad, "K3 %s: bit-identical on a second VM and back", kind);
	tap_ok(exact_same_line(&page, &line), "K3 %s: the second VM's page has it", kind);
	vm_close(&vm);
}

/* What anyone can read: must be the same before and after a refused set. */
struct trace {
	line_t line, page;
	uint64_t apart_ns;
};

static struct trace look(struct vcpu *vcpu)
{
	struct exact_tsc tsc = vcpu_tsc(vcpu);
	struct kvm_clock_data clock;
	struct trace trace;

	memset(&trace, 0, sizeof(trace));
	trace.line = must_get(vcpu);
	trace.page = vcpu_fresh_page(vcpu);
	clock = vm_get_clock(vcpu->vm);
	trace.apart_ns = clock.clock - exact_page_at_ns(&trace.line, &tsc, clock.host_tsc);
	return trace;
}

static void refused(struct vcpu *vcpu, const line_t *line, int code, const char *what)
{
	struct trace before = look(vcpu), after;
	int got = set(vcpu, line);

	after = look(vcpu);
	if (!tap_ok(got == code, "K3 set: %s is refused", what))
		tap_diag("returned %d, expected %d", got, code);
	tap_ok(!memcmp(&before, &after, sizeof(before)) && !after.apart_ns,
	       "K3 set: %s leaves no trace", what);
}

/* The line with its frequency moved by hz; far above, the slope is smaller. */
static line_t with_hz(line_t line, uint32_t khz, int hz)
{
	uint64_t from = khz * 1000ull;

	line.tsc_to_system_mul = (uint32_t)((exact_u128)line.tsc_to_system_mul * from /
					    (uint64_t)((int64_t)from + hz));
	return line;
}

static void check_refused(struct vcpu *vcpu)
{
	line_t good = must_get(vcpu), bad;

	refused(vcpu, (void *)-4096l, -EFAULT, "an address not mapped");
	bad = good, bad.pad0 = 1;
	refused(vcpu, &bad, -EINVAL, "pad0");
	bad = good, bad.pad[0] = 1;
	refused(vcpu, &bad, -EINVAL, "pad[0]");
	bad = good, bad.pad[1] = 1;
	refused(vcpu, &bad, -EINVAL, "pad[1]");
	bad = good, bad.tsc_to_system_mul = 0;
	refused(vcpu, &bad, -EINVAL, "mul 0");
	bad = good, bad.tsc_shift = 32;
	refused(vcpu, &bad, -EINVAL, "shift 32");
	bad = good, bad.tsc_shift = -32;
	refused(vcpu, &bad, -EINVAL, "shift -32");
	bad = good, bad.tsc_shift = -128;
	refused(vcpu, &bad, -EINVAL, "shift -128");
	bad = good, bad.tsc_timestamp = vcpu_guest_tsc(vcpu) + vcpu->khz * 10000ull;
	refused(vcpu, &bad, -EINVAL, "a point in the future");
	bad = with_hz(good, vcpu->khz, 1500);
	refused(vcpu, &bad, -ERANGE, "1500 Hz too fast");
	bad = with_hz(good, vcpu->khz, -1500);
	refused(vcpu, &bad, -ERANGE, "1500 Hz too slow");
	bad = good, bad.tsc_shift += 1;
	refused(vcpu, &bad, -ERANGE, "double the slope");
	bad = good, bad.tsc_shift = 31;
	refused(vcpu, &bad, -ERANGE, "shift 31");
	bad = good, bad.tsc_shift = -31;
	refused(vcpu, &bad, -ERANGE, "shift -31");
}

static void check_accepted(struct vcpu *vcpu)
{
	line_t good = must_get(vcpu), line = good, got;

	line.version = 77;
	line.flags = 0xff;
	tap_ok(!set(vcpu, &line), "K3 set: version and flags are ignored");
	got = must_get(vcpu);
	tap_ok(same(&got, &good), "K3 set: and do not come back");
	line = with_hz(good, vcpu->khz, 1);
	line.tsc_to_system_mul = good.tsc_to_system_mul - 1;
	line.system_time += 1000000000;
	tap_ok(!set(vcpu, &line), "K3 set: a slope 2^-31 off is taken");
	got = must_get(vcpu);
	tap_ok(exact_same_line(&got, &line), "K3 set: and kept as it is");
	got = vcpu_fresh_page(vcpu);
	tap_ok(exact_same_line(&got, &line), "K3 set: the page has it");
	line = with_hz(good, vcpu->khz, 900);
	tap_ok(!set(vcpu, &line), "K3 set: 900 Hz off is taken");
}

static void check_host_mode(struct vcpu *vcpu)
{
	line_t line = must_get(vcpu), unused;

	tap_ok(get(vcpu, (void *)-4096l) == -EFAULT, "K3 get: an address not mapped is refused");
	vcpu_set_page(vcpu, MSR_CLOCK_OLD);
	tap_ok(get(vcpu, &unused) == -EINVAL, "K3 get: host mode is refused");
	tap_ok(set(vcpu, &line) == -EINVAL, "K3 set: host mode is refused");
	vcpu_set_page(vcpu, MSR_CLOCK_NEW);
	tap_ok(!get(vcpu, &unused), "K3 get: back in master mode it works");
}

static void check(const char *kind, uint32_t khz)
{
	struct vm vm;

	vm_open_running(&vm, khz, 2);
	check_form(kind, &vm.vcpu[0]);
	check_trips(kind, &vm.vcpu[0]);
	check_second_vm(kind, &vm.vcpu[0], khz);
	vm_close(&vm);
}

int main(void)
{
	struct vm vm;

	if (!host()->line) {
		tap_skip("no KVM_CAP_CLOCK_LINE", "K3: the line got and set");
		return tap_end();
	}
	check("native", 0);
	if (host()->scaling)
		check("scaled", scene_scaled_khz());
	vm_open_running(&vm, 0, 1);
	check_refused(&vm.vcpu[0]);
	check_host_mode(&vm.vcpu[0]);
	check_accepted(&vm.vcpu[0]);
	vm_close(&vm);
	return tap_end();
}
