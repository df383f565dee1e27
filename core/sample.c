// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "sample.h"

void kc_master_note_shown(struct kc_master *m, struct kc_reading now)
{
	struct kc_line line = {
		kc_tsc_read_floor(&m->host, m->generation, m->sample.htsc),
		(u64)m->sample.raw_ns + (u64)m->base_offset_ns,
		kc_rate_of_tsc_nearest(&m->host, m->generation.ratio),
	};
	u64 shown_ns = kc_line_read_floor_ns(&line, kc_tsc_read_floor(&m->host, m->generation,
								      now.htsc));

	if (!m->shown_ns || (s64)(shown_ns - m->shown_ns) > 0)
		m->shown_ns = shown_ns;
}

void kc_master_pass_shown(struct kc_master *m, u64 clock_ns)
{
	if ((s64)(clock_ns - m->shown_ns) >= 0)
		m->shown_ns = 0;
}

void kc_master_sampled(struct kc_master *m, struct kc_reading now)
{
	if (kc_master_reasons(m) & KC_NO_LINE)
		kc_master_note_shown(m, now);
	m->sample = now;
}

bool kc_master_time_passed(struct kc_master *m, struct kc_reading now)
{
	bool was_stable;

	if (!m->shown_ns)
		return false;
	was_stable = kc_master_is_stable(m);
	if (!(kc_master_reasons(m) & KC_NO_LINE))
		kc_master_pass_shown(m, kc_master_read_floor_ns(m, now));
	return was_stable != kc_master_is_stable(m);
}
