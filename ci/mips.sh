#!/usr/bin/env bash
# A guest for little-endian MIPS, of Debian 12's packages: its script for QEMU is sound, and it passes the Wi-Fi test on the
# board Malta that QEMU makes. What does not exist for MIPS is refused, and the refusal says what there is.
# mips.sh TOOL CACHE FOLDER
set -euo pipefail
tool=$1 cache=$2 folder=$3

# shellcheck source=ci/lib/xtask.sh
source "$(dirname "$0")/lib/xtask.sh"

mkdir -p "$folder"
guest=(--base debian --arch mipsel --flavor hwsim --lock-file "$folder/guest.lock" --cache-dir "$cache")

# refused PATTERN ARGUMENT...: the tool refuses the arguments with a line of this pattern.
refused() {
    local pattern=$1
    shift
    if "$tool" --quiet "$@" 2>"$folder/refusal"; then
        echo "mips.sh: accepted: $*" >&2
        exit 1
    fi
    grep -E "$pattern" "$folder/refusal" || {
        cat "$folder/refusal" >&2
        exit 1
    }
}
for hypervisor in bhyve xen; do
    refused "\"$hypervisor\" is not known to run mipsel guests" "${guest[@]}" --hypervisor "$hypervisor" --out "$folder/refused"
done
refused 'releases that have it: bookworm' "${guest[@]}" --release trixie --out "$folder/refused"

"$tool" --quiet "${guest[@]}" --out "$folder/station"
shellcheck --shell=sh "$folder/station/host/qemu.sh"
for file in esp.img host/bhyve host/libvirt; do
    [ ! -e "$folder/station/$file" ] || {
        echo "mips.sh: there is $file, which no machine of MIPS can use" >&2
        exit 1
    }
done
refused 'bhyve.*mipsel' host --hypervisor bhyve --out "$folder/hosts" "$folder/station"
refused 'no UEFI firmware' boot "$folder/station" --uefi

xtask boot-test "$folder/station"
