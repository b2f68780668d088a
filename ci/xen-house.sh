#!/usr/bin/env bash
# A whole house under Xen in QEMU: an OpenWrt guest as access point and a Debian guest with the wired card, both as driver
# domains, and a firewall between them; each driver domain crashes once and comes back.
# xen-house.sh TOOL LOCK CACHE FOLDER: LOCK is that of Debian, outputs go to FOLDER.
set -euo pipefail
tool=$1 lock=$2 cache=$3 folder=$4
# How large the root of an access point may be, with a chipset's drivers.
most=$((25 * 1000 * 1000))

for library in xtask openwrt xen; do
    # shellcheck source=/dev/null
    source "$(dirname "$0")/lib/$library.sh"
done

mkdir -p "$folder"
[ -f "$lock" ] || "$tool" lock --base debian --lock-file "$lock" --cache-dir "$cache"
openwrt_lender
openwrt_feed adb
openwrt_pin adb
openwrt_guest adb 25.12 access-point "$folder/wifi" --hypervisor xen --compression gzip
# What has no simulated radio is as a user would build it, for a card that needs no firmware.
flavor=ath9k openwrt_guest adb 25.12 access-point "$folder/ath9k" --hypervisor xen
size=$(wc -c <"$folder/ath9k/root.img")
echo "root.img of an access point on OpenWrt for ath9k: $size bytes"
[ "$size" -le "$most" ]
"$tool" --quiet --base debian --flavor hwsim --with wired --hypervisor xen --compression gzip --frozen \
    --lock-file "$lock" --cache-dir "$cache" --out "$folder/wired"
domain dom0 qemu
domain firewall xen
# With the 96 MiB that the recipes call smallest the access point comes up, but clients cannot join.
xtask xen-house "$folder/wifi" "$folder/wired" --firewall "$folder/firewall" --dom0 "$folder/dom0" --memory 160 \
    --timeout 1200
