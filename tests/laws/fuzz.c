// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* libFuzzer: one law a run, named by the environment's LAW; else the first byte's. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "laws.h"

void engine_failed(void)
{
	abort();
}

static const struct law *law_of_environment(void)
{
	const char *name = getenv("LAW");
	unsigned int i;

	if (!name)
		return NULL;
	for (i = 0; i < nr_laws; i++)
		if (!strcmp(laws[i].name, name))
			return &laws[i];
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct law *named;
	static struct in in;
	const struct law *law;

	if (!named)
		named = law_of_environment();
	if (!size)
		return 0;
	law = named ? named : &laws[bytes[0] % nr_laws];
	in_from_bytes(&in, law->name, bytes + !named, size - !named);
	law->check(&in);
	return in.rejected ? -1 : 0;
}
