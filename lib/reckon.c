// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The library's arithmetic beyond core's: what KVM will do with a frequency. */
#include "internal.h"

uint64_t ticks_to_ns_above(uint64_t ticks, uint32_t khz)
{
	return sum(kc_mul_div_floor(ticks, 1000000, khz), 1);
}

uint64_t ns_to_ticks_ceil(uint64_t ns, uint32_t khz)
{
	struct kc_u128 ticks = kc_mul(ns, khz);

	ticks.lo += 999999;
	ticks.hi += ticks.lo < 999999;
	return kc_div_floor(ticks, 1000000);
}

uint64_t magnitude(int64_t x)
{
	return x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
}

uint64_t sum(uint64_t a, uint64_t b)
{
	return a > KVMCLOCK_UNKNOWN - b ? KVMCLOCK_UNKNOWN : a + b;
}

struct kc_host host_of(const struct kvmclock_abilities *abilities)
{
	return (struct kc_host) { abilities->host_khz, (u8)abilities->frac_bits };
}

struct kc_host host_of_state(const struct kvmclock_state *state)
{
	return (struct kc_host) { state->host_khz, (u8)state->frac_bits };
}

struct kc_tsc tsc_of(const struct kvmclock_vcpu *vcpu)
{
	return (struct kc_tsc) { vcpu->tsc_ratio, vcpu->tsc_offset_gtsc };
}

struct kc_line line_of_state(const struct kvmclock_state *state)
{
	return (struct kc_line) { state->line_gtsc, state->line_ns,
				  { state->line_mul, (s8)state->line_shift } };
}

struct kc_line line_of_restore(const struct kvmclock_restore *restore)
{
	return (struct kc_line) { restore->line_gtsc, restore->line_ns,
				  { restore->line_mul, (s8)restore->line_shift } };
}

bool is_scaled(uint32_t frac_bits, uint64_t ratio)
{
	return ratio != 1ull << frac_bits;
}

uint64_t ratio_here(const struct kvmclock_abilities *abilities, uint32_t khz, bool *catch_up)
{
	struct kc_host host = host_of(abilities);
	uint64_t one = 1ull << host.frac_bits;
	uint64_t low = host.khz * (1000000ull - abilities->tolerance_ppm) / 1000000;
	uint64_t high = host.khz * (1000000ull + abilities->tolerance_ppm) / 1000000;
	bool is_near = khz >= low && khz <= high;	/* as KVM rounds them */
	bool scaling = abilities->bits & KVMCLOCK_HAS_SCALING;

	*catch_up = false;
	if (khz > INT32_MAX)		/* KVM_GET_TSC_KHZ tells it as an int */
		return 0;
	*catch_up = !is_near && !scaling && khz > host.khz;
	if (is_near || *catch_up)
		return one;
	return scaling ? kc_tsc_ratio_floor(&host, khz) : 0;
}

struct kc_rate rate_of_khz_nearest(uint32_t khz)
{
	struct kc_host host = { khz, 32 };

	return kc_rate_of_tsc_nearest(&host, 1ull << 32);
}

/* Stock KVM rounds the TSC's frequency down to kHz first. */
struct kc_rate rate_drawn(const struct kvmclock_abilities *abilities, uint64_t ratio)
{
	struct kc_host host = host_of(abilities);
	uint32_t khz = (uint32_t)kc_tsc_scale_floor(&host, ratio, host.khz);

	if (abilities->bits & KVMCLOCK_HAS_EXACT || !khz)
		return kc_rate_of_tsc_nearest(&host, ratio);
	return rate_of_khz_nearest(khz);
}

/* A guest's page may have a slope that is not in normal form. */
static struct kc_rate normal(struct kc_rate rate)
{
	for (; !(rate.mul >> 31); rate.mul <<= 1)
		rate.shift--;
	return rate;
}

int64_t rate_apart_ppb(struct kc_rate a, struct kc_rate b)
{
	uint64_t x, y, apart;

	a = normal(a);
	b = normal(b);
	x = a.mul;
	y = b.mul;
	if (a.shift > b.shift + 1 || b.shift > a.shift + 1)
		return a.shift > b.shift ? INT64_MIN : INT64_MAX;
	x <<= a.shift > b.shift;
	y <<= b.shift > a.shift;
	apart = y > x ? y - x : x - y;
	apart = (apart * KC_NS_PER_S + x - 1) / x;
	return y > x ? (int64_t)apart : -(int64_t)apart;
}

static bool is_vcpu_sound(const struct kvmclock_state *state, const struct kvmclock_vcpu *vcpu)
{
	struct kc_host host = host_of_state(state);
	uint64_t khz;

	if (!vcpu->tsc_khz)
		return false;
	if (!(state->flags & KVMCLOCK_STATE_HOST_TSC))
		return true;
	khz = kc_tsc_scale_floor(&host, vcpu->tsc_ratio, host.khz);
	return khz && khz <= UINT32_MAX;
}

/* With F of 32 or more a product with a kHz loses no high bits. */
bool state_is_sound(const struct kvmclock_state *state)
{
	if (!state->host_khz || state->frac_bits < 32 || state->frac_bits > 62 ||
	    state->vcpu_count > KVMCLOCK_VCPUS_MAX || (state->vcpu_count && !state->vcpus))
		return false;
	if ((state->flags & KVMCLOCK_STATE_LINE) &&
	    (!state->line_mul || state->line_shift < -31 || state->line_shift > 31))
		return false;
	for (uint32_t i = 0; i < state->vcpu_count; i++)
		if (!is_vcpu_sound(state, &state->vcpus[i]))
			return false;
	return true;
}

bool is_host(const struct kvmclock_abilities *abilities)
{
	return abilities->host_khz && abilities->frac_bits >= 32 && abilities->frac_bits <= 62 &&
	       abilities->tolerance_ppm <= 1000000;
}
