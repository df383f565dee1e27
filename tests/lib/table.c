// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "check.h"

#define LAW_LISTED(name, weight) { #name, law_##name, weight },

const struct law laws[] = {
	LIB_LAWS(LAW_LISTED)
};

const unsigned int nr_laws = sizeof(laws) / sizeof(*laws);
