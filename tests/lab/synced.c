// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * usage: synced MAXERROR-US
 * Tells the kernel that the wall clock is synchronised to so many us, as who keeps the time does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>

int main(int argc, char **argv)
{
	struct timex set = { .modes = ADJ_STATUS | ADJ_MAXERROR, .status = STA_PLL };

	if (argc != 2)
		return 64;
	set.maxerror = strtol(argv[1], NULL, 10);
	if (adjtimex(&set) >= 0)
		return 0;
	perror("adjtimex");
	return 1;
}
