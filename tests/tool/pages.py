# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Documents to make pages of, and what is wrong with a page: read anew, by another parser than a browser's."""
import html.parser
import json
import random
import re

VOID = {"meta", "br", "img", "link", "hr", "input"}
HOSTILE = ("<script>window.taken=1;alert(1)</script><img src=x onerror=\"window.taken=1\">'\"><svg onload=window.taken=1>"
           "{{plots}}</style></title><!-- &lt;b&gt; \u202edetrever %s%n \x1b[31m \0")


def figure(name, value, meaning, unit="ns", limit=0, **more):
    labels = {key: more.pop(key) for key in ("what", "guest", "vm") if key in more}
    made = {"name": name, "unit": unit, "meaning": meaning, "value": value, "labels": labels, **more}
    if limit is not None:
        made["limit"] = limit
    return made


def series(name, points, title="Error of a clock", marks=()):
    return {"name": name, "title": title, "x_unit": "ms", "y_unit": "ns", "points": [list(p) for p in points],
            "marks": [{"x": x, "says": says} for x, says in marks]}


def document(verb, kvm, vendor, figures, plots=(), findings=(), verdict="good", **more):
    return {"schema": "kvmclock/1", "version": "0.1", "verb": verb, "time": "2026-11-25T12:00:00Z",
            "verdict": verdict, "exit": ["good", "beyond-budget", "unsafe", "unmeasured"].index(verdict),
            "host": {"kvm": kvm, "vendor": vendor, "cpu": f"{vendor} CPU", "kernel": "6.12", "tsc_khz": 2100000,
                     "tsc_scaling": vendor == "intel", "clocksource": "tsc"},
            "findings": [{"id": "a", "verdict": word, "says": says, "cure": None} for word, says in findings],
            "figures": list(figures), "series": list(plots), **more}


def demo():
    """As selftest prints it: two hosts, stock and ours; one of them scales."""
    made = []
    for vendor, guests in (("amd", ["unscaled"]), ("intel", ["unscaled", "scaled"])):
        for kvm in ("stock", "ours"):
            bad = kvm == "stock"
            figures, plots = [], []
            for guest in guests:
                scaled = guest == "scaled"
                step = "Worst step of a guest's clock while this was done to its VM"
                figures += [
                    figure("step", (1072 if scaled else 180) if bad else 0, step, title="clock MSR toggled",
                           what="msr", guest=guest),
                    figure("step", 20000000 + 240 * scaled if bad else 0, step, what="offset", guest=guest,
                           title="TSC offset of one vCPU moved by 20 ms", uncertainty=1),
                    figure("restore", 37 if bad else 1, "Worst error of a restored clock", limit=50,
                           what="set_clock", guest=guest, title="restored by KVM_SET_CLOCK"),
                    figure("line", None if bad else 0, "Worst error of a restored clock, by line", what="line",
                           guest=guest, **({"unmeasured": "this KVM gives out no line"} if bad else {}))]
                plots.append(series(f"step_offset_{guest}", [(i, 20000000 if bad and i > 9 else 0) for i in range(30)],
                                    f"TSC offset moved; {guest}", [(9.5, "one offset moved"), (20, "moved back")]))
                plots.append(series(f"flat_{guest}", [(i, 0) for i in range(30)], f"Nothing done; {guest}"))
            figures.append(figure("back", 0, "What a guest's clock went back", title="a guest's clock went back"))
            figures.append(figure("read_back", 0, "What nobody labels", limit=None))
            made.append(document("selftest", kvm, vendor, figures, plots, [("beyond-budget" if bad else "good", "So.")],
                                 "beyond-budget" if bad else "good", moves=[
                                     {"what": "live_update", "run": i, "step_ns": -i if bad else 0, "same": not bad}
                                     for i in range(20)]))
    return made


def watch(kvm, vms, events):
    """As watch --json prints it: event lines, then a document."""
    draw = random.Random(f"{kvm} {vms}")
    bad = kvm == "stock"
    lines = [json.dumps({"event": "step", "vm": f"{1000 + i % vms}-12", "process": "<script>window.taken=1</script>",
                         "step_ns": draw.choice([0, 1, -2, 1500, 20000000]) if bad else 0}) for i in range(events)]
    figures = [figure(name, draw.randrange(10**6) if bad else 0, meaning, unit, limit, vm=f"{1000 + vm}-12")
               for vm in range(vms) for name, unit, meaning, limit in (
                   ("worst_step", "ns", "Worst step of a VM's clock", 0), ("steps", "total", "Steps of its clock", None),
                   ("redrawn", "total", "Times its line was drawn anew", None))]
    plots = [series("clock_error", [(i, round(draw.gauss(0, 10 ** draw.randrange(6)), 3) if bad else 0)
                                    for i in range(100)], f"Error of the clock of {1000 + vm}-12") for vm in range(vms)]
    doc = document("watch", kvm, "amd", figures, plots, verdict="beyond-budget" if bad else "good")
    return ("\n".join(lines) + "\n" + json.dumps(doc)).encode()


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags = set()		# (tag, attribute...)
        self.all, self.open, self.text = [], [], ""
        self.headings, self.values = [], []
        self.cells, self.rows = {}, []	# (run, row's heading): text
        self.verb = self.row = self.group = ""
        self.cell = self.value = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.tags.add((tag, *sorted(named)))
        self.all.append((tag, named))
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "tr":
            self.row = ""
        if tag == "td":
            self.cell = named.get("data-run")
        if tag == "data":
            self.value = named.get("value")

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass
        if tag in ("td", "tr"):
            self.cell = None

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if "data" in self.open and self.value is not None:
            self.values.append((self.value, data))
        if self.open and self.open[-1] == "th":
            self.row += data
        if self.cell:
            key = (self.cell, self.row)
            self.cells[key] = self.cells.get(key, "") + data
            if self.open[-1] == "data" and "unit" not in self.cells[key]:
                self.rows.append((self.cell, self.row, self.value, data))


