# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# awk -f bench-table.awk cost-stock.out cost-ours.out counts-stock.out counts-ours.out:
# one table from the lines "bench|WHAT|MEDIAN|LEAST|MOST|UNIT", with the ratio
# ours/stock, and a verdict.  Exit 1 when a figure is missing or a goal missed.
# Goals: no ratio above 1, but for what has a limit of its own, which is told;
# and in a steady state not one page write, request or update.

BEGIN {
	FS = "|"
	set_limit("first KVM_RUN of a vCPU, 2nd to 32nd", 1.02, "a run of the same KVM may differ by so much: the allocator")
	for (n = 1; n <= 1024; n *= 2)
		set_limit("KVM_CREATE_VCPU, vCPU number " n, 1.04, \
			"some 600 instructions: it joins the clock under the lock that holds entry (K28); above that the allocator, which differs from run to run")
	set_limit("TSC offset moved and the KVM_RUN after it", 1.01, "the clock is kept through it; on stock it moves")
	set_limit("KVM_SET_TSC_KHZ, another", 2.3, \
		"the guest's TSC and clock go on from where they are, while entry is held; stock only notes the ratio, and both jump")
	set_limit("KVM_SET_TSC_KHZ, another, and the KVM_RUN after it", 1.45, "the same")
	steady = "all run, six times in a second|all moved between CPUs, six times"
	split(steady, state, "|")
	for (n in state)
		at_most[state[n] ": page writes"] = at_most[state[n] ": requests served"] = \
			at_most[state[n] ": master clock updates"] = 0
	# Stock stays in host mode until something else happens.
	at_most["clocksource back to TSC: page writes"] = 64
	at_most["clocksource back to TSC: requests served"] = 64
	at_most["clocksource back to TSC: master clock updates"] = 1
}

FNR == 1 {
	kvm = FILENAME
	sub(/.*-/, "", kvm)
	sub(/\.out$/, "", kvm)
	files++
}

$1 == "bench" && NF == 6 {
	if (!($2 in seen)) {
		rows[++row_count] = $2
		seen[$2] = 1
		unit[$2] = $6
	}
	value[$2, kvm] = $3
	spread[$2, kvm] = $3 ? ($5 - $4) / $3 : 0
}

function set_limit(row, most, why) { limits[row] = most; because[row] = why }
function allowed(row) { return row in limits ? limits[row] : 1 }
function shown(row, kvm) { return (row, kvm) in value ? value[row, kvm] : "?" }

function ratio(row) {
	if (!((row, "stock") in value) || !((row, "ours") in value) || !value[row, "stock"])
		return "-"
	return sprintf("%.3f", value[row, "ours"] / value[row, "stock"])
}

function fault(row, why) { faults = faults (faults == "" ? "" : "; ") row ": " why }

function judge(row,    ours) {
	if (!((row, "stock") in value) || !((row, "ours") in value))
		return fault(row, "no figure")
	ours = value[row, "ours"]
	if (row in at_most) {
		if (ours > at_most[row])
			fault(row, ours ", the goal is " at_most[row] " at most")
		return
	}
	if (ours > value[row, "stock"] * allowed(row))
		fault(row, "ratio " ratio(row) ", the goal is " allowed(row) " at most")
	else if (ours > value[row, "stock"])
		above = above (above == "" ? "" : "; ") row " " ratio(row)
}

function print_line(what, stock, ours, share, most) {
	printf "%-" width "s  %9s  %9s  %6s  %s\n", what, stock, ours, share, most
}

function widest(    r) {
	for (r = 1; r <= row_count; r++)
		if (length(rows[r]) + length(unit[rows[r]]) + 2 > width)
			width = length(rows[r]) + length(unit[rows[r]]) + 2
}

function print_notes(    r) {
	for (r = 1; r <= row_count; r++)
		if (rows[r] in because)
			print "limit " limits[rows[r]] ", " rows[r] ": " because[rows[r]]
}

function widest_spread(kvm,    r, most) {
	for (r = 1; r <= row_count; r++)
		if (unit[rows[r]] == "instructions" && spread[rows[r], kvm] > most)
			most = spread[rows[r], kvm]
	return sprintf("%.0f%%", 100 * most)
}

END {
	widest()
	print_line("medians; one instruction is one TSC tick", "stock", "ours", "ratio", "limit")
	for (r = 1; r <= row_count; r++) {
		judge(rows[r])
		print_line(rows[r] ", " unit[rows[r]], shown(rows[r], "stock"), shown(rows[r], "ours"), \
			ratio(rows[r]), rows[r] in at_most ? at_most[rows[r]] " times" : allowed(rows[r]))
	}
	print_notes()
	print "widest spread, most minus least against the median: stock " widest_spread("stock") \
		", ours " widest_spread("ours") "; mostly the timer's interrupt in some samples"
	print ""
	if (!row_count || files != 4) {
		print "No verdict: not all hosts printed figures."
		exit 1
	}
	if (faults != "") {
		print "Goals are MISSED: " faults "."
		exit 1
	}
	print "No ratio is above its limit, and nothing is written, asked for or updated in a steady state." \
		(above == "" ? "" : " Above 1 are, within a limit of their own: " above ".")
}
