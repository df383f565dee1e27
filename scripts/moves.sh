# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# What moves VMs in emulated hosts: small ones many times, and Linux guests that
# watch themselves.  To be sourced after lib.sh, with KVER set when they run.

# stock, or the folder of our modules
kvm_of() { if [[ $1 == stock ]]; then echo stock; else echo "$BUILD/module/$KVER"; fi; }

build_movers() { locked make -s -C "$ROOT/tests/move" && make -s -C "$ROOT/vmm"; }

# live HOST stock|ours RUNS: live updates of small VMs
live() {
	"$ROOT/lab/once-more" "$ROOT/lab/run" --host "$1" --kvm "$(kvm_of "$2")" --kver "$KVER" --timeout "${HOST_SECONDS:-600}" \
		-- "$BUILD/tests/move/live" "$3"
}

# linux HOST stock|ours SCENARIO..., linux_pair HOST stock|ours ARGUMENT...: of tests/vmm
linux() { "$ROOT/tests/vmm/run" "$1" "$(kvm_of "$2")" "${@:3}"; }
linux_pair() { "$ROOT/tests/vmm/run-pair" "$1" "$(kvm_of "$2")" "${@:3}"; }
