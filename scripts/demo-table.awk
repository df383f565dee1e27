# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# awk -f demo-table.awk amd-stock.out amd-ours.out intel-stock.out intel-ours.out:
# one table from the lines "demo|PROVOCATION|VALUE|UNIT", and one sentence of
# verdict from the figures.  A VALUE of "-" has its reason in UNIT.
# Exit 1 when a figure of ours is missing or not within its limit.

BEGIN { FS = "|" }

FNR == 1 {
	column = FILENAME
	sub(/.*\//, "", column)
	sub(/\.out$/, "", column)
	columns[++column_count] = column
}

$1 == "demo" && NF == 4 {
	sub(/\r$/, "", $4)
	if (!($2 in seen)) {
		rows[++row_count] = $2
		seen[$2] = 1
	}
	value[$2, column] = $3
	if (is_number($3))
		unit[$2] = $4
	else
		reason[$2, column] = $4
}

function is_number(text) { return text ~ /^-?[0-9]+(\.[0-9]+)?$/ }
function abs(number) { return number < 0 ? -number : number }
function host_of(column) { sub(/-.*/, "", column); return column }
function title(column) { sub(/-/, " ", column); return column }
function label(row) { return row (unit[row] == "" ? "" : ", " unit[row]) }
function pad(text, width) { return sprintf("%" width "s", text) }
function wider(text, width) { return length(text) > width ? length(text) : width }
function shown(row, column) { return value[row, column] == "" ? "?" : value[row, column] }

# The smallest figure that is too much where the limit is not 0.
function limit(row) {
	if (row ~ /by KVM_SET_CLOCK/)
		return 50
	if (row ~ /late.*ahead/)
		return 100000
	return 0
}

function within(row, figure) {
	if (row ~ /late/ && figure < 0)
		return 0
	return limit(row) ? abs(figure) < limit(row) : figure == 0
}

function fault(row, column, why) {
	faults = faults (faults == "" ? "" : "; ") title(column) ", " row ": " why
}

# Where the hardware has no TSC scaling, neither clock has a frequency to set.
function excused(row, column) {
	return row ~ /late/ && reason[row, column] != "" &&
		reason[row, column] == reason[row, host_of(column) "-stock"]
}

function judge(row, column,    figure) {
	figure = value[row, column]
	if (is_number(figure)) {
		judged++
		if (!within(row, figure))
			fault(row, column, figure ", allowed is " \
				(limit(row) ? "less than " limit(row) : 0))
		if (limit(row))
			worst[row] = wider_figure(figure, worst[row])
	} else if (!excused(row, column)) {
		fault(row, column, figure == "" ? "no figure" : reason[row, column])
	}
}

function wider_figure(figure, most) { return abs(figure) > most ? abs(figure) : most + 0 }

function print_row(head, row,    c) {
	printf "%-" width "s", head
	for (c = 1; c <= column_count; c++)
		printf "  %s", pad(row == "" ? title(columns[c]) : shown(row, columns[c]), widths[c])
	print ""
}

# "-: no TSC scaling here (amd stock, amd ours)", a line for each reason
function print_reasons(    c, r, why, who, order, count, i) {
	for (c = 1; c <= column_count; c++)
		for (r = 1; r <= row_count; r++) {
			why = reason[rows[r], columns[c]]
			if (why == "" || index(who[why], title(columns[c])))
				continue
			if (who[why] == "")
				order[++count] = why
			who[why] = who[why] (who[why] == "" ? "" : ", ") title(columns[c])
		}
	for (i = 1; i <= count; i++)
		print "-: " order[i] " (" who[order[i]] ")"
}

function look_at(row, column) {
	widths_of[column] = wider(shown(row, column), widths_of[column])
	if (column ~ /-ours$/)
		judge(row, column)
	else if (unit[row] == "ns" && is_number(value[row, column]))
		stock_ns = wider_figure(value[row, column], stock_ns)
}

# " (what: 12 ns, under 50; ...)" for the limits that are not 0
function allowances(    r, text) {
	for (r = 1; r <= row_count; r++)
		if (rows[r] in worst)
			text = text (text == "" ? "" : "; ") rows[r] ": " worst[rows[r]] " " \
				unit[rows[r]] ", under " limit(rows[r])
	return text == "" ? "" : " (" text ")"
}

END {
	heading = "worst step or error a guest saw"
	width = length(heading)
	for (r = 1; r <= row_count; r++) {
		width = wider(label(rows[r]), width)
		for (c = 1; c <= column_count; c++)
			look_at(rows[r], columns[c])
	}
	for (c = 1; c <= column_count; c++)
		widths[c] = wider(title(columns[c]), widths_of[columns[c]] + 0)
	print_row(heading)
	for (r = 1; r <= row_count; r++)
		print_row(label(rows[r]), rows[r])
	print_reasons()
	print ""
	if (!row_count || column_count != 4) {
		print "No verdict: not all hosts printed figures."
		exit 1
	}
	if (faults != "") {
		print "Our clock is NOT within its limits: " faults "."
		exit 1
	}
	print "On both hosts every step and error of our clock was 0, but for what has a" \
		" limit of its own" allowances() "; the stock clock was off by up to " \
		stock_ns " ns."
}
