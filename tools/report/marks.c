// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Marks of a plot: what was done when.  The n-th of each run is one, when it says the same. */
#include "tools/report/report.h"

#include <math.h>
#include <string.h>

static struct mark *mark_of(struct mark *marks, size_t *count, size_t place, const char *says)
{
	struct mark *mark;

	if (place < *count && !strcmp(marks[place].says, says))
		return &marks[place];
	if (*count == MARKS_MAX)
		return NULL;
	mark = &marks[(*count)++];
	mark->says = says;
	for (int i = 0; i < RUNS_MAX; i++)
		mark->x[i] = NAN;
	return mark;
}

size_t plot_marks(const struct plot *plot, struct mark *marks, size_t *left_out)
{
	size_t count = 0;

	*left_out = 0;
	for (int line = 0; line < plot->lines; line++) {
		struct json_object *list;
		size_t i, all;

		if (!json_object_object_get_ex(plot->series[line], "marks", &list))
			continue;
		all = json_object_array_length(list);
		for (i = 0; i < all; i++) {
			struct json_object *item = json_object_array_get_idx(list, i);
			struct mark *mark = mark_of(marks, &count, i, text_in(item, "says"));

			if (mark)
				mark->x[line] = json_object_get_double(json_object_object_get(item, "x"));
			else
				++*left_out;
		}
	}
	return count;
}

/* Where it was done first: no effect stands before its cause. */
static double first_x(const struct mark *mark)
{
	double first = NAN;

	for (int line = 0; line < RUNS_MAX; line++)
		first = fmin(first, mark->x[line]);	/* which takes the number, of a number and none */
	return first;
}

static void print_mark(double x, size_t first, size_t last, FILE *script)
{
	char numbers[48];

	snprintf(numbers, sizeof(numbers), last > first ? "%zu–%zu" : "%zu", first, last);
	fprintf(script, "set arrow from first %.12g, graph 0 to first %.12g, graph 1 nohead lc rgb '#010104' lw 1 back\n"
		"set label '%s' at first %.12g, graph 1 center offset 0,0.6 tc rgb '#010101'\n", x, x, numbers, x);
}

/* Marks that would lie over each other are one line, "1–4"; what runs did at nearly one time, too. */
void print_marks(const struct plot *plot, FILE *script)
{
	struct mark marks[MARKS_MAX];
	struct span span = plot_span(plot);
	double near = (span.x_most - span.x_least) * 0.06;
	size_t first, last, left_out, count = plot_marks(plot, marks, &left_out);

	for (first = 0; first < count; first = last) {
		double x = first_x(&marks[first]);

		for (last = first + 1; last < count && fabs(first_x(&marks[last]) - x) < near; last++)
			continue;
		print_mark(x, first + 1, last, script);
	}
}
