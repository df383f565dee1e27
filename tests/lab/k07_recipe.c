// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * K7: the recipe of doc/recipe.md, over two boots.  Without arguments it saves
 * VMs and prints them as "# carry" and numbers; with these, on another host, it
 * restores them.  No time passes for the guests in between.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "scene.h"
#include "tap.h"

#define VCPUS 3
#define RUN_MS 50
#define APART_MS 20
/* On hosts of 100 and 125 MHz the nearest slopes for it differ by one unit of mul. */
#define ROUNDED_KHZ 74297

/* What is carried, in this order, as hexadecimal words. */
enum { KHZ, HOST_TSC, REALTIME_NS, HOST_KHZ, LINE_GTSC, LINE_NS, LINE_MUL, LINE_SHIFT, TSCS,
       WORDS = TSCS + 3 * VCPUS };

struct saved {
	uint64_t word[WORDS];
	struct exact_tsc tsc[VCPUS];
	struct pvclock_vcpu_time_info line;
};

static const char *kind;
static struct vm vm;

static int64_t magnitude(int64_t value)
{
	return value < 0 ? -value : value;
}

static void figure(const char *name, long long value, const char *unit)
{
	char text[64];

	snprintf(text, sizeof(text), "%s_%s", kind, name);
	tap_figure("K7", text, value, unit);
}

static void figure_milli(const char *name, long long milli, const char *unit)
{
	char text[64];

	snprintf(text, sizeof(text), "%s_%s", kind, name);
	tap_figure_milli("K7", text, milli, unit);
}

/* On the stock KVM the page has to stand for the line. */
static struct pvclock_vcpu_time_info get_line(struct vcpu *vcpu)
{
	struct pvclock_vcpu_time_info line = vcpu_fresh_page(vcpu);

	if (host()->line && vcpu_ioctl(vcpu, KVM_GET_CLOCK_GUEST, &line))
		tap_bail("KVM_GET_CLOCK_GUEST");
	return line;
}

/* ---- the first host ---- */

static void print_saved(const struct kvm_clock_data *clock,
			const struct pvclock_vcpu_time_info *line)
{
	uint64_t word[WORDS] = {
		[KHZ] = vm.khz, [HOST_TSC] = clock->host_tsc, [REALTIME_NS] = clock->realtime,
		[HOST_KHZ] = host()->khz, [LINE_GTSC] = line->tsc_timestamp,
		[LINE_NS] = line->system_time, [LINE_MUL] = line->tsc_to_system_mul,
		[LINE_SHIFT] = (uint8_t)line->tsc_shift,
	};
	int i;

	for (i = 0; i < VCPUS; i++) {
		struct exact_tsc tsc = vcpu_tsc(&vm.vcpu[i]);

		word[TSCS + 3 * i] = tsc.ratio;
		word[TSCS + 3 * i + 1] = tsc.frac;
		word[TSCS + 3 * i + 2] = tsc.offset;
	}
	for (i = 0; i < WORDS; i++)
		printf(" %llx", (unsigned long long)word[i]);
}

static void save(uint32_t khz, bool apart)
{
	struct pvclock_vcpu_time_info line;
	struct kvm_clock_data clock;

	vm_open_running(&vm, khz, VCPUS);
	host_sleep_ms(RUN_MS);
	if (apart)
		vcpu_set_tsc_offset(&vm.vcpu[1], vcpu_tsc_offset(&vm.vcpu[1]) -
						 (uint64_t)vm.khz * APART_MS);
	line = get_line(&vm.vcpu[0]);
	clock = vm_get_clock(&vm);
	if (!(clock.flags & KVM_CLOCK_HOST_TSC))	/* stock, TSCs apart */
		clock.host_tsc = host_tsc();
	print_saved(&clock, &line);
	vm_close(&vm);
}

/* ---- the second host ---- */

static void read_saved(struct saved *saved, char **words)
{
	uint64_t *word = saved->word;
	int i;

	for (i = 0; i < WORDS; i++)
		word[i] = strtoull(words[i], NULL, 16);
	for (i = 0; i < VCPUS; i++)
		saved->tsc[i] = (struct exact_tsc) { word[TSCS + 3 * i], word[TSCS + 3 * i + 1],
						     word[TSCS + 3 * i + 2] };
	saved->line = (struct pvclock_vcpu_time_info) {
		.tsc_timestamp = word[LINE_GTSC], .system_time = word[LINE_NS],
		.tsc_to_system_mul = (uint32_t)word[LINE_MUL], .tsc_shift = (int8_t)word[LINE_SHIFT],
	};
}

static uint64_t saved_gtsc(const struct saved *saved, int i)
{
	return exact_guest_tsc(&saved->tsc[i], saved->word[HOST_TSC]);
}

static uint64_t saved_clock_ns(const struct saved *saved)
{
	return exact_page_ns(&saved->line, saved_gtsc(saved, 0));
}

