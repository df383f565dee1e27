// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <string.h>
#include "in.h"

/* A Weyl sequence, well stirred: any state is as good as any other. */
static u64 stirred(u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

void in_from_seed(struct in *in, const char *law, u64 seed, u64 nr)
{
	u64 state = stirred(seed + 1);
	const char *c;

	for (c = law; *c; c++)
		state = stirred(state ^ (u8)*c);
	in->law = law;
	in->seed = seed;
	in->nr = nr;
	in->state = stirred(state ^ nr);
	in->bytes = NULL;
	in->left = 0;
	in->hash = 0;
	in->rejected = false;
	in->nr_drawn = 0;
}

void in_from_bytes(struct in *in, const char *law, const u8 *bytes, size_t size)
{
	in_from_seed(in, law, 0, 0);
	in->bytes = bytes;
	in->left = size;
}

bool in_is_over(const struct in *in)
{
	return in->bytes && !in->left;
}

/* The next number of up to so many bytes; what is missing of input is 0. */
static u64 next(struct in *in, size_t size)
{
	u64 x = 0;

	if (!in->bytes) {
		in->state += 0x9e3779b97f4a7c15ULL;
		return stirred(in->state);
	}
	for (; size && in->left; size--, in->left--)
		x = x << 8 | *in->bytes++;
	return x;
}

static u64 noted(struct in *in, u64 x)
{
	if (in->nr_drawn < NR_DRAWN)
		in->drawn[in->nr_drawn] = x;
	in->nr_drawn++;
	return x;
}

static u64 power_or_beside(u64 x)
{
	return (1ULL << (x & 63)) + (x >> 6) % 3 - 1;
}

u64 in_u64(struct in *in)
{
	u64 how = next(in, 1), x;

	switch (how & 7) {
	case 0:
	case 1:
		x = power_or_beside(how >> 3 ^ next(in, 1));
		break;
	case 2:
		x = next(in, 1) & 0xff;
		break;
	case 3:
		x = ~(next(in, 1) & 0xff);
		break;
	case 4:
	case 5:
		x = next(in, 8) >> (how >> 3 & 63);
		break;
	default:
		x = next(in, 8);
	}
	return noted(in, x);
}

u64 in_below(struct in *in, u64 n)
{
	return noted(in, next(in, n > 0x10000 ? 8 : n > 0x100 ? 2 : 1) % n);
}

u64 in_range(struct in *in, u64 low, u64 high)
{
	u64 how = next(in, 1), span = high - low, x;

	switch (how & 7) {
	case 0:
		x = 0;
		break;
	case 1:
		x = span;
		break;
	case 2:
	case 3:
		x = next(in, 8) >> (how >> 3 & 63);
		break;
	case 4:
		x = power_or_beside(next(in, 2)) - low;
		break;
	default:
		x = next(in, 8);
	}
	return noted(in, low + (x <= span ? x : x % (span + 1)));
}

bool in_once_in(struct in *in, unsigned int n)
{
	return !in_below(in, n);
}

void in_hash(struct in *in, u64 value)
{
	in->hash = (in->hash << 7 | in->hash >> 57) ^ value;
	in->hash *= 0x9e3779b97f4a7c15ULL;
}
