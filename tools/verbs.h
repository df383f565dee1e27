/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The verbs, each in a file of its own. */
#ifndef KVMCLOCK_VERBS_H
#define KVMCLOCK_VERBS_H

struct verb;
extern const struct verb verb_check, verb_list, verb_show, verb_watch, verb_selftest, verb_predict,
	verb_decode, verb_diff, verb_convert, verb_guest, verb_report;

#endif