def heading(item):
    words = [item.get("title", item["labels"].get("what", "").replace("_", " "))] + [f"{key} {value}" for key, value in item["labels"].items() if key != "what"]
    return ", ".join(word for word in words if word) or item["meaning"]


def table_errors(page, documents):
    """Figures of the documents that the page has not, and others that it has."""
    wrong, due = [], set()
    first = {}
    for run, row, value, shown in page.rows:
        first.setdefault((run, row), []).append((value, shown))
    for doc in documents:
        run = f"{doc['host']['vendor']} {doc['host']['kvm']}"
        for item in doc["figures"]:
            due.add((run, heading(item)))
            got = first.get((run, heading(item)))
            text = page.cells.get((run, heading(item)), "")
            if item["value"] is None:
                if got or "not measured" not in text or item["unmeasured"] not in page.text:
                    wrong.append(f"{run}, {heading(item)}: is to be unmeasured: {text}")
                continue
            expected = [item["value"]] + ([item["uncertainty"]] if item.get("uncertainty") else [])
            if [int(value) for value, _ in got or []] != expected or item["unit"] not in text:
                wrong.append(f"{run}, {heading(item)}: {got}, in the document {expected}")
            over = "limit" in item and abs(item["value"]) > item["limit"]
            if over != ("over" in text):
                wrong.append(f"{run}, {heading(item)}: over its limit: {over}")
            limit = first.get(("At most", heading(item)))
            if "limit" in item and [int(value) for value, _ in limit or []] != [item["limit"]]:
                wrong.append(f"{heading(item)}: at most {limit}, in the document {item['limit']}")
    for value, shown in page.values:
        if value.lstrip("-").isdigit() and shown.replace("\u202f", "").replace("\u2212", "-") != value:
            wrong.append(f"{value} is shown as {shown}")
    runs = {run for run, _ in due}
    wrong += [f"{cell}: of no document" for cell in page.cells if cell[0] in runs and cell[1] and cell not in due
              and cell[1] in {row for _, row in due} and page.cells[cell] != "no such figure"]
    return "\n".join(wrong)


def structure_errors(text):
    page, wrong = Page(text), []
    for before, after in zip([0] + page.headings, page.headings):
        if after > before + 1:
            wrong.append(f"a heading h{after} after h{before}")
    if page.headings.count(1) != 1:
        wrong.append("not one h1")
    ids = [named["id"] for _, named in page.all if "id" in named]
    wrong += [f"id {name} twice" for name in set(ids) if ids.count(name) > 1]
    for tag, named in page.all:
        if tag in ("script", "iframe", "object", "embed", "link", "img", "form", "base"):
            wrong.append(f"an element {tag}")
        for key, value in named.items():
            if key.startswith("on") or key in ("style", "src", "srcset", "action", "background", "poster"):
                wrong.append(f"{tag} {key}={value}")
            if key in ("href", "xlink:href") and (not value.startswith("#") or value[1:] not in ids):
                wrong.append(f"{tag} {key}={value}")
        if tag == "th" and named.get("scope") not in ("col", "row", "rowgroup"):
            wrong.append("a th without scope")
        if tag == "svg" and not (named.get("aria-hidden") or (
                named.get("role") == "img" and re.match("Plot: .*(throughout|last)", named.get("aria-label", ""), re.S))):
            wrong.append("a plot without words")
        if tag == "meta" and named.get("http-equiv") == "Content-Security-Policy" and not re.fullmatch(
                "default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; form-action 'none'",
                named["content"]):
            wrong.append("the policy allows more: " + named["content"])
    kinds = [tag for tag, _ in page.all]
    if kinds.count("table") != kinds.count("caption"):
        wrong.append("a table without caption")
    if ("html", "lang") not in page.tags or "title" not in kinds or "Content-Security-Policy" not in text:
        wrong.append("no language, title or policy")
    if re.search(r"@import|url\(|expression\(", text.split("</style>")[0]):
        wrong.append("the style fetches something")
    return "\n".join(wrong)
