# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# TAP for the tests of the kvmclock command: to be sourced, with WORK a folder of the test's own.

CHECKS=0 FAILED=0

begin() { echo "1..$1"; PLANNED=$1; }

# check NAME COMMAND...: what it said is shown when it fails
check() {
	local name=$1
	shift
	CHECKS=$((CHECKS + 1))
	if "$@" >"$WORK/said" 2>&1; then
		echo "ok $CHECKS - $name"
	else
		echo "not ok $CHECKS - $name"
		FAILED=$((FAILED + 1))
		head -c 4000 "$WORK/said" | sed 's/^/# /'
	fi
}

kvm_word() { if [[ $kvm == stock ]]; then echo stock; else echo ours; fi; }

# What the lab said is shown when something failed.
conclude() {
	((FAILED == 0)) || [[ ! -s $WORK/out ]] || head -c 20000 "$WORK/out" | sed 's/^/# /'
	((FAILED == 0 && CHECKS == PLANNED)) || exit 1
}
