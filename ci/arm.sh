#!/usr/bin/env bash
# A guest for 64-bit Arm, of Debian's packages: its files for hosts are sound, and it passes the Wi-Fi test in QEMU, started
# directly, and by U-Boot in a machine that is dressed as bhyve's.
# arm.sh TOOL CACHE FOLDER [--long]
# --long  by UEFI only
set -euo pipefail
tool=$1 cache=$2 folder=$3 long=${4:-}

# shellcheck source=ci/lib/xtask.sh
source "$(dirname "$0")/lib/xtask.sh"

mkdir -p "$folder"
debian=(--base debian --arch aarch64 --lock-file "$folder/guest.lock" --cache-dir "$cache")
"$tool" --quiet "${debian[@]}" --flavor hwsim --out "$folder/station"

# files FOLDER: those for hosts, each read by a program that knows its kind.
files() {
    local file
    for file in "$1"/bhyve/*.con*; do "$tool" lint "$file"; done
    for file in "$1/bhyve/run.sh" "$1/bhyve/rc.local" "$1/qemu.sh"; do shellcheck --shell=sh "$file"; done
    for file in "$1"/libvirt/*.xml; do virt-xml-validate "$file"; done
}
files "$folder/station/host"
for options in --config-disk --persistent '--uplink br0 --name wifi-2 --folder /srv/wifi'; do
    rm -rf "$folder/hosts"
    # shellcheck disable=SC2086 # words
    "$tool" host --quiet $options --out "$folder/hosts" "$folder/station" >"$folder/written"
    files "$folder/hosts"
done
if "$tool" host --quiet --hypervisor bhyve --passthru 3/0/0 --out "$folder/hosts" "$folder/station" 2>"$folder/refusal"; then
    echo "arm.sh: bhyve got a card, which it hands over on x86_64 only" >&2
    exit 1
fi
grep 'x86_64 only' "$folder/refusal"

if [ -n "$long" ]; then
    xtask boot-test "$folder/station" --uefi
else
    xtask boot-test "$folder/station"
    xtask boot-test "$folder/station" --as-bhyve
fi
