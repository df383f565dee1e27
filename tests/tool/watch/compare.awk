# SPDX-License-Identifier: GPL-2.0-only OR MIT
# What a guest saw of its clock against what watch told of it, step by step; TAP.
#   guest: begin TIME
#   guest: then WHAT
#   guest: step vcpu V step_ns N
#   watch: {JSON}
# of one VM.  Sizes may differ by 2 ns: guest and watch read the lines at different
# TSCs, and at each of them both lines are rounded down.  So what is no greater than
# twice that may be seen by one of them only.  -v name= for the tests, -v least= of steps; -v may_not_know= vCPUs.
function value(key,	at, rest) {
	at = index($0, "\"" key "\":")
	if (!at) return ""
	rest = substr($0, at + length(key) + 3)
	sub(/^"/, "", rest)
	sub(/[",}].*/, "", rest)
	return rest
}
function size(x) { return x < 0 ? -x : x }
function ok(good, text) {
	printf "%sok %d - watch %s: %s\n", good ? "" : "not ", ++tests, name, text
	failed += !good
}
function wrong(text) { if (shown++ < 20) print "# " text }

# The causes by which a step of this kind may be explained.
BEGIN {
	fits["msr_toggled"] = " msr "
	fits["tsc_offset_moved"] = fits["one_tsc_offset_moved"] = " tsc_offset "
	fits["vcpu_added"] = " vcpu_added "
	fits["xen_shared_info"] = " xen_set "
	fits["clock_set"] = fits["planted"] = fits["qemu"] = " clock_set "
}
{ sub(/\r$/, "") }
/^guest: begin / { begin = $3 }
/^guest: then / { what = $3 }
/^guest: step / { g = ++guests[$4]; guest[$4, g] = $6 + 0; of[$4, g] = what; vcpus[$4]; sum_guest += size($6) }
/^watch: \{/ {
	# PID alone: of a VM that is on its way in, and has no name yet.
	if (vm == "" && index(value("vm"), "-")) vm = value("vm")
	# A VM that ran before watch did, and of which KVM does not tell: the step is not known.
	if (value("event") == "line" && value("vm") == vm && value("born") == "false" && value("time") >= begin) {
		v = value("vcpu")
		watch[v, ++watches[v]] = "unknown"
		vcpus[v]
	}
	if (value("event") == "step" && value("vm") == vm && value("time") >= begin) {
		v = value("vcpu")
		w = ++watches[v]
		watch[v, w] = value("step_ns") + 0
		cause[v, w] = value("cause")
		vcpus[v]
	}
	if (value("verb") == "watch") { document = 1; lost = /lost_events","unit":"total","meaning":"[^"]*","value":0/ }
}
END {
	figure = name
	gsub(/[ ,]+/, "_", figure)
	for (v in vcpus) {
		for (g = w = 1; g <= guests[v] || w <= watches[v];) {
			both = g <= guests[v] && w <= watches[v]
			apart = size(guest[v, g] - watch[v, w])
			if (w <= watches[v] && watch[v, w] == "unknown") {
				unknown++
				w++
				if (g <= guests[v]) g++
			} else if (both && apart <= 2) {
				matched++
				worst = apart > worst ? apart : worst
				largest = size(guest[v, g]) > largest ? size(guest[v, g]) : largest
				if (size(guest[v, g]) > 4 && of[v, g] in fits && !index(fits[of[v, g]], " " cause[v, w] " ")) {
					wrong("vCPU " v " " guest[v, g] " ns, " of[v, g] ": cause " cause[v, w])
					misread++
				}
				g++; w++
			} else if (g <= guests[v] && size(guest[v, g]) <= 4) {
				g++
			} else if (w <= watches[v] && size(watch[v, w]) <= 4) {
				w++
			} else {
				wrong("vCPU " v ": the guest saw " (g <= guests[v] ? guest[v, g] " ns, " of[v, g] : "no more") \
					"; watch told " (w <= watches[v] ? watch[v, w] " ns, " cause[v, w] : "no more"))
				parted++
				if (g <= guests[v]) g++
				if (w <= watches[v]) w++
			}
		}
	}
	ok(!parted, "each step that the guest saw, of the same size, and no other")
	ok(!misread, "each with its cause")
	ok(matched >= least, "steps there were")
	ok(unknown + 0 <= may_not_know + 0, "the first step is not known of at most " may_not_know + 0 " vCPUs")
	ok(document && lost, "it ends in its document, and nothing was lost")
	print "# figure watch " figure "_steps_not_known " unknown + 0 " steps"
	print "# figure watch " figure "_steps_matched " matched + 0 " steps"
	print "# figure watch " figure "_sizes_apart " worst + 0 " ns"
	print "# figure watch " figure "_largest_step " largest + 0 " ns"
	print "1.." tests
	exit failed > 0
}
