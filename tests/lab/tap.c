// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tap.h"
#include "probe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int count, failed, skipped;

static void say(const char *text, va_list args)
{
	vprintf(text, args);
}

bool tap_ok(bool good, const char *name, ...)
{
	va_list args;

	printf("%sok %d - ", good ? "" : "not ", ++count);
	va_start(args, name);
	say(name, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	failed += !good;
	return good;
}

void tap_skip(const char *reason, const char *name, ...)
{
	va_list args;

	printf("ok %d - ", ++count);
	va_start(args, name);
	say(name, args);
	va_end(args);
	printf(" # SKIP %s\n", reason);
	fflush(stdout);
	skipped++;
}

void tap_diag(const char *text, ...)
{
	va_list args;

	printf("# ");
	va_start(args, text);
	say(text, args);
	va_end(args);
	printf("\n");
}

void tap_figure(const char *row, const char *name, long long value, const char *unit)
{
	printf("# figure %s %s %lld %s\n", row, name, value, unit);
}

void tap_figure_milli(const char *row, const char *name, long long milli, const char *unit)
{
	printf("# figure %s %s %s%lld.%03lld %s\n", row, name, milli < 0 ? "-" : "",
	       llabs(milli) / 1000, llabs(milli) % 1000, unit);
}

int tap_end(void)
{
	printf("1..%d\n", count);
	fflush(stdout);
	if (failed)
		return 1;
	return skipped == count ? 77 : 0;
}

static void bail(const char *text, va_list args) __attribute__((noreturn));
static void bail(const char *text, va_list args)
{
	int error = errno;

	printf("Bail out! ");
	say(text, args);
	printf(": %s\n", strerror(error));
	fflush(stdout);
	exit(2);
}

void tap_bail(const char *text, ...)
{
	va_list args;

	va_start(args, text);
	bail(text, args);
}

void probe_fail(const char *what, ...)
{
	va_list args;

	va_start(args, what);
	bail(what, args);
}
