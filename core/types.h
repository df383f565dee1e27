/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The integers that core is written in, from the kernel or from the compiler.
 * This is the only place that knows which of the two worlds it is in.
 */
#ifndef KC_TYPES_H
#define KC_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef int8_t s8;
typedef uint32_t u32;
typedef int32_t s32;
typedef unsigned long long u64;
typedef long long s64;
#endif

#endif
