#!/usr/bin/env bash
# Guests of the base openwrt from feeds that are generated here, in both formats (opkg and apk v3), with Debian's kernel and
# Debian's busybox, dnsmasq, hostapd, mke2fs, nft and wpa_supplicant in the packages: they boot and pass the Wi-Fi test,
# one keeps its settings when the power fails, and one starts as the book's page on bhyve says, with UCI files.
# openwrt-boot.sh TOOL LOCK CACHE FOLDER: LOCK is that of Debian, outputs go to FOLDER.
set -euo pipefail
# shellcheck disable=SC2034 # for the library
tool=$1 lock=$2 cache=$3 folder=$4

# shellcheck source=ci/lib/xtask.sh
source "$(dirname "$0")/lib/xtask.sh"
# shellcheck source=ci/lib/openwrt.sh
source "$(dirname "$0")/lib/openwrt.sh"

openwrt_lender
for feed in opkg:24.10 adb:25.12; do
    format=${feed%:*} release=${feed#*:}
    place=$folder/$format
    openwrt_feed "$format"
    # A key in a file is not enough: the recipe pins fingerprints.
    if openwrt_guest "$format" "$release" station "$place/station" 2>"$place/refusal"; then
        echo "openwrt-boot.sh: a feed was taken whose key no recipe pins" >&2
        exit 1
    fi
    grep -E 'is signed by key|none of its signing keys' "$place/refusal"
    openwrt_pin "$format"
    for role in station access-point; do
        openwrt_guest "$format" "$release" "$role" "$place/$role"
        xtask boot-test "$place/$role" --timeout 120
    done
done

# Settings outlive the power: the disk that a guest formats at its first boot is recovered at the next.
openwrt_guest opkg 24.10 station "$folder/opkg/persistent" --persistent
xtask boot-test "$folder/opkg/persistent" --timeout 120 --power-cut

# OpenWrt under bhyve, as the book says.
"$(dirname "$0")/book-openwrt.sh" "$tool" "$folder/adb/station" 'DHCP and NAT' 'Fixed addresses'
