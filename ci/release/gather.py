#!/usr/bin/env python3
"""gather.py PLAN TIMES SHARD...: holds shards against their plan; `ci/release.sh seal` calls it.

Prints `shard FOLDER` for each guest of the plan, in its order, and `argument WORD` for `cargo xtask release`. Ends with a
message where a guest is missing, twice with other bytes, damaged on its way, of another plan, or of another lock."""
import hashlib
import json
import pathlib
import sys


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def folders(given):
    for folder in map(pathlib.Path, given):
        if (folder / "shard.json").is_file():
            yield folder
            continue
        inside = sorted(below for below in folder.iterdir() if (below / "shard.json").is_file())
        if not inside:
            stop(f"{folder} is no shard and holds none: it has no shard.json")
        yield from inside


def stop(why):
    sys.exit(f"ci/release.sh seal: {why}")


def main():
    plan_file, times, *given = sys.argv[1:]
    plan, plan_hash = json.load(open(plan_file)), digest(pathlib.Path(plan_file))
    planned = [guest["name"] for guest in plan["guests"]]
    shards, locks = {}, {}
    for folder in folders(given):
        record = json.load(open(folder / "shard.json"))
        name = record["guest"]
        if record["plan"] != plan_hash:
            stop(f"{folder}: {name} was built for another plan: build it again for this one")
        if name not in planned:
            stop(f"{folder}: {name} is not in the plan")
        sums = folder / "guests" / name / "SHA256SUMS"
        if [path.name for path in (folder / "guests").iterdir()] != [name] or digest(sums) != record["sha256sums"]:
            stop(f"{folder}: it is not what was built: copy the shard again, or build {name} again")
        for line in sums.read_text().splitlines():
            expected, path = line.split("  ", 1)
            if not (sums.parent / path).is_file() or digest(sums.parent / path) != expected:
                stop(f"{folder}: guests/{name}/{path} is not what was built: copy the shard again")
        if name in shards:
            if shards[name][1]["sha256sums"] != record["sha256sums"]:
                stop(f"{name} was built twice with different bytes, in {shards[name][0]} and {folder}: look at what "
                     f"`wifibox-build diff` says of the two")
            continue
        shards[name] = (folder, record)
        for lock in sorted((folder / "locks").iterdir()):
            there, text = locks.setdefault(lock.name, (folder, lock.read_bytes()))
            if text != lock.read_bytes():
                stop(f"{lock.name} is not the same in {there} and {folder}: the archives moved on between the two; make "
                     f"the locks once, and give them to each machine with --locks")
    missing = [name for name in planned if name not in shards]
    if missing:
        stop(f"{len(missing)} of {len(planned)} guests are missing: {' '.join(missing)}")
    if times:
        pathlib.Path(times).write_text(json.dumps({name: shards[name][1]["seconds"] for name in planned}, indent=1) + "\n")
    for name in planned:
        folder, record = shards[name]
        print("shard", folder)
        for how in record["boot_tested"]:
            print(f"argument --boot-tested\nargument {name}={how}")
        if "builder_id" in record:
            print(f"argument --built-by\nargument {name}={record['builder_id']}")
    for guest in plan["omitted"]:
        print(f"argument --omitted\nargument {guest['name']}={guest['why']}")
    if "source" in plan:
        print(f"argument --source\nargument {plan['source']}")


main()
