#!/usr/bin/env bash
# one-card.sh TOOL LOCK CACHE: a guest for one AX210 holds that card's firmware only, and is small.
set -euo pipefail
tool=$1 lock=$2 cache=$3
limit=$((12 * 1000 * 1000))

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$tool" --quiet --base debian --flavor iwlwifi --device 8086:2725 --out "$out/guest" --lock-file "$lock" --cache-dir "$cache" >/dev/null
size=$(stat -c %s "$out/guest/root.img")
python3 - "$out/guest/manifest.json" <<'PYTHON'
import json, sys

files = [file["path"] for file in json.load(open(sys.argv[1]))["files"]]
firmware = {name.rsplit("/", 1)[1] for name in files if "/iwlwifi-" in name}
print("firmware:", *sorted(firmware))
assert firmware and all(name.startswith("iwlwifi-ty-a0-gf-a0") for name in firmware), firmware
PYTHON
echo "root.img: $size bytes, at most $limit"
[ "$size" -le "$limit" ]
