#!/usr/bin/env bash
# The whole kernel slim, made twice in different folders: the same bytes. Its drivers against those of Debian's kernel of the
# same source: what they drive, and the firmware that they ask for. Every module of every flavor loads. The variant for Xen
# is the kernel of a driver domain.
# slim-long.sh TOOL FOLDER
set -euo pipefail
tool=$1 folder=$2

# shellcheck source=ci/lib/xtask.sh
source "$(dirname "$0")/lib/xtask.sh"

mkdir -p "$folder/elsewhere" "$folder/debian"
debian=(--base debian --lock-file "$folder/guest.lock" --cache-dir "$folder/cache")
packages=("${debian[@]}" --mirror "slim=$folder/first")
"$tool" --quiet "${debian[@]}" --flavor hwsim --out "$folder/hwsim"
# The kernel's package, by the hash that the lock has of it.
stored=$(python3 - "$folder/guest.lock" <<'PYTHON'
import json, sys

packages = [entry["package"] for entry in json.load(open(sys.argv[1]))["packages"]]
kernels = [package for package in packages if package["name"].startswith("linux-image-6") and package["path"].startswith("pool")]
newest = max(kernels, key=lambda package: [int(part) for part in package["version"].split("-")[0].split(".")])
print(f"{newest['sha256'][:2]}/{newest['sha256']}")
PYTHON
)
dpkg-deb -x "$folder/cache/store/sha256/$stored" "$folder/debian"
modules=$(echo "$folder"/debian/usr/lib/modules/*)

xtask kernel --out "$folder/first" --cache-dir "$folder/cache" --compare "$modules" | tee "$folder/compared"
cp "$folder/first/source.lock" "$folder/elsewhere/source.lock"
xtask kernel --out "$folder/elsewhere" --build "$folder/another/place" --cache-dir "$folder/cache"
for file in "$folder"/first/*.apk; do
    cmp "$file" "$folder/elsewhere/${file##*/}"
    sha256sum "$file"
done

"$tool" lock "${packages[@]}" --kernel slim --trust-new-pins
"$tool" --quiet "${packages[@]}" --flavor default --kernel slim --out "$folder/default"
xtask boot-test "$folder/default" --load-modules --memory 256 --timeout 120

xtask kernel --xen --without-radios --out "$folder/for-xen" --cache-dir "$folder/cache"
"$tool" lock "${debian[@]}" --mirror "slim=$folder/for-xen" --kernel slim-xen --trust-new-pins
ci/xen.sh "$tool" "$folder/guest.lock" "$folder/cache" "$folder/xen" --kernel slim-xen
