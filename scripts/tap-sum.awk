# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# awk -v part=NAME -v status=EXIT -f tap-sum.awk FILE: sums up one part's TAP.
# Prints "sum PASSED FAILED SKIPPED", before it the failures with what was said
# about them and the skips.  A part that ends badly, tells fewer tests than it
# planned, or tells none has failed, whatever its lines say.
{ sub(/\r$/, "") }
/^1\.\.[0-9]+/ { planned += substr($1, 4); any_plan = 1; telling = 0; next }
/^not ok( |$)/ && !/# *(TODO|SKIP)/ { failed++; telling = 1; print part ": " $0; next }
/^(not )?ok .*# *(SKIP|TODO)/ { skipped++; telling = 0; sub(/^(not )?ok [0-9]* *-? */, ""); print part ": skipped: " $0; next }
/^ok( |$)/ { passed++; telling = 0; next }
/^Bail out!/ { failed++; print part ": " $0; next }
telling && /^#/ { print "    " $0; next }
END {
	total = passed + failed + skipped
	if (any_plan && total < planned)
		wrong("only " total " of " planned " tests told their result")
	else if (!total)
		wrong("no test told its result")
	else if (status && !failed)
		wrong("ended with exit code " status)
	print "sum " passed + 0 " " failed + 0 " " skipped + 0
}
function wrong(why) { failed++; print part ": " why }
