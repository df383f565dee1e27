# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# awk -f demo-table.awk: one table from lines COLUMN|ROW|UNIT|VALUE|LIMIT|REASON, with
# columns amd-stock, amd-ours, intel-stock, intel-ours, and one sentence of verdict.
# A VALUE of "-" has its reason; of several lines with the same column and row the worst
# counts.  Exit 1 when a figure of ours is missing or not within its limit.

BEGIN { FS = "|" }

NF == 6 {
	if (!($1 in has_column)) {
		columns[++column_count] = $1
		has_column[$1] = 1
	}
	if (!($2 in seen)) {
		rows[++row_count] = $2
		seen[$2] = 1
	}
	unit[$2] = $3
	if (!is_number($4)) {
		if (value[$2, $1] == "")
			value[$2, $1] = "-"
		reason[$2, $1] = $6
	} else if (!is_number(value[$2, $1]) || abs($4) > abs(value[$2, $1])) {
		value[$2, $1] = $4
	}
	limit_of[$2] = $5
}

function is_number(text) { return text ~ /^-?[0-9]+(\.[0-9]+)?$/ }
function abs(number) { return number < 0 ? -number : number }
function host_of(column) { sub(/-.*/, "", column); return column }
function title(column) { sub(/-/, " ", column); return column }
function label(row) { return row (unit[row] == "" ? "" : ", " unit[row]) }
function pad(text, width) { return sprintf("%" width "s", text) }
function wider(text, width) { return length(text) > width ? length(text) : width }
function shown(row, column) { return value[row, column] == "" ? "?" : value[row, column] }

# 0 but for what the best clock cannot make 0
function limit(row) { return limit_of[row] + 0 }
function within(row, figure) { return abs(figure) <= limit(row) }

function fault(row, column, why) {
	faults = faults (faults == "" ? "" : "; ") title(column) ", " row ": " why
}

# What neither KVM can do on a host, such as scaling of the TSC.
function excused(row, column) {
	return reason[row, column] != "" &&
		reason[row, column] == reason[row, host_of(column) "-stock"]
}

function judge(row, column,    figure) {
	figure = value[row, column]
	if (is_number(figure)) {
		judged++
		if (!within(row, figure))
			fault(row, column, figure ", allowed is " limit(row))
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
				unit[rows[r]] ", at most " limit(rows[r])
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
