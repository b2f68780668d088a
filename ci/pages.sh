#!/usr/bin/env bash
# pages.sh TOOL OUTPUT: the pages that `wifibox-build` writes, opened in Chromium without a network: nothing is asked of
# any host, no script fails, search narrows the tables, a pasted listing gets its flavor, and without script all is there.
set -euo pipefail
tool=$(realpath "$1") output=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=ci/lib/chromium.sh
source "$(dirname "$0")/lib/chromium.sh"

"$tool" --quiet inspect --html "$work/inspect.html" "$output" >/dev/null
"$tool" --quiet diff --html "$work/diff.html" "$output" "$output" >/dev/null
"$tool" --quiet detect --html "$work/detect.html" >/dev/null

for page in inspect diff detect; do
    asks_no_network "$page.html"
    dom "$page.html"
done

dom inspect.html 'const b = document.querySelector("input[type=search]"); b.value = "busybox"; b.dispatchEvent(new Event("input"));'
holds '<tr hidden=""'
holds '[1-9][0-9]* of [0-9]+ rows'
holds '<rect [^>]*><title>'
holds 'id="firmware"'

# Both systems' listings, and one without a card.
ask() { asks detect.html "$1"; }
ask '03:00.0 Network controller [0280]: Intel Corporation Wi-Fi 6 AX200 [8086:2723] (rev 1a)
	Subsystem: Intel Corporation Device [8086:0080]'
holds '<h3>iwlwifi: '
holds 'pptdevs="3/0/0"'
ask "rtw880@pci0:2:0:0:	class=0x028000 rev=0x00 hdr=0x00 vendor=0x10ec device=0xc821 subvendor=0x103c subdevice=0x831a"
holds '<h3>rtw88: '
ask 'ath0@pci0:5:0:0: class=0x028000 card=0x309a168c chip=0x0029168c rev=0x01 hdr=0x00'
holds '<h3>ath9k: '
ask '00:1f.0 ISA bridge [0601]: Intel [8086:a082]'
holds '<p>None of these numbers'
ask 'my wireless card'
holds '<p>There are no numbers of cards'

# Without script.
without_script detect.html
holds '8086:2723'
echo "3 pages: nothing asked of a network, searched, asked, read without script"
