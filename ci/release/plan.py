#!/usr/bin/env python3
"""plan.py [OPTION]...: what a release holds, as JSON on standard output; `ci/release.sh plan` calls it.

The plan is the same wherever it is made, so that machines that share nothing else agree on it."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

# Why a flavor is not released unless it is asked for.
WITHHELD = {
    "b43": "its firmware may not be passed on: build the guest with your own (--firmware-add)",
    "ipw2x00": "its user has to agree to a licence: build the guest with --accept-licence ipw2x00",
}
# How long a guest takes beside others where no earlier release says it: `default` has everything, `hwsim` is booted.
WEIGHTS = {"default": 6, "hwsim": 3}


def arguments():
    parser = argparse.ArgumentParser(prog="ci/release.sh plan", description="prints the guests of a release as JSON")
    for name in ["base", "release", "flavor", "role", "hypervisor"]:
        parser.add_argument(f"--{name}", action="append", default=[], metavar=name.upper())
    parser.add_argument("--arch", metavar="NAME", help="the guests' architecture [default: each base's own]")
    parser.add_argument("--version", metavar="VERSION", help="the release's version [default: the builder's]")
    parser.add_argument("--source", metavar="URL@COMMIT", help="where the sources are from, for the provenance")
    parser.add_argument("--weights", metavar="FILE", help="what `seal --times` wrote of an earlier release")
    parser.add_argument("--locks", metavar="DIR", help="writes the locks of all guests there, for `one --locks`; those that are there are kept where they serve")
    parser.add_argument("--mirror", action="append", default=[], metavar="NAME=URL", help="as the tool has it, for --locks")
    parser.add_argument("--cache-dir", metavar="DIR", help="as the tool has it, for --locks")
    parser.add_argument("--tool", required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def lock(options, guests):
    """One lock for each base, release and architecture: it holds what all flavors need."""
    folder = os.path.realpath(options.locks)
    os.makedirs(folder, exist_ok=True)
    further = [word for mirror in options.mirror for word in ["--mirror", mirror]]
    if options.cache_dir:
        further += ["--cache-dir", os.path.realpath(options.cache_dir)]
    with tempfile.TemporaryDirectory() as place:
        os.symlink(folder, os.path.join(place, "locks"))
        done = set()
        for guest in guests:
            which = [word for key in ["base", "release", "arch"] if key in guest for word in ["--" + key, guest[key]]]
            if tuple(which) not in done:
                done.add(tuple(which))
                words = [os.path.realpath(options.tool), "--quiet", "lock", *which, *further]
                subprocess.run(words, check=True, cwd=place, stdout=sys.stderr)


def main():
    options = arguments()
    tool = lambda *words: subprocess.run([options.tool, *words], check=True, capture_output=True, text=True).stdout
    known = json.loads(tool("list", "--json"))["list"]
    version = tool("--version").strip()
    times = json.load(open(options.weights)) if options.weights else {}
    bases = {base["name"]: base for base in known["bases"]}
    flavors = {flavor["name"]: flavor for flavor in known["flavors"]}
    for what, given, there in [("base", options.base, bases), ("flavor", options.flavor, flavors)]:
        for name in given:
            if name not in there:
                sys.exit(f"ci/release.sh plan: there is no {what} {name}; there are {', '.join(there)}")
    guests, omitted = [], []
    for base in options.base or bases:
        releases = [release for release in options.release if release in bases[base]["only_with"]] or [None]
        for release in releases:
            for flavor in options.flavor or flavors:
                name = "-".join([base] + ([release] if release else []) + [flavor])
                if not options.flavor:
                    only = flavors[flavor]["only_with"]
                    if only and base not in only:
                        continue
                    if flavor in WITHHELD:
                        omitted.append({"name": name, "why": WITHHELD[flavor]})
                        continue
                for role in options.role or [None]:
                    for hypervisor in options.hypervisor or [None]:
                        further = [word for word in [role, hypervisor, options.arch] if word]
                        guest = {"name": "-".join([name] + further), "base": base, "flavor": flavor}
                        for key, value in [("release", release), ("role", role), ("hypervisor", hypervisor), ("arch", options.arch)]:
                            if value:
                                guest[key] = value
                        guest["weight"] = times.get(guest["name"], WEIGHTS.get(flavor, 1) * 60)
                        guests.append(guest)
    if not guests:
        sys.exit("ci/release.sh plan: no guest is asked for")
    unknown = set(options.release) - {release for base in bases.values() for release in base["only_with"]}
    if unknown:
        sys.exit(f"ci/release.sh plan: no base has the release {', '.join(sorted(unknown))}")
    plan = {
        "schema": 1,
        "version": options.version or version.split()[1],
        "builder": version,
        "guests": guests,
        "omitted": omitted,
    }
    if options.source:
        plan["source"] = options.source
    if options.locks:
        lock(options, guests)
    json.dump(plan, sys.stdout, indent=1)
    print()


main()
