// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <stdarg.h>
#include <stdio.h>
#include "laws.h"

void law_failed(struct in *in, int line, const char *what, const char *fmt, ...)
{
	va_list values;
	unsigned int i;

	printf("# law %s, line %d: %s\n# ", in->law, line, what);
	va_start(values, fmt);
	vprintf(fmt, values);
	va_end(values);
	printf("\n# drawn:");
	for (i = 0; i < in->nr_drawn && i < NR_DRAWN; i++)
		printf(" %#llx", in->drawn[i]);
	printf(in->nr_drawn > NR_DRAWN ? " ...\n" : "\n");
	if (!in->bytes)
		printf("# replay: --seed %llu --law %s --case %llu\n",
		       in->seed, in->law, in->nr);
	fflush(stdout);
	engine_failed();
}
