#!/usr/bin/env bash
# flavors.sh TOOL LOCK CACHE OUT [FLAVOR...]: builds every flavor (or those named) on Debian from the real packages and
# checks that every firmware name that a module asks for is accounted for. Keeps each one's manifest.json in
# OUT/FLAVOR for `cargo xtask chipsets`, and nothing else.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
tool=$1 lock=$2 cache=$3 out=$4
shift 4

# Whatever a flavor asks for besides its name.
options() {
    case $1 in
    ipw2x00) echo --accept-licence ipw2x00 ;;
    # Its firmware may not be passed on: stand-ins show that the user's own files come in.
    b43 | b43legacy) for file in "$own"/*.fw; do echo "--firmware-add $file:$1/${file##*/}"; done ;;
    esac
}

own=$(mktemp -d)
trap 'rm -rf "$own"' EXIT
for file in ucode5.fw b0g0initvals5.fw b0g0bsinitvals5.fw pcm5.fw ucode4.fw b0g0initvals2.fw; do
    echo "a stand-in for $file" >"$own/$file"
done

# Without b43's promise the build must fail, and say what would help.
refused() {
    local text
    text=$("$tool" --base debian --flavor b43 --out "$out/refused" --lock-file "$lock" --cache-dir "$cache" 2>&1) &&
        return 1
    [[ $text == *b43/ucode* && $text == *--firmware-add* ]]
}

[ $# -gt 0 ] || for file in recipes/flavors/*.yaml; do
    # Some are for other bases.
    ! grep '^bases:' "$file" | grep -qv debian || continue
    name=${file##*/}
    set -- "$@" "${name%.yaml}"
done
failed=0
for flavor in "$@"; do
    begin=$SECONDS
    if [ "$flavor" = b43 ] && ! refused; then
        echo "FAILED: b43 without firmware was not refused as it should be"
        failed=1
    fi
    # shellcheck disable=SC2046 # words
    if "$tool" --quiet --base debian --flavor "$flavor" $(options "$flavor") --out "$out/$flavor" \
        --lock-file "$lock" --cache-dir "$cache" >"$out.log" &&
        python3 - "$out/$flavor/manifest.json" "$out.log" <<'PYTHON'; then
import json, sys

manifest = json.load(open(sys.argv[1]))
files = {file["path"].removeprefix("usr/").removeprefix("lib/firmware/"): file for file in manifest["files"]}
states = {}
for line in manifest["firmware"]:
    state = line["state"]
    states[state] = states.get(state, 0) + 1
    assert state in ("kept", "replaced", "superseded", "dropped", "missing"), line
    served = ([line["file"]] if "file" in line else []) + line.get("others", [])
    assert bool(served) == (state in ("kept", "replaced", "superseded")), line
    for name in served:
        assert any(f"{name}{suffix}" in files for suffix in ("", ".xz", ".zst")) or "/" in name, (line, "is not in the guest")
    assert state == "kept" or line.get("why"), line
modules = {module["name"] for module in manifest["modules"]}
for line in manifest["firmware"]:
    by = line["by"].split(",")[0].removeprefix("module ")
    assert not line["by"].startswith("module ") or by in modules or by == "cfg80211", line
size = next(file["size"] for file in manifest["outputs"] if file["path"] == "root.img")
print(f"{len(modules)} modules, firmware names: {states}, root.img {size}")
PYTHON
        echo "ok: $flavor ($((SECONDS - begin)) s)"
    else
        cat "$out.log"
        echo "FAILED: $flavor"
        failed=1
    fi
    find "$out/$flavor" -mindepth 1 ! -name manifest.json -delete
    rm -rf "$out/refused" "$out.log"
done
exit "$failed"
