# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Reads rows.tsv, then outputs of run-rows; the caller sets "out" before each to
# the name its results go by.  Fills
#   row[i], program[i], expect[i, host], headline[i], behaviour[i], i = 1..rows
#   names[out, program], check[out, program, n] = name,
#   result[out, program, name] = ok, "not ok" or skip
#   code[out, program], lab[out], figures[out, row], figure[out, row, n] = name,
#   value[out, row, name], unit[row, name]
BEGIN { FS = "\t" }
FILENAME ~ /rows\.tsv$/ {
	if (FNR == 1)
		next
	row[++rows] = $1
	program[rows] = $2
	expect[rows, "amd"] = $3
	expect[rows, "intel"] = $4
	expect[rows, "source"] = $8 == "" ? "-" : $8
	headline[rows] = $5
	behaviour[rows] = $6
	next
}
# "0", or what went wrong first
/^== lab exit / {
	if (lab[out] == "" || lab[out] == "0")
		lab[out] = substr($0, 13)
	next
}
/^== exit / { code[out, current] = substr($0, 9); next }
/^== / { current = substr($0, 4); next }
/^(not )?ok [0-9]+ - / {
	name = $0
	sub(/^(not )?ok [0-9]+ - /, "", name)
	verdict = /^not/ ? "not ok" : "ok"
	if (sub(/ # SKIP.*/, "", name))
		verdict = "skip"
	check[out, current, ++names[out, current]] = name
	result[out, current, name] = verdict
	next
}
/^# figure / {
	split($0, word, " ")
	figure[out, word[3], ++figures[out, word[3]]] = word[4]
	value[out, word[3], word[4]] = word[5]
	unit[word[3], word[4]] = word[6]
}
