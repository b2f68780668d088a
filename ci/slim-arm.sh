#!/usr/bin/env bash
# The kernel slim for 64-bit Arm, compiled from Debian's source, in a guest of Debian: it passes the Wi-Fi test in the memory
# that the kernel's descriptor promises, started directly and, in a machine dressed as bhyve's, by U-Boot, and by UEFI. Drivers
# of cards are left out.
# slim-arm.sh TOOL CACHE FOLDER
set -euo pipefail
tool=$1 cache=$2 folder=$3

# shellcheck source=ci/lib/xtask.sh
source "$(dirname "$0")/lib/xtask.sh"

mkdir -p "$folder"
ci/kernel.sh make "$folder/kernel" --arch aarch64 --without-radios --cache-dir "$cache"
packages=(--base debian --arch aarch64 --lock-file "$folder/guest.lock" --cache-dir "$cache" --mirror "slim=$folder/kernel")
"$tool" --quiet lock "${packages[@]}"
"$tool" --quiet lock "${packages[@]}" --kernel slim --trust-new-pins
"$tool" --quiet "${packages[@]}" --flavor hwsim --kernel slim --hypervisor bhyve --out "$folder/station"
xtask boot-test "$folder/station" --memory 48
xtask boot-test "$folder/station" --as-bhyve
# QEMU's own firmware holds more than U-Boot.
xtask boot-test "$folder/station" --uefi --memory 128
