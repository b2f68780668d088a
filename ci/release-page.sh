#!/usr/bin/env bash
# release-page.sh RELEASE [SCREENSHOT]: index.html of a release with a guest for iwlwifi, opened in Chromium without a network:
# what people paste gets the guest that is for their card, whatever has been done to it on its way, and without script the
# tables are there.
set -euo pipefail
release=$(realpath "$1") screenshot=${2:+$(realpath -m "$2")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=ci/lib/chromium.sh
source "$(dirname "$0")/lib/chromium.sh"
cp "$release/index.html" "$work/index.html"
asks_no_network index.html
grep -oE 'href="[^"#]+"' "$work/index.html" | sort -u | while IFS='"' read -r _ path _; do
    [ -d "$release/$path" ] || { echo "$path is not in the release" && exit 1; }
done

count=0
# names PLACE LISTING: the card is one, at PLACE, and its guest is that for iwlwifi.
names() {
    asks index.html "$2"
    holds '<h3>iwlwifi: '
    holds 'Take <a href="guests/[^"]*iwlwifi[^"]*/">'
    holds "pptdevs=\"$1\""
    [ "$(grep -o '<h3>' "$work/dom" | wc -l)" = 1 ] || { echo "the card is there twice" && return 1; }
    count=$((count + 1))
}
names 4/0/0 'none7@pci0:4:0:0: class=0x028000 rev=0x1a hdr=0x00 vendor=0x8086 device=0x2723 subvendor=0x8086 subdevice=0x0084
    vendor     = '"'Intel Corporation'"'
    device     = '"'Wi-Fi 6 AX200'"
names 4/0/0 'iwlwifi0@pci0:4:0:0: class=0x028000 card=0x00848086 chip=0x27238086 rev=0x1a hdr=0x00'
names 11/0/0 '    0b:00.0 Network controller [0280]: Intel Corporation Wi-Fi 6 AX200 [8086:2723] (rev 1a)
    	Subsystem: Intel Corporation Wi-Fi 6 AX200NGW [8086:0084]
    	Kernel driver in use: iwlwifi'
names 11/0/0 '> 0b:00.0 Network controller [0280]: Intel Corporation Wi-Fi 6 AX200
> [8086:2723] (rev 1a)'
names 9/0/0 'IOMMU Group 17 09:00.0 Network controller [0280]: Intel Corporation Wi-Fi 6 AX200 [8086:2723] (rev 1a)'
names 9/0/0 'IOMMU Group 17:
	09:00.0 Network controller [0280]: Intel Corporation Wi-Fi 6 AX200 [8086:2723] (rev 1a)'
names 2/0/0 '02:00.0 Class 0280: 8086:2723 iwlwifi'
names 2/0/0 'Network:
  Device-1: Intel Wi-Fi 6 AX200 driver: iwlwifi v: kernel pcie: speed: 5 GT/s
    bus-ID: 02:00.0 chip-ID: 8086:2723
    class-ID: 0280'
names 2/0/0 'Device-1: Intel Wi-Fi 6 AX200 bus-ID: 02:00.0
  chip-ID: 8086:2723 class-ID: 0280'
# A listing that lost its line breaks: the board is no card.
names 3/0/0 '02:00.0 Ethernet controller [0200]: Realtek RTL8111 [10ec:8168] Subsystem: Lenovo [17aa:5081] 03:00.0 Network controller [0280]: Intel Wi-Fi 6 AX200 [8086:2723] Subsystem: Intel Corporation [8086:0084] Kernel driver in use: iwlwifi'
asks index.html 'PCI\VEN_8086&DEV_2723&SUBSYS_00848086&REV_1A\4&1C3D25BB&0&00E0'
holds 'Take <a href="guests/'
asks index.html '00:1f.0 ISA bridge [0601]: Intel [8086:a082]'
holds '<p>None of these numbers'

without_script index.html
holds '<td><a href="guests/'
holds '8086:2723'
if [ -n "$screenshot" ]; then
    asks index.html '0b:00.0 Network controller [0280]: Intel Corporation Wi-Fi 6 AX200 [8086:2723] (rev 1a)'
    screenshot acted-index.html 1100 "$screenshot"
fi
echo "the release's page: $((count + 2)) pastes answered, read without script"
