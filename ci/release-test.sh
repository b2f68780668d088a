#!/usr/bin/env bash
# release-test.sh TOOL XTASK LOCKS CACHE [FLAVOR...]: makes a release of these flavors on Debian (iwlwifi and hwsim) with
# a key made for it, and shows that `verify` accepts it and refuses it after one byte is changed, in every file in turn.
# The boot test of hwsim is left to its own step.
set -euo pipefail
tool=$(realpath "$1") xtask=$(realpath "$2") locks=$(realpath "$3") cache=$4
shift 4
[ $# -gt 0 ] || set -- iwlwifi hwsim
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

minisign -G -W -p "$work/minisign.pub" -s "$work/minisign.key" >/dev/null
openssl genrsa -out "$work/pkg.key" 2048 2>/dev/null
flavors=()
for flavor in "$@"; do flavors+=(--flavor "$flavor"); done
ci/release.sh --out "$work/release" --key "$work/minisign.key" --base debian "${flavors[@]}" --tool "$tool" \
    --xtask "$xtask" --locks "$locks" --cache-dir "$cache" --boot none --program "some-target=$tool" \
    --pkg-key "$work/pkg.key" --pkg-url https://example.org/wifibox

verify() { "$tool" verify "$work/release" --public-key "$work/minisign.pub"; }

# Minisign itself and sha256sum agree.
minisign -Vq -m "$work/release/SHA256SUMS" -p "$work/minisign.pub"
(cd "$work/release" && sha256sum --quiet --check SHA256SUMS)
ci/release-page.sh "$work/release"
# Every flavor is a package, and the key stays where it is.
packages=("$work"/release/freebsd/debian/All/wifibox-guest*.pkg)
[ ${#packages[@]} -eq $# ] || { echo "${#packages[@]} packages for $# flavors" >&2; exit 1; }
grep -qF 'url: "https://example.org/wifibox/debian"' "$work/release/freebsd/debian/wifibox.conf"
openssl pkey -in "$work/pkg.key" -pubout | cmp - "$work/release/freebsd/debian/wifibox.pub"
! grep -rlF "$(sed -n 2p "$work/pkg.key")" "$work/release" || { echo "the key is in the release" >&2; exit 1; }
# Packed and unpacked it is the same release.
ci/pack.sh "$work/release" "$work/assets" >/dev/null
mkdir "$work/unpacked"
for archive in "$work/assets"/*.tar; do tar -x -f "$archive" -C "$work/unpacked"; done
find "$work/assets" -type f ! -name '*.tar' -exec cp -t "$work/unpacked" {} +
diff -r "$work/release" "$work/unpacked"
rm -rf "$work/unpacked" "$work/assets"
# The index is what its schema says.
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'jsonschema==4.26.0'
"$work/venv/bin/python" - docs/schema/release.json "$work/release/index.json" <<'PYTHON'
import json, sys
import jsonschema

schema, index = (json.load(open(path)) for path in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.Draft202012Validator(schema).validate(index)
PYTHON

# One byte, in the middle of each file: written, refused (exit code 4), and put back.
flip() {
    python3 - "$1" <<'PYTHON'
import os, sys

with open(sys.argv[1], "r+b") as file:
    at = os.fstat(file.fileno()).st_size // 2
    file.seek(at)
    byte = file.read(1)[0]
    file.seek(at)
    file.write(bytes([byte ^ 1]))
PYTHON
}
begin=$SECONDS count=0
while IFS= read -r -d '' file; do
    [ -s "$file" ] || continue
    flip "$file"
    code=0
    verify >"$work/log" 2>&1 || code=$?
    if [ "$code" -ne 4 ]; then
        cat "$work/log"
        echo "one byte of ${file#"$work/release/"} was changed, and verify ended with $code" >&2
        exit 1
    fi
    flip "$file"
    count=$((count + 1))
done < <(find "$work/release" -type f -print0 | LC_ALL=C sort -z)
verify >/dev/null
echo "one byte changed in each of $count files: refused $count times ($((SECONDS - begin)) s)"
# Nobody else's key will do.
minisign -G -W -p "$work/other.pub" -s "$work/other.key" >/dev/null
if "$tool" verify "$work/release" --public-key "$work/other.pub" >/dev/null 2>&1; then
    echo "another key was accepted" >&2
    exit 1
fi
