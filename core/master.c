// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "master.h"

#define PAGES_AND_HYPERV (KC_WRITE_ALL_PAGES | KC_REFRESH_HYPERV)

u8 kc_master_reasons(const struct kc_master *m)
{
	u8 reasons = m->facts;

	if (m->nr_same_rate < m->nr_vcpus)
		reasons |= KC_UNEQUAL_RATES;
	else if (m->nr_matched < m->nr_vcpus && !m->allow_unmatched)
		reasons |= KC_UNMATCHED;
	return reasons;
}

bool kc_master_is_stable(const struct kc_master *m)
{
	return !kc_master_reasons(m) && m->nr_matched == m->nr_vcpus;
}

/* Do two clocks that each round down agree as well as they can? */
static bool agree_ns(u64 a_ns, u64 b_ns)
{
	return a_ns - b_ns + 1 <= 2;
}

static u64 line_now_ns(const struct kc_master *m, const struct kc_host *host,
		       u64 htsc)
{
	return kc_line_read_floor_ns(&m->line,
				     kc_tsc_read_floor(host, m->generation, htsc));
}

static u64 base_now_ns(const struct kc_master *m, struct kc_reading now)
{
	return (u64)now.raw_ns + (u64)m->base_offset_ns;
}

u64 kc_master_read_floor_ns(const struct kc_master *m,
			    const struct kc_host *host, struct kc_reading now)
{
	return kc_master_reasons(m) ? base_now_ns(m, now)
				    : line_now_ns(m, host, now.htsc);
}

struct kc_line kc_master_vcpu_line(const struct kc_master *m, struct kc_tsc tsc)
{
	return kc_line_translated(m->line, tsc.offset_gtsc -
					   m->generation.offset_gtsc);
}

struct kc_line kc_master_page_line(const struct kc_master *m,
				   const struct kc_host *host,
				   struct kc_reading now, struct kc_tsc tsc,
				   const struct kc_line *shown)
{
	struct kc_rate exact;
	u64 gtsc, clock_ns;

	if (!kc_master_reasons(m))
		return kc_master_vcpu_line(m, tsc);
	exact = kc_rate_of_tsc_nearest(host, tsc.ratio);
	gtsc = kc_tsc_read_floor(host, tsc, now.htsc);
	clock_ns = base_now_ns(m, now);
	if (kc_rate_is_within_2ppb(shown->rate, exact) &&
	    agree_ns(kc_line_read_floor_ns(shown, gtsc), clock_ns))
		return kc_line_rebased(*shown, gtsc);
	return (struct kc_line) { gtsc, clock_ns, exact };
}

static bool is_in_generation(const struct kc_master *m, struct kc_tsc tsc)
{
	return tsc.ratio == m->generation.ratio;
}

static bool is_matched(const struct kc_master *m, struct kc_tsc tsc)
{
	return kc_tsc_is_same(tsc, m->generation);
}

bool kc_master_tsc_change_is_quiet(const struct kc_master *m,
				   struct kc_tsc from, struct kc_tsc to)
{
	return is_matched(m, from) == is_matched(m, to) &&
	       is_in_generation(m, from) == is_in_generation(m, to) &&
	       (is_matched(m, to) || !to.ratio);
}

struct kc_tsc kc_master_tsc_for_write(const struct kc_master *m,
				      const struct kc_host *host, u64 htsc,
				      u64 ratio, u64 gtsc)
{
	struct kc_tsc window = { ratio, m->window_offset_gtsc };
	struct kc_tsc synchronised = { ratio, m->generation.offset_gtsc };

	if (ratio == m->generation.ratio &&
	    (!gtsc || (m->host_wrote_tsc &&
		       kc_tsc_is_within_1s(host, ratio, gtsc,
					   kc_tsc_read_floor(host, window, htsc)))))
		return synchronised;
	return kc_tsc_through(host, ratio, htsc, gtsc);
}

struct kc_tsc kc_master_tsc_for_new_vcpu(const struct kc_master *m,
					 const struct kc_host *host, u64 htsc,
					 u64 ratio)
{
	if (!m->nr_vcpus && ratio && ratio != m->generation.ratio)
		return kc_tsc_through(host, ratio, htsc, 0);
	return (struct kc_tsc) { ratio, m->generation.offset_gtsc };
}

/* The mode may have changed: both definitions agree at the instant of change. */
static u32 settle(struct kc_master *m, const struct kc_host *host,
		  struct kc_reading now, u8 before, bool was_stable)
{
	u8 after = kc_master_reasons(m);

	if (!before && after)
		m->base_offset_ns = line_now_ns(m, host, now.htsc) -
				    (u64)now.raw_ns;
	if (before && !after &&
	    !agree_ns(line_now_ns(m, host, now.htsc), base_now_ns(m, now))) {
		m->line.t0_gtsc = kc_tsc_read_floor(host, m->generation, now.htsc);
		m->line.n0_ns = base_now_ns(m, now);
		m->line.rate = kc_rate_of_tsc_nearest(host, m->generation.ratio);
	}
	return !before == !after && was_stable == kc_master_is_stable(m) ?
		0 : PAGES_AND_HYPERV;
}

