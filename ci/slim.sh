#!/usr/bin/env bash
# The kernel slim, compiled from Debian's source, in guests of Debian: both roles pass the Wi-Fi test in the memory that the
# kernel's descriptor promises, started directly and by UEFI, and they are smaller than with Debian's kernel. Drivers of cards
# are left out, which halves the time.
# slim.sh TOOL LOCK CACHE FOLDER [GUEST]: LOCK is that of Debian, outputs go to FOLDER, GUEST is hwsim with Debian's kernel.
set -euo pipefail
tool=$1 lock=$2 cache=$3 folder=$4 like=${5:-}
least=$((9 * 1000 * 1000))

# shellcheck source=ci/lib/xtask.sh
source "$(dirname "$0")/lib/xtask.sh"

mkdir -p "$folder"
ci/kernel.sh make "$folder/kernel" --without-radios --cache-dir "$cache"
cp "$lock" "$folder/guest.lock"
packages=(--base debian --lock-file "$folder/guest.lock" --cache-dir "$cache" --mirror "slim=$folder/kernel")
if "$tool" --quiet "${packages[@]}" --flavor hwsim --kernel slim --out "$folder/station" 2>"$folder/refusal"; then
    echo "slim.sh: a kernel was taken that nobody pinned" >&2
    exit 1
fi
grep -- '--trust-new-pins' "$folder/refusal"
"$tool" lock "${packages[@]}" --kernel slim --trust-new-pins
for role in station access-point; do
    "$tool" --quiet "${packages[@]}" --flavor hwsim --kernel slim --role "$role" --hypervisor bhyve --out "$folder/$role"
done
xtask boot-test "$folder/station" --memory 48 --timeout 120
xtask boot-test "$folder/station" --as-bhyve --timeout 120
xtask boot-test "$folder/station" --load-modules --timeout 120
xtask boot-test "$folder/access-point" --memory 48 --timeout 120
xtask boot-test "$folder/access-point" --uefi --memory 96 --timeout 120

size() { cat "$1/root.img" "$1/esp.img" | wc -c; }
[ -n "$like" ] || exit 0
ours=$(size "$folder/station") theirs=$(size "$like")
echo "root.img and esp.img: $ours bytes, $theirs with Debian's kernel"
[ $((theirs - ours)) -ge "$least" ]
