# SPDX-License-Identifier: GPL-2.0-only OR MIT
# The verdict over two outputs; see judge.
function tap(good, what) {
	printf "%sok %d - %s %s\n", good ? "" : "not ", ++count, host, what
	failed += !good
}
function show_figures(i,	n, name, there) {
	for (n = 1; n <= figures["ours", row[i]]; n++) {
		name = figure["ours", row[i], n]
		there = value["stock", row[i], name]
		printf "# %s %s %s: stock %s, ours %s %s\n", host, row[i], name,
			there == "" ? "-" : there, value["ours", row[i], name], unit[row[i], name]
	}
}
function judge_ours(i,	p, n, name, ran) {
	p = program[i]
	for (n = 1; n <= names["ours", p]; n++) {
		name = check["ours", p, n]
		if (result["ours", p, name] == "skip")
			continue
		ran++
		tap(result["ours", p, name] == "ok", name)
	}
	if (!ran || code["ours", p] != 0 && code["ours", p] != 1)
		tap(0, row[i] ": " p " ran to its end")
}
function judge_stock(i,	p, n, all, name) {
	p = program[i]
	if (code["stock", p] !~ /^(0|1|77)$/)
		return tap(0, row[i] ": " p " ran to its end on stock")
	if (expect[i, host] == "any")
		return
	if (expect[i, host] == "same")
		return tap(code["stock", p] == 0, row[i] ": stock does this too")
	if (expect[i, host] == "skip")
		return tap(code["stock", p] == 77, row[i] ": stock has no such interface")
	all = split(expect[i, host], name, /; /)
	for (n = 1; n <= all; n++)
		tap(result["stock", p, name[n]] == "not ok", "stock fails " name[n])
}
END {
	tap(lab["stock"] == "0", "the host with the stock KVM had no trouble")
	tap(lab["ours"] == "0", "the host with our KVM had no trouble")
	for (i = 1; i <= rows; i++) {
		if (expect[i, host] == "-")
			continue
		judge_ours(i)
		judge_stock(i)
		if (!shown[row[i]]++)
			show_figures(i)
	}
	printf "1..%d\n", count
	exit failed ? 1 : 0
}
