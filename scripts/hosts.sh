# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# What scripts that compare the stock KVM with ours in emulated hosts share.
# To be sourced after lib.sh, with OUT and HOST_SECONDS set.

build_tool() { locked make -s -C "$ROOT/tools" O="$BUILD/tools" all static; }
build_module() { "$ROOT/kernel/build" "$KVER"; }

# selftest HOST KVM [OPTION...]: what kvmclock selftest prints there, as JSON
selftest() {
	exec "$ROOT/lab/once-more" "$ROOT/lab/run" --host "$1" --kvm "$2" --kver "$KVER" --timeout "$HOST_SECONDS" \
		--file "$BUILD/tools/kvmclock-static:kvmclock" -- "$ROOT/scripts/selftest-in-host" "${@:3}"
}

# boot HOST KVM PROGRAM [LAB-ARGUMENTS]
boot() {
	local host=$1 kvm=$2 program=$3
	exec "$ROOT/lab/once-more" "$ROOT/lab/run" --host "$host" --kvm "$kvm" --kver "$KVER" \
		--timeout "$HOST_SECONDS" "${@:4}" -- "$BUILD/tests/lab/$program"
}

require() {
	local name=$1
	wait_job "$name"
	((JOB_STATUS[$name] == 0)) && return
	end_jobs
	tail -n 15 "${JOB_LOG[$name]}" >&2
	die "$SELF: $name: failed: the end of build/$SELF/$(basename "${JOB_LOG[$name]}") is above"
}

say_what_is_not_touched() {
	[[ -e /dev/kvm ]] || return 0
	note "This machine has a KVM of its own (/dev/kvm). It is not touched: all of this runs in emulated hosts."
}

# prepare_hosts WORK [BUILD]: what hosts need, BUILD being what makes the programs;
# what is called "modules" is not waited for.
prepare_hosts() {
	local work=$1
	job "programs" "$work/programs.log" "${2:-build_programs}"
	job "kernel image" "$work/kernel.log" "$ROOT/lab/fetch-kernel" "$KVER"
	require "programs"
	require "kernel image"
	job "modules" "$work/module.log" build_module
}

# compare_in_hosts RUN TABLE: RUN boots and leaves HOST-KVM.out or .json files in
# the folder it is given; TABLE makes a table of them.
compare_in_hosts() {
	local work
	say_what_is_not_touched
	"$ROOT/scripts/deps" build lab tools
	KVER=$(basename "$("$ROOT/kernel/build" --out ${KVER:+"$KVER"})")
	mkdir -p "$OUT"
	work=$(mktemp -d "$OUT/run.XXXXXX")
	# shellcheck disable=SC2064
	trap "keep '$work'" EXIT
	"$1" "$work"
	progress "all hosts done"
	"$2" "$work"
}

# What the last run said is in OUT, also when it failed.
keep() {
	mv -f "$1"/* "$OUT/" 2>/dev/null || :
	rm -rf "$1"
}
