# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the tests in emulated hosts share: a boot, and what a document has."""
import os
import pathlib
import subprocess

from tool import HERE

ROOT = HERE.parent.parent
STATIC = os.environ.get("KVMCLOCK_STATIC", str(ROOT / "build/tools/kvmclock-static"))


def boot(host, kvm, files, program, *arguments, lab=(), seconds=400):
    """What PROGRAM, a script, prints in an emulated host: exit code, stdout, stderr."""
    command = [str(ROOT / "lab/once-more"), str(ROOT / "lab/run"), "--host", host, "--kvm", kvm, "--timeout", str(seconds), *lab]
    for name, path in files.items():
        command += ["--file", f"{path}:{name}"]
    told = subprocess.run([*command, "--", str(program), *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    return told.returncode, told.stdout.replace("\r", ""), told.stderr


def parts(text):
    """{NAME: text} of what stands between lines "begin NAME" and "exit CODE"; and {NAME: CODE}."""
    found, codes, name = {}, {}, None
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["begin"] and len(words) == 2:
            name = words[1]
            found[name] = ""
        elif words[:1] == ["exit"] and len(words) == 2 and name:
            codes[name], name = int(words[1]), None
        elif name:
            found[name] += line + "\n"
    return found, codes


def kvm_of(argument):
    return argument if argument == "stock" else str(pathlib.Path(argument).resolve())


def figures(document, *keys):
    """{(name, label, ...): figure} by these labels."""
    return {(f["name"], *(f["labels"].get(key) for key in keys)): f for f in document["figures"]}