/* Steps 1 to 3: frequency, vCPUs, and at the host TSC htsc the guest's TSCs. */
static uint64_t restore_tscs(const struct saved *saved)
{
	struct kvm_clock_data clock;
	int i;

	vm_open(&vm, (uint32_t)saved->word[KHZ]);
	while (vm.count < VCPUS)
		vm_add_vcpu(&vm);
	for (i = 0; i < VCPUS; i++)
		vcpu_set_msr(&vm.vcpu[i], MSR_CLOCK_NEW, vcpu_page_gpa(&vm.vcpu[i]) | 1);
	if (!host()->line)	/* gives no pair of TSC and realtime before */
		vcpu_fresh_page(&vm.vcpu[0]);
	clock = vm_get_clock(&vm);
	if ((clock.flags & VM_CLOCK_ALL_FLAGS) != VM_CLOCK_ALL_FLAGS)
		tap_bail("KVM_GET_CLOCK without host TSC and realtime");
	for (i = 0; i < VCPUS; i++) {
		struct exact_tsc tsc = vcpu_tsc(&vm.vcpu[i]);

		tsc.offset = 0;
		vcpu_set_tsc_offset(&vm.vcpu[i], saved_gtsc(saved, i) -
						 exact_guest_tsc(&tsc, clock.host_tsc));
	}
	clock.clock = saved_clock_ns(saved);
	clock.flags = KVM_CLOCK_REALTIME;
	if (!host()->line && vm_ioctl(&vm, KVM_SET_CLOCK, &clock))
		tap_bail("KVM_SET_CLOCK");
	return clock.host_tsc;
}

/* What a's slope has beyond b's, in thousandths of a ppb. */
static long long slope_apart_milli_ppb(const struct pvclock_vcpu_time_info *a,
				       const struct pvclock_vcpu_time_info *b)
{
	int up = a->tsc_shift - b->tsc_shift;
	exact_u128 x = (exact_u128)a->tsc_to_system_mul << (up > 0 ? up : 0);
	exact_u128 y = (exact_u128)b->tsc_to_system_mul << (up < 0 ? -up : 0);

	return x > y ? (long long)((x - y) * 1000000000000 / y) :
		       -(long long)((y - x) * 1000000000000 / y);
}

/*
 * Step 4.  Returns the line that was set: the saved one, or where this host's
 * rate is another (no scaling), one through the same point with that rate.
 */
static struct pvclock_vcpu_time_info restore_line(const struct saved *saved)
{
	struct pvclock_vcpu_time_info line = saved->line, own = get_line(&vm.vcpu[0]);
	int error = host()->line ? vcpu_ioctl(&vm.vcpu[0], KVM_SET_CLOCK_GUEST, &line) : -ERANGE;

	figure_milli("own_slope_beyond_saved", slope_apart_milli_ppb(&own, &line), "ppb");
	if (!error)
		return line;
	own.tsc_timestamp = saved_gtsc(saved, 0);
	own.system_time = saved_clock_ns(saved);
	own.version = own.flags = 0;
	if (error == -ERANGE && host()->line)
		error = vcpu_ioctl(&vm.vcpu[0], KVM_SET_CLOCK_GUEST, &own);
	if (host()->line)
		tap_ok(!error, "K7 recipe %s: the line with this host's slope is taken", kind);
	return own;
}

static void check_tscs(const struct saved *saved, uint64_t htsc)
{
	bool in_guest = true, kept = true;
	int64_t worst = 0, apart;
	int i;

	for (i = 0; i < VCPUS; i++) {
		struct exact_tsc tsc = vcpu_tsc(&vm.vcpu[i]), first = vcpu_tsc(&vm.vcpu[0]);
		uint64_t low = exact_guest_tsc(&tsc, host_tsc());
		uint64_t seen = vcpu_guest_tsc(&vm.vcpu[i]);

		in_guest = in_guest && low <= seen && seen <= exact_guest_tsc(&tsc, host_tsc());
		apart = magnitude((int64_t)(exact_guest_tsc(&tsc, htsc) - saved_gtsc(saved, i)));
		worst = apart > worst ? apart : worst;
		kept = kept && tsc.offset - first.offset == saved->tsc[i].offset - saved->tsc[0].offset;
	}
	tap_ok(in_guest, "K7 recipe %s: the guest reads that TSC", kind);
	tap_ok(!worst, "K7 recipe %s: TSCs as saved, to 0 cycles", kind);
	tap_ok(kept, "K7 recipe %s: differences between vCPUs kept", kind);
	figure("tsc_error", (long long)worst, "cycles");
}

