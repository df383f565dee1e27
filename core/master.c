// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "sample.h"

u8 kc_master_reasons(const struct kc_master *m)
{
	u8 reasons = m->facts;

	if (m->nr_same_rate < m->nr_vcpus)
		reasons |= KC_UNEQUAL_RATES;
	else if (m->nr_matched < m->nr_vcpus && !m->allow_unmatched)
		reasons |= KC_UNMATCHED;
	return reasons;
}

/* What an event may change, as it was before and as it is. */
struct mode {
	bool has_line, is_stable;
};

static struct mode mode(const struct kc_master *m)
{
	u8 reasons = kc_master_reasons(m);

	return (struct mode) { !(reasons & KC_NO_LINE),
			       !reasons && m->nr_matched == m->nr_vcpus && !m->shown_ns };
}

static bool has_line(const struct kc_master *m)
{
	return !(kc_master_reasons(m) & KC_NO_LINE);
}

bool kc_master_is_stable(const struct kc_master *m)
{
	return mode(m).is_stable;
}

static u64 line_now_ns(const struct kc_master *m, u64 htsc)
{
	return kc_line_read_floor_ns(&m->line, kc_tsc_read_floor(&m->host, m->generation, htsc));
}

static u64 base_now_ns(const struct kc_master *m, struct kc_reading now)
{
	return (u64)now.raw_ns + (u64)m->base_offset_ns;
}

u64 kc_master_read_floor_ns(const struct kc_master *m, struct kc_reading now)
{
	return has_line(m) ? line_now_ns(m, now.htsc) : base_now_ns(m, now);
}

struct kc_line kc_master_vcpu_line(const struct kc_master *m, struct kc_tsc tsc)
{
	return kc_line_translated(m->line, tsc.offset_gtsc - m->generation.offset_gtsc);
}

struct kc_line kc_master_page_line(const struct kc_master *m, u32 host_khz,
				   struct kc_reading now, struct kc_tsc tsc)
{
	u64 gtsc = kc_tsc_read_floor(&m->host, tsc, now.htsc);
	struct kc_host here = { host_khz, m->host.frac_bits };

	if (!kc_master_reasons(m))
		return kc_master_vcpu_line(m, tsc);
	if (has_line(m))
		return kc_line_rebased(kc_master_vcpu_line(m, tsc), gtsc);
	return (struct kc_line) { gtsc, base_now_ns(m, now),
				  kc_rate_of_tsc_nearest(&here, tsc.ratio) };
}

static bool is_in_generation(const struct kc_master *m, struct kc_tsc tsc)
{
	return tsc.ratio == m->generation.ratio;
}

static bool is_matched(const struct kc_master *m, struct kc_tsc tsc)
{
	return kc_tsc_is_same(tsc, m->generation);
}

struct kc_tsc kc_master_tsc_for_write(const struct kc_master *m, u64 htsc, u64 ratio, u64 gtsc)
{
	struct kc_tsc window = { ratio, m->window_offset_gtsc };
	u64 expected_gtsc = kc_tsc_read_floor(&m->host, window, htsc);

	if (ratio == m->generation.ratio &&
	    (!gtsc || (m->host_wrote_tsc &&
		       kc_tsc_is_within_1s(&m->host, ratio, gtsc, expected_gtsc))))
		return m->generation;
	return kc_tsc_through(&m->host, ratio, htsc, gtsc);
}

struct kc_tsc kc_master_tsc_for_new_vcpu(const struct kc_master *m, u64 htsc, u64 ratio)
{
	if (!m->nr_vcpus && ratio && ratio != m->generation.ratio)
		return kc_tsc_through(&m->host, ratio, htsc, 0);
	return (struct kc_tsc) { ratio, m->generation.offset_gtsc };
}

static void draw(struct kc_master *m, u64 htsc, u64 clock_ns)
{
	m->line.t0_gtsc = kc_tsc_read_floor(&m->host, m->generation, htsc);
	m->line.n0_ns = clock_ns;
}

/* Line and base take over from each other where both read the same. */
static bool settle(struct kc_master *m, struct kc_reading now, struct mode was)
{
	bool is_line = has_line(m);

	if (was.has_line && !is_line) {
		m->base_offset_ns = line_now_ns(m, now.htsc) - (u64)now.raw_ns;
		m->sample = now;
	}
	if (!was.has_line && is_line) {
		kc_master_note_shown(m, now);
		draw(m, now.htsc, base_now_ns(m, now));
		kc_master_pass_shown(m, m->line.n0_ns);
	}
	return was.has_line != is_line || was.is_stable != kc_master_is_stable(m);
}

