#!/usr/bin/env python3
"""Prints which options the applets of a busybox take, from their own help: applets.py BUSYBOX.

One line for each applet: its name and its options as getopt(3) writes them. The tests of the guest's
scripts hold each script against these tables (builder/tests/guest_scripts/applets)."""
import re
import subprocess
import sys

busybox = sys.argv[1]


def run(*words):
    done = subprocess.run([busybox, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
    return done.stdout + done.stderr


banner = run().splitlines()[0]
print(f"# {banner}")
for applet in run("--list").split():
    if applet in ("[", "[[", "sh", "ash", "busybox", "nuke", "resume", "run-init"):
        continue
    text = run(applet, "--help")
    if "No help available" in text or "Usage:" not in text:
        continue
    options = {}
    for line in text[text.index("Usage:") :].splitlines():
        # In the usage: [-abc], -x VALUE; below it: a line for each option.
        usage = line.startswith("Usage") or "[-" in line
        pattern = r"(?<![\w-])-([A-Za-z0-9]+)(\[?,?[ =]?[A-Z[][A-Z_:|\]]*)?" if usage else r"^\t-([A-Za-z0-9])(?:[/,] ?-\w)?(\[?[ ]?[A-Z][A-Z:|\]]+\b|\[[A-Z]+\]| N\b)?"
        for match in re.finditer(pattern, line):
            letters, value = match.group(1), match.group(2) or ""
            value = value.strip()
            for letter in letters[:-1]:
                options.setdefault(letter, "")
            takes = ":" if re.match(r"[A-Z]", value) and not value.startswith("[") else ""
            if takes or letters[-1] not in options:
                options[letters[-1]] = takes
    if applet in ("head", "tail"):
        options["n"] = ":"
    print(applet + " " + "".join(f"{letter}{takes}" for letter, takes in sorted(options.items())))
