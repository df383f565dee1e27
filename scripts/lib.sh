# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# What the scripts of this folder share: messages, progress, a pool of at most
# two jobs, each in a process group of its own, so that an interrupt ends all
# that was started and nothing else, and tests in it.  To be sourced.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$ROOT/build
SELF=$(basename "$0")

note() { printf '%s\n' "$*" >&2; }
die() { note "kvmclock: $1"; exit "${2:-1}"; }
progress() { printf '[%3d s] %s\n' "$SECONDS" "$*" >&2; }

# One writer at a time for what is built and shared: locked COMMAND [ARGS]
locked() {
	mkdir -p "$BUILD" 2>/dev/null && : 2>/dev/null >>"$BUILD/.lock" ||
		die "$SELF: $BUILD: cannot be written: check out where you may write" 6
	flock -n -E 75 "$BUILD/.lock" true ||
		note "kvmclock: $SELF: another build is at work in this tree: waiting for it"
	flock -o "$BUILD/.lock" "$@"
}

# The lab programs; in build/tests/lab.
build_programs() { locked make -s -C "$ROOT/tests/lab" O="$BUILD/tests/lab"; }

# The pool: job NAME LOG COMMAND [ARGS] starts when fewer than two run.
declare -A JOB_PID=() JOB_LOG=() JOB_START=() JOB_STATUS=()
JOBS_AT_ONCE=${JOBS_AT_ONCE:-2}

job() {
	local name=$1 log=$2
	shift 2
	while ((${#JOB_PID[@]} >= JOBS_AT_ONCE)); do reap_one; done
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	set +m
	JOB_PID[$name]=$!
	JOB_LOG[$name]=$log
	JOB_START[$name]=$SECONDS
	progress "$name ..."
}

# Waits for one job, while a sign of life is printed each half minute.
reap_one() {
	local name status beat=$((SECONDS + 30))
	((${#JOB_PID[@]})) || return 0
	while :; do
		for name in "${!JOB_PID[@]}"; do
			kill -0 "${JOB_PID[$name]}" 2>/dev/null && continue
			status=0
			wait "${JOB_PID[$name]}" || status=$?
			unset "JOB_PID[$name]"
			JOB_STATUS[$name]=$status
			local outcome=finished
			((status == 0)) || outcome="FAILED (exit $status)"
			progress "$name: $outcome after $((SECONDS - JOB_START[$name])) s"
			return
		done
		if ((SECONDS >= beat)); then
			progress "still at work: ${!JOB_PID[*]}"
			beat=$((SECONDS + 30))
		fi
		sleep 0.2
	done
}

wait_job() { while [[ -n ${JOB_PID[$1]:-} ]]; do reap_one; done; }
wait_all() { while ((${#JOB_PID[@]})); do reap_one; done; }

end_jobs() {
	local pid tries
	for pid in "${JOB_PID[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || :; done
	for pid in "${JOB_PID[@]}"; do
		for ((tries = 0; tries < 50; tries++)); do
			kill -0 -- "-$pid" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL -- "-$pid" 2>/dev/null || :
	done
	JOB_PID=()
}

interrupted() {
	trap '' INT TERM HUP
	end_jobs
	note "kvmclock: $SELF: interrupted: nothing was left running"
	exit 130
}
trap interrupted INT TERM HUP

# Tests: parts are jobs, their TAP is in $OUT, which the script sets.
TOLD=()

# part NAME COMMAND [ARGS]: a job whose output is TAP and is to be counted.
part() {
	local name=$1
	shift
	TOLD+=("$name")
	job "$name" "$OUT/$name.tap" "$@"
}

# as_test TEXT COMMAND [ARGS]: a command that prints no TAP, as one test; what it
# said last follows a failure, and so is in the sum, too.
as_test() {
	local text=$1 said code=0
	shift
	said=$(mktemp "$OUT/said.XXXXXX")
	echo 1..1
	if "$@" 2>&1 | tee "$said" | sed 's/^/# /'; then echo "ok 1 - $text"; else
		code=1
		echo "not ok 1 - $text"
		tail -n 40 "$said" | sed 's/^/# /'
	fi
	rm -f "$said"
	return "$code"
}

sum_up() {
	local name line passed=0 failed=0 skipped=0 numbers again
	echo
	for name in "${TOLD[@]}"; do
		while IFS= read -r line; do
			if [[ $line == "sum "* ]]; then
				read -ra numbers <<<"$line"
				((passed += numbers[1], failed += numbers[2], skipped += numbers[3])) || :
			else
				echo "$line"
			fi
		done < <(awk -v part="$name" -v status="${JOB_STATUS[$name]}" \
			-f "$ROOT/scripts/tap-sum.awk" "$OUT/$name.tap")
	done
	again=$(cat "$OUT"/*.tap | grep -c 'lab: trouble of the host: once more') || :
	((!again)) || echo "hosts begun anew for trouble of their own: $again"
	echo "$passed passed, $failed failed, $skipped skipped"
	((passed > 0 && failed == 0))
}
