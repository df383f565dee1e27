// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <string.h>
#include "check.h"

void check_error(struct in *in, const struct kvmclock_error *error, int ret)
{
	CHECK(ret < 0 && error->code == ret, "returned %d, error has %d", ret, error->code);
	CHECK(error->advice && error->advice[0], "no advice with %d", ret);
	CHECK(strcmp(kvmclock_strerror(ret), "no code of libkvmclock"), "no sentence for %d", ret);
	if (ret == KVMCLOCK_E_SYSTEM)
		CHECK(error->call && error->sys_errno > 0, "no call with errno %d", error->sys_errno);
	else
		CHECK(!error->call && !error->sys_errno, "call with %d", ret);
}
