# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# awk -f move-table.awk JOB-HOST-KVM.out...: one table from what moves of VMs
# printed as "# figure ROW NAME VALUE UNIT", and QEMU's guest by its watcher.
# Exit 1 when a figure of ours is missing or not within its limit.

BEGIN {
	add("live update, small VM: clock, worst", "live", "native_step_worst", "ns", 0)
	add("the same, scaled TSC", "live", "scaled_step_worst", "ns", 0)
	add("stated residual against what the guest saw", "live", "native_stated_against_seen", "ns", 0)
	add("the same, scaled TSC", "live", "scaled_stated_against_seen", "ns", 0)
	add("live update, small VM: TSC", "live", "native_tsc_step", "cycles", 0)
	add("live updates of Linux: clock, worst", "linux", "5_hand-overs_worst_error_seen", "ns", 0)
	add("live update of Linux as monitors do it today", "naive", "naive_step_of_the_clock_against_the_TSC", "ns", -1)
	add("migration, advance: clock against TSC", "advance", "migrated_advance_step_of_the_clock_against_the_TSC", "ns", 0)
	add("migration, advance: TSC against what was to be", "advance", "migrated_advance_TSCs_against_what_was_to_be", "cycles", 0)
	add("migration, advance: time away, error", "advance", "migrated_advance_away_error_ns", "ns", -1)
	add("migration, advance: its bound, as stated", "advance", "migrated_advance_elapsed_error_ns", "ns", -1)
	add("migration, frozen: clock against TSC", "frozen", "migrated_frozen_step_of_the_clock_against_the_TSC", "ns", 0)
	add("migration, frozen: TSC against what was to be", "frozen", "migrated_frozen_TSCs_against_what_was_to_be", "cycles", 0)
	add("QEMU migrates it: clock against TSC", "qemu", "step", "ns", -1)
	columns = split("amd-stock amd-ours intel-stock intel-ours", column, " ")
}

# limit -1: shown only
function add(label, job, name, unit, limit) {
	labels[++rows] = label ", " unit
	jobs[rows] = job; names[rows] = name; limits[rows] = limit
}

FNR == 1 {
	file = FILENAME
	sub(/.*\//, "", file)
	sub(/\.out$/, "", file)
	job = file
	sub(/-.*/, "", job)
	sub(/^[^-]*-/, "", file)
}

{ sub(/\r$/, "") }
/^# figure / { value[job, $4, file] = $5 }
/^not ok/ { bad[file]++; what[file] = what[file] "\n    " job ": " $0 }
job == "qemu" && /watch: sum/ {
	for (i = 1; i < NF; i++)
		if ($i == "worst_step_ns")
			value[job, "step", file] = $(i + 1)
}
job == "qemu" && /^to: .*[Uu]nstable|^from: .*Marking.*unstable/ { marked = 1 }

function shown(row, c) {
	return (jobs[row], names[row], column[c]) in value ? value[jobs[row], names[row], column[c]] : "-"
}

END {
	printf "%-52s", "what a guest saw of a move"
	for (c = 1; c <= columns; c++) {
		head = column[c]
		sub(/-/, " ", head)
		printf "%14s", head
	}
	print ""
	for (row = 1; row <= rows; row++) {
		printf "%-52s", labels[row]
		for (c = 1; c <= columns; c++) {
			printf "%14s", shown(row, c)
			ours = column[c] ~ /ours/ && limits[row] >= 0
			scaled = labels[row] ~ /scaled/ && column[c] ~ /^amd/
			if (ours && !scaled && (shown(row, c) == "-" || shown(row, c) + 0 > limits[row]))
				fault = fault "; " labels[row] " (" column[c] "): " shown(row, c)
		}
		print ""
	}
	print "-: not possible (no TSC scaling), not tried (QEMU on other hosts; migration on the stock intel host), or not told"
	if (marked)
		print "QEMU's guest marked its TSC as unstable."
	for (c = 1; c <= columns; c++)
		if (bad[column[c]])
			print "\nchecks that failed on " column[c] ":" what[column[c]]
	print ""
	for (c = 1; c <= columns; c++)
		if (column[c] ~ /ours/ && bad[column[c]])
			fault = fault "; checks failed on " column[c]
	if (fault != "") {
		print "Not as it should be" fault "."
		exit 1
	}
	print "On our KVM every clock and TSC went on to the ns and the cycle."
}
