#!/usr/bin/env python3
"""share.py I/N PLAN: the guests that machine I of N builds, one to a line; `ci/release.sh share` calls it.

The heaviest guest goes to whoever has least so far, so that all are done at about the same time. Every machine computes
the same shares."""
import json
import re
import sys


def main():
    if len(sys.argv) != 3 or not re.fullmatch(r"[1-9][0-9]*/[1-9][0-9]*", sys.argv[1]):
        sys.exit("usage: ci/release.sh share I/N PLAN, with I from 1 to N")
    which, count = map(int, sys.argv[1].split("/"))
    if which > count:
        sys.exit(f"ci/release.sh share: there is no share {which} of {count}")
    loads, shares = [0] * count, [[] for _ in range(count)]
    guests = json.load(open(sys.argv[2]))["guests"]
    for guest in sorted(guests, key=lambda guest: (-guest["weight"], guest["name"])):
        least = loads.index(min(loads))
        loads[least] += guest["weight"]
        shares[least].append(guest["name"])
    for name in shares[which - 1]:
        print(name)


main()
