# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the tests of the kvmclock command share: planted trees, the three formats of a verb, TAP.

The environment has KVMCLOCK, the command, and PROMTOOL."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent
SCHEMAS = HERE.parent.parent / "doc" / "schema"
VERDICTS = ["good", "beyond-budget", "unsafe", "unmeasured"]
count = failed = 0


def ok(good, text, why=""):
    """One test."""
    global count, failed
    count += 1
    failed += not good
    print(f"{'' if good else 'not '}ok {count} - {text}")
    if not good:
        for line in str(why).splitlines() or [""]:
            print("#", line[:400])
    return good


def done():
    print(f"1..{count}", flush=True)
    raise SystemExit(failed > 0)


def schema_errors(name, document):
    """What is wrong with a document by doc/schema/NAME.json."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    resolver = jsonschema.RefResolver(SCHEMAS.as_uri() + "/", schema)
    found = jsonschema.Draft7Validator(schema, resolver=resolver).iter_errors(document)
    return "\n".join(f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in found)


def prometheus_errors(text):
    """What promtool says of metrics."""
    told = subprocess.run([os.environ["PROMTOOL"], "check", "metrics"], input=text,
                          capture_output=True, text=True)
    return f"exit {told.returncode}: {told.stdout}{told.stderr}" if told.returncode or told.stderr else ""


def metrics(text):
    """{'name{labels}': 'value'} of what is no comment."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1] for line in lines}


def same_words(sentence, text):
    """Is sentence in text, its numbers apart?"""
    return re.sub("[0-9]+", "N", sentence) in re.sub("[0-9]+", "N", text)


def formats_differ(verb, text, of_json, of_prometheus):
    """What is wrong with three runs of one state, each (exit, output): they are to say the same."""
    try:
        document = json.loads(of_json[1])
    except ValueError as error:
        return f"no JSON: {error}: {of_json[1][:200]}"
    wrong = schema_errors(verb, document) + prometheus_errors(of_prometheus[1])
    codes = {text[0], of_json[0], of_prometheus[0], document["exit"],
             VERDICTS.index(document["verdict"])}
    if len(codes) > 1:
        wrong += f"\nexit codes differ: {text[0]} {of_json[0]} {of_prometheus[0]} {document['exit']}"
    got = metrics(of_prometheus[1])
    told = {f'kvmclock_finding_verdict{{id="{f["id"]}"}}': str(VERDICTS.index(f["verdict"]))
            for f in document["findings"]}
    told[f'kvmclock_verdict{{verb="{verb}"}}'] = str(document["exit"])
    for name, value in told.items():
        if got.get(name) != value:
            wrong += f"\nprometheus: {name} {got.get(name)}, JSON {value}"
    for finding in document["findings"]:
        # Numbers may have gone on between the runs.
        if not same_words(finding["says"], text[1]) or not same_words(finding["cure"] or "", text[1]):
            wrong += f"\nthe text lacks {finding['id']}"
    return wrong


def fake_kvm(folder):
    """Builds what answers for KVM, when preloaded into a command without sanitizers; into the folder."""
    path = pathlib.Path(folder) / "fake-kvm.so"
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", path, HERE / "fake-kvm.c"],
                   check=True)
    return str(path)


def this_kvm(what):
    """May this machine's own KVM be used?  It is only when it is said so: small VMs are made."""
    if os.environ.get("CHECK_THIS_KVM") and os.access("/dev/kvm", os.W_OK):
        return True
    ok(True, f"{what} # SKIP this machine's own /dev/kvm is not touched: CHECK_THIS_KVM=1 uses it")
    return False


class Tree:
    """A planted /proc and /sys."""

    def __init__(self, files):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="kvmclock."))
        for path, text in files.items():
            self.put(path, text)

    def put(self, path, text):
        file = self.root / path
        if text is None:
            if file.is_dir() and not file.is_symlink():
                shutil.rmtree(file)
            else:
                file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            file.write_bytes(text)
        elif isinstance(text, tuple):
            file.unlink(missing_ok=True)
            file.symlink_to(text[0])
        else:
            file.write_text(text)

    def run(self, *arguments):
        told = subprocess.run([os.environ["KVMCLOCK"], *arguments, "--root", str(self.root)],
                              capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        if told.stderr:
            raise AssertionError(f"{arguments}: stderr: {told.stderr.decode(errors='replace')[:1000]}")
        return told.returncode, told.stdout.decode()

    def document(self, *arguments):
        return json.loads(self.run(*arguments, "--json")[1])

    def differ(self, *arguments):
        """formats_differ() of the verb in this tree."""
        return formats_differ(arguments[0], *(self.run(*arguments, *form)
                                              for form in ([], ["--json"], ["--prometheus"])))

    def remove(self):
        shutil.rmtree(self.root)


FLAGS = "fpu tsc msr vmx constant_tsc nonstop_tsc tsc_adjust"
SOURCES = "sys/devices/system/clocksource/clocksource0/"
PARAMETERS = "sys/module/kvm/parameters/"
VMS = "sys/kernel/debug/kvm/"


def cpuinfo(flags=FLAGS, vmx="tsc_offset tsc_scaling", vendor="GenuineIntel"):
    one = (f"processor\t: 0\nvendor_id\t: {vendor}\nmodel name\t: A CPU @ 2.10GHz\n"
           f"flags\t\t: {flags}\n" + (f"vmx flags\t: {vmx}\n" if vmx else "") + "bugs\t\t: none\n\n")
    return one + one.replace("processor\t: 0", "processor\t: 1")


def good_host():
    """All that can be planted: /dev/kvm cannot, so that it is unmeasured."""
    return {
        "proc/cpuinfo": cpuinfo(), "proc/cmdline": "root=/dev/sda1 ro quiet\n",
        "proc/sys/kernel/osrelease": "6.12.1-amd64\n",
        SOURCES + "current_clocksource": "tsc\n", SOURCES + "available_clocksource": "tsc hpet acpi_pm \n",
        PARAMETERS + "tsc_tolerance_ppm": "250\n", PARAMETERS + "kvmclock_periodic_sync": "Y\n",
        PARAMETERS + "offset_master_clock": "N\n", PARAMETERS + "kvmclock_sync_period_ms": "300000\n",
        "sys/module/kvm_intel/refcnt": "0\n", VMS + "pf_taken": "0\n",
    }
