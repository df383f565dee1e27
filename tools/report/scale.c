// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What a plot's axes are: one stock step of 20 ms and our 0 ns are both to be seen. */
#include "tools/report/report.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define UNEVEN_FROM 100		/* times the smallest that is not 0 */
#define TICKS_MAX 4		/* on each side of 0 */

static double at(struct json_object *point, size_t which)
{
	return json_object_get_double(json_object_array_get_idx(point, which));
}

static void widen(struct span *span, double x, double y)
{
	if (!span->count++)
		*span = (struct span) { x, x, y, y, y, 0, 1 };
	span->x_least = fmin(span->x_least, x);
	span->x_most = fmax(span->x_most, x);
	span->y_least = fmin(span->y_least, y);
	span->y_most = fmax(span->y_most, y);
	span->y_last = y;
	if (y != 0 && (span->smallest == 0 || fabs(y) < span->smallest))
		span->smallest = fabs(y);
}

struct span series_span(struct json_object *series)
{
	struct json_object *points = json_object_object_get(series, "points");
	size_t i, count = json_object_array_length(points);
	struct span span = { 0 };

	for (i = 0; i < count; i++) {
		struct json_object *point = json_object_array_get_idx(points, i);

		widen(&span, at(point, 0), at(point, 1));
	}
	return span;
}

struct span plot_span(const struct plot *plot)
{
	struct span all = { 0 };

	for (int i = 0; i < plot->lines; i++) {
		struct span one = series_span(plot->series[i]);
		double smallest = all.smallest;

		if (!one.count)
			continue;
		widen(&all, one.x_least, one.y_least);
		widen(&all, one.x_most, one.y_most);
		all.smallest = !smallest || (one.smallest && one.smallest < smallest) ? one.smallest : smallest;
	}
	return all;
}

double farthest(const struct span *span)
{
	return fmax(fabs(span->y_least), fabs(span->y_most));
}

bool plot_is_even(const struct plot *plot)
{
	struct span span = plot_span(plot);

	/* Also where nothing but large steps and 0 is: what our clock does beside is then to be seen. */
	return farthest(&span) < UNEVEN_FROM * fmax(1, fmin(span.smallest, 1));
}

/* gnuplot is given no other: it would take some signs for commands. */
static const char *safe_unit(const char *unit)
{
	for (const char *c = unit; *c; c++)
		if (!isalnum((unsigned char)*c) || c - unit > 11)
			return "";
	return unit;
}

static void print_tick(double value, const char *unit, const char *before, FILE *script)
{
	static const struct { double from; const char *unit; } of_ns[] = {
		{ 1e9, "s" }, { 1e6, "ms" }, { 1e3, "µs" }, { 0, "ns" },
	};
	double shown = value;
	size_t i = 0;

	if (!strcmp(unit, "ns") && value != 0) {
		while (fabs(value) < of_ns[i].from)
			i++;
		shown = of_ns[i].from ? value / of_ns[i].from : value;
		unit = of_ns[i].unit;
	}
	fprintf(script, "%s'%s%g%s%s' %.12g", before, shown < 0 ? "−" : "", fabs(shown), *unit ? " " : "", unit, value);
}

/* Powers of ten, from the greatest down, and 0. */
static void print_ticks(const struct span *span, double one, const char *unit, FILE *script)
{
	int top = (int)floor(log10(farthest(span) / one)), step = top / TICKS_MAX + 1, power;

	print_tick(0, unit, "set ytics (", script);
	for (power = top; power >= 0; power -= step) {
		double value = one * pow(10, power);

		if (span->y_most >= value)
			print_tick(value, unit, ", ", script);
		if (span->y_least <= -value)
			print_tick(-value, unit, ", ", script);
	}
	fputs(")\n", script);
}

static void print_y_axis(const struct plot *plot, const struct span *span, FILE *script)
{
	const char *unit = safe_unit(text_in(plot->series[0], "y_unit"));
	double one = 1, room;

	if (plot_is_even(plot)) {
		room = span->y_most > span->y_least ? (span->y_most - span->y_least) * 0.15 : 1;
		fprintf(script, "set yrange [%.12g:%.12g]\nset format y '%%g%s%s'\n", span->y_least - room,
			span->y_most + room, *unit ? " " : "", unit);
		return;
	}
	while (one > span->smallest && one > farthest(span) * 1e-9)
		one /= 10;
	fprintf(script, "set nonlinear y via asinh(y/%.12g) inverse %.12g*sinh(y)\nset yrange [%.12g:%.12g]\n",
		one, one, span->y_least < 0 ? span->y_least * 3 : -one, span->y_most > 0 ? span->y_most * 3 : one);
	print_ticks(span, one, unit, script);
}

void print_axes(const struct plot *plot, FILE *script)
{
	struct span span = plot_span(plot);
	const char *unit = safe_unit(text_in(plot->series[0], "x_unit"));
	double room = span.x_most > span.x_least ? (span.x_most - span.x_least) * 0.02 : 1;

	fprintf(script, "set xrange [%.12g:%.12g]\n", span.x_least - room, span.x_most + room);
	/* There is no half a run. */
	if (!strcmp(unit, "run"))
		fprintf(script, "set xtics %.12g\n", ceil(fmax(span.x_most - span.x_least, 1) / 10));
	if (*unit)
		fprintf(script, "set xlabel '%s' tc rgb '#010101' offset 0,0.4\n", unit);
	print_y_axis(plot, &span, script);
}

static void print_point(struct json_object *point, FILE *script)
{
	fprintf(script, "%.12g %.12g\n", at(point, 0), at(point, 1));
}

static void print_stretch(struct json_object *points, size_t from, size_t to, FILE *script)
{
	size_t least = from, most = from, i;

	for (i = from; i < to; i++) {
		double y = at(json_object_array_get_idx(points, i), 1);

		if (y < at(json_object_array_get_idx(points, least), 1))
			least = i;
		if (y > at(json_object_array_get_idx(points, most), 1))
			most = i;
	}
	print_point(json_object_array_get_idx(points, least < most ? least : most), script);
	if (least != most)
		print_point(json_object_array_get_idx(points, least < most ? most : least), script);
}

void print_points(struct json_object *series, size_t most, FILE *script)
{
	struct json_object *points = json_object_object_get(series, "points");
	size_t count = json_object_array_length(points), stretches = most / 2, i;

	if (count <= most)
		stretches = count;
	for (i = 0; i < stretches; i++)
		print_stretch(points, i * count / stretches, (i + 1) * count / stretches, script);
}
