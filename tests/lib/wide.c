// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "wide.h"

enum { LIMBS = 8 };

/* A natural number below 2^256, least limb first. */
struct nat {
	u32 limb[LIMBS];
};

static struct nat nat_of(u64 x)
{
	return (struct nat) { { (u32)x, (u32)(x >> 32) } };
}

static struct nat times(struct nat a, u64 b)
{
	u32 halves[2] = { (u32)b, (u32)(b >> 32) };
	struct nat product = { { 0 } };

	for (int j = 0; j < 2; j++) {
		u64 carry = 0;

		for (int i = 0; i + j < LIMBS; i++) {
			carry += (u64)a.limb[i] * halves[j] + product.limb[i + j];
			product.limb[i + j] = (u32)carry;
			carry >>= 32;
		}
	}
	return product;
}

static bool bit(const struct nat *a, int at)
{
	return at >= 0 && a->limb[at / 32] >> at % 32 & 1;
}

static int bits_of(const struct nat *a)
{
	int n = 32 * LIMBS;

	while (n && !bit(a, n - 1))
		n--;
	return n;
}

static struct nat up(struct nat a, unsigned int bits)
{
	struct nat r = { { 0 } };

	for (int i = 32 * LIMBS - 1; i >= (int)bits; i--)
		if (bit(&a, i - (int)bits))
			r.limb[i / 32] |= 1u << i % 32;
	return r;
}

static u64 low64_from(const struct nat *a, int at)
{
	u64 r = 0;

	for (int i = 63; i >= 0; i--)
		r = r << 1 | (at + i < 32 * LIMBS && bit(a, at + i));
	return r;
}

static bool subtract(struct nat *a, const struct nat *b)
{
	struct nat r;
	s64 borrow = 0;

	for (int i = 0; i < LIMBS; i++) {
		borrow += (s64)a->limb[i] - b->limb[i];
		r.limb[i] = (u32)borrow;
		borrow >>= 32;
	}
	if (borrow)
		return false;
	*a = r;
	return true;
}

/* The divisor, and so the rest, stays below 2^192. */
static struct nat divided(struct nat a, struct nat d)
{
	struct nat rest = { { 0 } }, quotient = { { 0 } };

	for (int i = bits_of(&a) - 1; i >= 0; i--) {
		for (int j = LIMBS - 1; j > 0; j--)
			rest.limb[j] = rest.limb[j] << 1 | rest.limb[j - 1] >> 31;
		rest.limb[0] = rest.limb[0] << 1 | bit(&a, i);
		if (subtract(&rest, &d))
			quotient.limb[i / 32] |= 1u << i % 32;
	}
	return quotient;
}

u64 wide_muldiv_long(u64 a, u64 b, u64 d)
{
	struct nat q = divided(times(nat_of(a), b), nat_of(d));

	return low64_from(&q, 0);
}

u64 wide_mulshr_long(u64 a, u64 b, unsigned int bits)
{
	struct nat product = times(nat_of(a), b);

	return low64_from(&product, (int)bits);
}

#ifdef __SIZEOF_INT128__
u64 wide_muldiv(u64 a, u64 b, u64 d)
{
	return (u64)((unsigned __int128)a * b / d);
}

u64 wide_mulshr(u64 a, u64 b, unsigned int bits)
{
	return (u64)((unsigned __int128)a * b >> bits);
}
#else
u64 wide_muldiv(u64 a, u64 b, u64 d)
{
	return wide_muldiv_long(a, b, d);
}

u64 wide_mulshr(u64 a, u64 b, unsigned int bits)
{
	return wide_mulshr_long(a, b, bits);
}
#endif

struct slope wide_slope(u32 host_khz, u64 ratio, unsigned int frac_bits, bool nearest)
{
	struct nat hz = times(times(nat_of(host_khz), 1000), ratio);
	struct nat q = divided(up(nat_of(1000000000), frac_bits + 128), hz);
	int bits = bits_of(&q);
	u64 mul = low64_from(&q, bits - 32) & 0xffffffff;

	if (nearest && bit(&q, bits - 33))
		mul++;
	if (mul >> 32) {
		mul >>= 1;
		bits++;
	}
	return (struct slope) { (u32)mul, bits - 128 };
}

u64 wide_line(u64 t0, u64 n0, struct slope slope, u64 t)
{
	u64 ticks = t - t0;

	ticks = slope.shift < 0 ? ticks >> -slope.shift : ticks << slope.shift;
	return n0 + wide_mulshr(ticks, slope.mul, 32);
}
