#!/usr/bin/env python3
"""newer.py OUTPUT: makes another guest of an output, with hashes and manifest to match: for tests of upgrades only."""

import hashlib
import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
with open(folder / "root.img", "ab") as image:
    image.write(b"newer" + bytes(4091))
manifest = json.loads((folder / "manifest.json").read_text())
manifest["build_id"] = hashlib.sha256(manifest["build_id"].encode()).hexdigest()
(folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
lines = []
for line in (folder / "SHA256SUMS").read_text().splitlines():
    digest, name = line.split("  ", 1)
    if name in ("root.img", "manifest.json"):
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    lines.append(f"{digest}  {name}\n")
(folder / "SHA256SUMS").write_text("".join(lines))
