/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Draws of core's types, within the domain that core states. */
#ifndef LAWS_GEN_H
#define LAWS_GEN_H

#include "laws.h"
#include "line.h"
#include "tsc.h"

/* 1 kHz to 8 GHz, mostly what CPUs have; F 32 or 48. */
struct kc_host gen_host(struct in *in);

/* For a guest of a tenth to eight times the host's frequency. */
u64 gen_ratio(struct in *in, const struct kc_host *host);

/* mul not 0, shift -31 to 31; mostly normal. */
struct kc_rate gen_rate(struct in *in);

/* The same slope, if bits are 0, not in normal form; or one beside it. */
struct kc_rate gen_rate_near(struct in *in, struct kc_rate rate);

struct kc_line gen_line(struct in *in);

/* Bit for bit. */
bool is_same_line(struct kc_line a, struct kc_line b);

/* A count of ticks that the rate's shift leaves in 64 bits. */
u64 gen_ticks(struct in *in, struct kc_rate rate);

#endif