/* The generation becomes tsc, and the line with it; no reading moves. */
static void start_generation(struct kc_master *m, const struct kc_host *host,
			     u64 htsc, struct kc_tsc tsc)
{
	if (tsc.ratio == m->generation.ratio) {
		m->line = kc_master_vcpu_line(m, tsc);
	} else {
		m->line.n0_ns = line_now_ns(m, host, htsc);
		m->line.t0_gtsc = kc_tsc_read_floor(host, tsc, htsc);
		m->line.rate = kc_rate_of_tsc_nearest(host, tsc.ratio);
	}
	m->generation = tsc;
}

void kc_master_vm_created(struct kc_master *m, const struct kc_host *host,
			  struct kc_reading now, bool allow_unmatched)
{
	u64 unscaled = 1ULL << host->frac_bits;

	*m = (struct kc_master) {
		.line.rate = kc_rate_of_tsc_nearest(host, unscaled),
		.base_offset_ns = -now.raw_ns,
		.generation = kc_tsc_through(host, unscaled, now.htsc, 0),
		.allow_unmatched = allow_unmatched,
	};
}

u32 kc_master_vcpu_created(struct kc_master *m, const struct kc_host *host,
			   struct kc_reading now, struct kc_tsc tsc)
{
	bool was_stable = kc_master_is_stable(m);
	u8 before = kc_master_reasons(m);

	if (!m->nr_vcpus && tsc.ratio && !is_matched(m, tsc))
		start_generation(m, host, now.htsc, tsc);
	m->nr_vcpus++;
	m->nr_same_rate += is_in_generation(m, tsc);
	m->nr_matched += is_matched(m, tsc);
	return settle(m, host, now, before, was_stable);
}

void kc_master_host_wrote_tsc(struct kc_master *m, const struct kc_host *host,
			      u64 htsc, u64 ratio, u64 gtsc)
{
	if (!gtsc)
		return;
	m->window_offset_gtsc = kc_tsc_through(host, ratio, htsc, gtsc).offset_gtsc;
	m->host_wrote_tsc = true;
}

u32 kc_master_vcpu_tsc_changed(struct kc_master *m, const struct kc_host *host,
			       struct kc_reading now, struct kc_tsc from,
			       struct kc_tsc to, struct kc_census census)
{
	bool was_stable = kc_master_is_stable(m);
	u8 before = kc_master_reasons(m);
	u32 effects = KC_WRITE_PAGE;

	if (is_matched(m, to) || !to.ratio) {
		m->nr_same_rate += is_in_generation(m, to) - is_in_generation(m, from);
		m->nr_matched += is_matched(m, to) - is_matched(m, from);
	} else {
		start_generation(m, host, now.htsc, to);
		m->nr_same_rate = census.nr_same_rate;
		m->nr_matched = census.nr_matched;
		effects |= PAGES_AND_HYPERV;
	}
	return effects | settle(m, host, now, before, was_stable);
}

u32 kc_master_clock_set(struct kc_master *m, const struct kc_host *host,
			struct kc_reading now, u64 clock_ns)
{
	if (kc_master_reasons(m)) {
		m->base_offset_ns = clock_ns - (u64)now.raw_ns;
	} else {
		m->line.t0_gtsc = kc_tsc_read_floor(host, m->generation, now.htsc);
		m->line.n0_ns = clock_ns;
	}
	return PAGES_AND_HYPERV;
}

u32 kc_master_line_set(struct kc_master *m, const struct kc_host *host,
		       u64 htsc, struct kc_tsc tsc, struct kc_line line)
{
	struct kc_rate exact = kc_rate_of_tsc_nearest(host, tsc.ratio);

	if (!kc_rate_is_within_2ppb(line.rate, exact)) {
		u64 gtsc = kc_tsc_read_floor(host, tsc, htsc);

		line.n0_ns = kc_line_read_floor_ns(&line, gtsc);
		line.t0_gtsc = gtsc;
		line.rate = exact;
	}
	m->line = kc_line_translated(line, m->generation.offset_gtsc -
					   tsc.offset_gtsc);
	return PAGES_AND_HYPERV;
}

static u32 fact_changed(struct kc_master *m, const struct kc_host *host,
			struct kc_reading now, enum kc_reason fact, bool holds)
{
	bool was_stable = kc_master_is_stable(m);
	u8 before = kc_master_reasons(m);

	m->facts = holds ? m->facts | fact : m->facts & ~fact;
	return settle(m, host, now, before, was_stable);
}

u32 kc_master_clocksource_changed(struct kc_master *m,
				  const struct kc_host *host,
				  struct kc_reading now, bool is_tsc)
{
	return fact_changed(m, host, now, KC_NO_TSC_CLOCKSOURCE, !is_tsc);
}

u32 kc_master_boot_vcpu_wrote_msr(struct kc_master *m,
				  const struct kc_host *host,
				  struct kc_reading now, bool old_kind)
{
	return fact_changed(m, host, now, KC_OLD_MSR, old_kind);
}

void kc_master_host_suspends(struct kc_master *m, const struct kc_host *host,
			     struct kc_reading now)
{
	if (!kc_master_reasons(m))
		m->base_offset_ns = line_now_ns(m, host, now.htsc) -
				    (u64)now.raw_ns;
}

u32 kc_master_host_tsc_restarted(struct kc_master *m,
				 const struct kc_host *host, u64 delta_htsc)
{
	u64 delta_gtsc = kc_tsc_scale_floor(host, m->generation.ratio, delta_htsc);

	m->generation.offset_gtsc += delta_gtsc;
	m->window_offset_gtsc += delta_gtsc;
	m->facts |= KC_TSC_BACKWARDS;
	return PAGES_AND_HYPERV;
}