/* The generation becomes tsc, and the line with it; no reading moves. */
static void start_generation(struct kc_master *m, u64 htsc, struct kc_tsc tsc)
{
	u64 clock_ns = line_now_ns(m, htsc);
	bool same_rate = is_in_generation(m, tsc);

	m->line = kc_master_vcpu_line(m, tsc);
	m->generation = tsc;
	m->window_offset_gtsc = tsc.offset_gtsc;
	if (same_rate)
		return;
	draw(m, htsc, clock_ns);
	m->line.rate = kc_rate_of_tsc_nearest(&m->host, tsc.ratio);
}

void kc_master_vm_created(struct kc_master *m, struct kc_host host,
			  struct kc_reading now, bool allow_unmatched)
{
	u64 unscaled = 1ULL << host.frac_bits;

	*m = (struct kc_master) {
		.host = host,
		.line.rate = kc_rate_of_tsc_nearest(&host, unscaled),
		.base_offset_ns = -now.raw_ns,
		.sample = now,
		.generation = kc_tsc_through(&host, unscaled, now.htsc, 0),
		.allow_unmatched = allow_unmatched,
	};
}

bool kc_master_vcpu_created(struct kc_master *m, struct kc_reading now, struct kc_tsc tsc)
{
	struct mode was = mode(m);

	if (!m->nr_vcpus && tsc.ratio && !is_matched(m, tsc))
		start_generation(m, now.htsc, tsc);
	m->nr_vcpus++;
	m->nr_same_rate += is_in_generation(m, tsc);
	m->nr_matched += is_matched(m, tsc);
	return settle(m, now, was);
}

void kc_master_host_wrote_tsc(struct kc_master *m, u64 htsc, u64 ratio, u64 gtsc)
{
	if (!gtsc || ratio != m->generation.ratio)
		return;
	m->window_offset_gtsc = kc_tsc_through(&m->host, ratio, htsc, gtsc).offset_gtsc;
	m->host_wrote_tsc = true;
}

bool kc_master_vcpu_tsc_changed(struct kc_master *m, struct kc_reading now,
				struct kc_tsc from, struct kc_tsc to,
				struct kc_census census, bool by_host)
{
	struct mode was = mode(m);
	bool starts = to.ratio && !is_matched(m, to) &&
		      (by_host || census.nr_matched == m->nr_vcpus);

	if (starts) {
		start_generation(m, now.htsc, to);
		m->nr_same_rate = census.nr_same_rate;
		m->nr_matched = census.nr_matched;
	} else {
		m->nr_same_rate += is_in_generation(m, to) - is_in_generation(m, from);
		m->nr_matched += is_matched(m, to) - is_matched(m, from);
	}
	return settle(m, now, was) || starts;
}

bool kc_master_clock_set(struct kc_master *m, struct kc_reading now, u64 clock_ns)
{
	draw(m, now.htsc, clock_ns);
	m->base_offset_ns = clock_ns - (u64)now.raw_ns;
	m->sample = now;
	m->shown_ns = 0;
	return true;
}

static bool fact_changed(struct kc_master *m, struct kc_reading now,
			 enum kc_reason fact, bool holds)
{
	struct mode was;

	if (!(m->facts & fact) == !holds)
		return false;
	was = mode(m);
	m->facts = holds ? m->facts | fact : m->facts & ~fact;
	return settle(m, now, was);
}

bool kc_master_clocksource_changed(struct kc_master *m, struct kc_reading now, bool is_tsc)
{
	return fact_changed(m, now, KC_NO_TSC_CLOCKSOURCE, !is_tsc);
}

bool kc_master_boot_vcpu_wrote_msr(struct kc_master *m, struct kc_reading now, bool old_kind)
{
	return fact_changed(m, now, KC_OLD_MSR, old_kind);
}

void kc_master_host_sleeps(struct kc_master *m, struct kc_reading now, bool begins)
{
	m->host_sleeps = begins;
	m->base_offset_ns = kc_master_read_floor_ns(m, now) - (u64)now.raw_ns;
}

void kc_master_host_tsc_restarted(struct kc_master *m, struct kc_reading now, u64 delta_htsc)
{
	u64 delta_gtsc = kc_tsc_scale_floor(&m->host, m->generation.ratio, delta_htsc);

	m->generation.offset_gtsc += delta_gtsc;
	m->window_offset_gtsc += delta_gtsc;
	if (!m->host_sleeps)
		kc_master_host_sleeps(m, now, false);
	m->facts |= KC_TSC_BACKWARDS;
	m->sample = now;
}