/* Each vCPU's page against the line that vCPU 0 was to have, at one host TSC. */
static void check_clock(const struct saved *saved, const struct pvclock_vcpu_time_info *line)
{
	struct exact_tsc first = vcpu_tsc(&vm.vcpu[0]);
	struct kvm_clock_data clock;
	int64_t worst_ns = 0, apart_ns;
	int i, at_saved = 0;

	for (i = 0; i < VCPUS; i++) {
		struct pvclock_vcpu_time_info page = vcpu_fresh_page(&vm.vcpu[i]);
		struct exact_tsc tsc = vcpu_tsc(&vm.vcpu[i]);
		uint64_t htsc = host_tsc();

		apart_ns = magnitude((int64_t)(exact_page_at_ns(&page, &tsc, htsc) -
					       exact_page_at_ns(line, &first, htsc)));
		worst_ns = apart_ns > worst_ns ? apart_ns : worst_ns;
		at_saved += exact_page_ns(&page, saved_gtsc(saved, i)) == saved_clock_ns(saved);
		clock = vm_get_clock(&vm);
		if (clock.flags & KVM_CLOCK_HOST_TSC)
			apart_ns = magnitude((int64_t)(exact_page_at_ns(&page, &tsc, clock.host_tsc) -
						       clock.clock));
		worst_ns = apart_ns > worst_ns ? apart_ns : worst_ns;
	}
	tap_ok(at_saved == VCPUS, "K7 recipe %s: at the saved TSC the saved clock, bit for bit", kind);
	tap_ok(!worst_ns, "K7 recipe %s: clock and TSC agree to 0 ns", kind);
	figure("clock_error", (long long)worst_ns, "ns");
}

static void check_state(const struct saved *saved)
{
	bool is_apart = saved->tsc[0].offset != saved->tsc[1].offset;
	unsigned int flags = vm_get_clock(&vm).flags & VM_CLOCK_ALL_FLAGS;
	int i, stable = 0, matched = 0;

	for (i = 0; i < VCPUS; i++) {
		stable += vcpu_page(&vm.vcpu[i]).flags & PVCLOCK_TSC_STABLE_BIT;
		matched += vcpu_tsc_offset(&vm.vcpu[i]) == vcpu_tsc_offset(&vm.vcpu[0]);
	}
	tap_ok(stable == (is_apart ? 0 : VCPUS), "K7 recipe %s: stable bit as before", kind);
	tap_ok(matched == (is_apart ? VCPUS - 1 : VCPUS), "K7 recipe %s: vCPUs matched as before", kind);
	tap_ok(flags == VM_CLOCK_ALL_FLAGS, "K7 recipe %s: master mode", kind);
}

/* The slope against the hardware's rate, on the host that was and on this one. */
static void check_slope(const struct saved *saved)
{
	struct pvclock_vcpu_time_info page = vcpu_fresh_page(&vm.vcpu[0]);
	struct exact_tsc tsc = vcpu_tsc(&vm.vcpu[0]);
	int64_t before = exact_slope_error_milli_ppb(&saved->line, &saved->tsc[0],
						     (uint32_t)saved->word[HOST_KHZ]);
	int64_t after = exact_slope_error_milli_ppb(&page, &tsc, host()->khz);

	tap_ok(magnitude(after) <= 2000, "K7 recipe %s: the slope is within 2 ppb of this host's", kind);
	figure_milli("slope_error_before", before, "ppb");
	figure_milli("slope_error_after", after, "ppb");
	figure_milli("slope_changed", slope_apart_milli_ppb(&page, &saved->line), "ppb");
}

static void restore(char **words)
{
	struct pvclock_vcpu_time_info line;
	struct saved saved;
	uint64_t htsc;

	read_saved(&saved, words);
	htsc = restore_tscs(&saved);
	line = restore_line(&saved);
	check_tscs(&saved, htsc);
	check_clock(&saved, &line);
	check_state(&saved);
	check_slope(&saved);
	vm_close(&vm);
}

enum guest { LIKE_HOST, SCALED, ROUNDED };

static const struct {
	const char *name;
	enum guest guest;
	bool apart;
} kinds[] = {
	{ "matched", LIKE_HOST, false },
	{ "apart", LIKE_HOST, true },
	{ "scaled_matched", SCALED, false },
	{ "scaled_apart", SCALED, true },
	{ "rounded_matched", ROUNDED, false },
};

static uint32_t guest_khz(enum guest guest)
{
	if (guest == LIKE_HOST)
		return host()->khz;
	return guest == SCALED ? scene_scaled_khz() : ROUNDED_KHZ;
}

int main(int argc, char **argv)
{
	int i, count = host()->scaling ? 5 : 2;

	if (argc == 1) {
		printf("# carry");
		for (i = 0; i < count; i++)
			save(guest_khz(kinds[i].guest), kinds[i].apart);
		printf("\n");
		tap_ok(true, "K7 recipe: saved");
		return tap_end();
	}
	tap_diag("from a host of %s kHz (hexadecimal) to one of %u kHz", argv[1 + HOST_KHZ],
		 host()->khz);
	if (argc != 1 + count * WORDS)
		tap_bail("%d words carried, not %d", argc - 1, count * WORDS);
	for (i = 0; i < count; i++) {
		kind = kinds[i].name;
		restore(argv + 1 + i * WORDS);
	}
	return tap_end();
}
