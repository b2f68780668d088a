#!/usr/bin/env python3
"""Which maintainer scripts guests meet, and how many of them are understood: scripts-report.py TOOL CACHE FOLDER.

On Debian 12, 13, 13 with the kernel of backports, and forky: hwsim in every role without features, with the usual ones and
with all, and every other flavor with all, as the packages of a flavor are the same in every role. Counts the scripts in the
manifests: understood, without effect, by a rule of the recipes. A script that is not known ends a build, and is an error
here. forky is no release of the recipes: a copy gets it, and its indexes on a mirror may be older than they say they are
good for. FOLDER is made, and holds the last output."""

import json
import pathlib
import shutil
import subprocess
import sys

RELEASES = {
    "Debian 12": ["--release", "bookworm"],
    "Debian 13": ["--release", "trixie"],
    "Debian 13, kernel of backports": ["--release", "trixie", "--kernel", "backports"],
    "forky": ["--release", "forky", "--dangerously-allow-expired-index"],
}
FORKY = """releases:
  forky:
    summary: Debian testing
    kernels: [debian]
    packages: [openssl-provider-legacy]
"""
UNKNOWN = "are not understood, and no rule of the recipes knows"
SPECIAL = {"ipw2x00": ["--accept-licence", "ipw2x00"]}
B43 = ["ucode5.fw", "b0g0initvals5.fw", "b0g0bsinitvals5.fw", "pcm5.fw"]


def guests(flavors):
    """Flavor, role and options of each guest that is built."""
    for role in ["station", "access-point"]:
        more = "forwarding,mdns,tcpdump" + (",wired" if role == "station" else "")
        for features in [["--without", "ipv6,uds_passthru"], [], ["--with", more]]:
            yield "hwsim", role, features
    for flavor in flavors:
        if flavor != "hwsim":
            yield flavor, "station", ["--with", "forwarding,mdns,tcpdump,wired"]


def main(tool, cache, folder):
    folder = pathlib.Path(folder)
    recipes = folder / "recipes"
    shutil.rmtree(recipes, ignore_errors=True)
    for name in ["recipes", "overlays", "kernels", "firmware-blobs"]:
        shutil.copytree(name, recipes / name)
    base = recipes / "recipes/bases/debian.yaml"
    base.write_text(base.read_text().replace("releases:\n", FORKY, 1))
    # Its kernel is laid out as that of backports.
    kernels = recipes / "kernels"
    lines = (kernels / "backports.yaml").read_text().splitlines(keepends=True)
    newer = "".join(line for line in lines if not line.startswith("archive:"))
    older = (kernels / "debian.yaml").read_text()
    for name in B43:
        (folder / name).write_text("a stand-in")
    for flavor in ["b43", "b43legacy"]:
        SPECIAL[flavor] = [word for name in B43 for word in ["--firmware-add", f"{folder / name}:{flavor}/{name}"]]
    listed = subprocess.run([tool, "list", "--json"], check=True, capture_output=True, text=True).stdout
    flavors = [item["name"] for item in json.loads(listed)["list"]["flavors"] if "debian" in (item["only_with"] or ["debian"])]

    def build(flavor, role, features, options):
        command = [tool, "--quiet", "--recipes", recipes, "--base", "debian", "--flavor", flavor, "--role", role]
        command += [*features, *options, *SPECIAL.get(flavor, []), "--compression", "lz4", "--cache-dir", cache]
        command += ["--lock-file", folder / f"{options[1]}.lock", "--out", folder / "out"]
        return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    failed = False
    for release, options in RELEASES.items():
        scripts, builds, unbuilt = {}, 0, {}
        (kernels / "debian.yaml").write_text(newer if release == "forky" else older)
        for flavor, role, features in guests(flavors):
            done = build(flavor, role, features, options)
            if done.returncode == 0:
                builds += 1
                for script in json.loads((folder / "out/manifest.json").read_text())["scripts"]:
                    key = script["package"], script["script"], script["sha256"]
                    scripts.setdefault(key, set()).add(script["state"])
            elif UNKNOWN in done.stderr:
                failed = True
                unbuilt.setdefault(flavor, [done.stderr])
            else:
                unbuilt.setdefault(flavor, done.stderr.splitlines()[:2])
        rules = sum("by-rule" in states for states in scripts.values())
        empty = sum(states == {"empty"} for states in scripts.values())
        understood = len(scripts) - rules - empty
        packages = len({package for package, _, _ in scripts})
        print(
            f"{release}: {builds} guests, {len(scripts)} scripts of {packages} packages: {understood} understood, "
            f"{empty} without effect, {rules} by rule",
            flush=True,
        )
        for flavor, why in unbuilt.items():
            print(f"  not built: {flavor}: {' '.join(why)}", flush=True)
        failed = failed or builds == 0
    shutil.rmtree(folder / "out", ignore_errors=True)
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
