// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What steps and rates come to. */
#include "diff.h"

#include <inttypes.h>

void judge_step(struct document *doc, const char *id, const char *what, const char *unit,
		int64_t step, uint64_t uncertainty, uint64_t budget)
{
	uint64_t size = magnitude(step);
	char says[256];

	if (size <= budget && uncertainty <= budget - size) {
		snprintf(says, sizeof(says), "%s goes on as it was, to %" PRIu64 " %s", what,
			 size + uncertainty, unit);
		document_finding(doc, id, VERDICT_GOOD, says, NULL);
	} else if (size <= budget || size - budget <= uncertainty) {
		snprintf(says, sizeof(says), "%s: a step of %" PRId64 " %s, known to %" PRIu64 " %s: "
			 "whether it is within the budget cannot be told", what, step, unit, uncertainty, unit);
		document_finding(doc, id, VERDICT_UNMEASURED, says,
				 "compare states of one host, or by --policy frozen, or allow more by --budget-cycles");
	} else {
		snprintf(says, sizeof(says), "%s steps by %" PRId64 " %s from A to B%s", what, step, unit,
			 step < 0 ? ": it goes backwards" : "");
		document_finding(doc, id, step < 0 ? VERDICT_UNSAFE : VERDICT_BEYOND_BUDGET, says,
				 "carry TSC and clock as one line: kvmclock_recipe(7)");
	}
}

void judge_rate(struct document *doc, const char *id, const char *what, int64_t ppb)
{
	char says[160];

	if (magnitude(ppb) <= settings.budget_ppb)
		return;
	snprintf(says, sizeof(says), "%s changes by %" PRId64 " ppb from A to B", what, ppb);
	document_finding(doc, id, VERDICT_BEYOND_BUDGET, says,
			 "move to a host of the guest's frequency, or one with TSC scaling; or allow it by --budget-ppb");
}
