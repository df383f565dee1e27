#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# Prints C text without comments and blank lines.  Comment signs inside
# strings and characters are left alone.
{
	line = $0
	code = ""
	while (line != "") {
		if (inside) {
			end = index(line, "*/")
			if (!end)
				break
			line = substr(line, end + 2)
			inside = 0
		} else if (match(line, /^"([^"\\]|\\.)*"/) || match(line, /^'([^'\\]|\\.)*'/)) {
			code = code substr(line, 1, RLENGTH)
			line = substr(line, RLENGTH + 1)
		} else if (substr(line, 1, 2) == "//") {
			break
		} else if (substr(line, 1, 2) == "/*") {
			inside = 1
			line = substr(line, 3)
		} else {
			code = code substr(line, 1, 1)
			line = substr(line, 2)
		}
	}
	if (code ~ /[^ \t]/)
		print code
}
