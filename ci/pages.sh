#!/usr/bin/env bash
# pages.sh TOOL OUTPUT: the pages that `wifibox-build` writes, opened in Chromium without a network: nothing is asked of
# any host, no script fails, search narrows the tables, a pasted listing gets its flavor, and without script all is there.
set -euo pipefail
tool=$(realpath "$1") output=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    { echo "chromium is missing" >&2 && exit 1; }

"$tool" --quiet inspect --html "$work/inspect.html" "$output" >/dev/null
"$tool" --quiet diff --html "$work/diff.html" "$output" "$output" >/dev/null
"$tool" --quiet detect --html "$work/detect.html" >/dev/null

# dom PAGE [ACTION]: the page as the browser has it after its scripts, and after ACTION, which is script of our own.
dom() {
    local page=$work/$1 copy=$work/acted-$1
    cp "$page" "$copy"
    if [ $# -gt 1 ]; then printf '<script>%s</script>\n' "$2" >>"$copy"; fi
    "$chromium" --headless --no-sandbox --disable-gpu --user-data-dir="$work/profile" --host-resolver-rules='MAP * ~NOTFOUND' \
        --enable-logging=stderr --v=0 --virtual-time-budget=2000 --dump-dom "file://$copy" 2>"$work/log" >"$work/dom"
    if grep 'CONSOLE' "$work/log"; then echo "$1: the console has something to say" && return 1; fi
}
# holds PATTERN: the page has it.
holds() { grep -qE -- "$1" "$work/dom" || { echo "the page has no $1" && return 1; }; }

for page in inspect diff detect; do
    if grep -nE '(src|href)="?(https?:)?//|@import|url\(|fetch\(' "$work/$page.html"; then
        echo "$page asks for something of a network" && exit 1
    fi
    dom "$page.html"
done

dom inspect.html 'const b = document.querySelector("input[type=search]"); b.value = "busybox"; b.dispatchEvent(new Event("input"));'
holds '<tr hidden=""'
holds '[1-9][0-9]* of [0-9]+ rows'
holds '<rect [^>]*><title>'
holds 'id="firmware"'

# Both systems' listings, and one without a card.
ask() { dom detect.html "const b = document.getElementById('paste'); b.value = \`$1\`; b.dispatchEvent(new Event('input'));"; }
ask '03:00.0 Network controller [0280]: Intel Corporation Wi-Fi 6 AX200 [8086:2723] (rev 1a)
	Subsystem: Intel Corporation Device [8086:0080]'
holds '<h3>iwlwifi: '
holds 'pptdevs="3/0/0"'
ask "rtw880@pci0:2:0:0:	class=0x028000 rev=0x00 hdr=0x00 vendor=0x10ec device=0xc821 subvendor=0x103c subdevice=0x831a"
holds '<h3>rtw88: '
ask 'ath0@pci0:5:0:0: class=0x028000 card=0x309a168c chip=0x0029168c rev=0x01 hdr=0x00'
holds '<h3>ath9k: '
ask '00:1f.0 ISA bridge [0601]: Intel [8086:a082]'
holds 'None of these numbers'
ask 'my wireless card'
holds 'no numbers of cards'

# Without script.
sed '/<script>/,/<\/script>/d' "$work/detect.html" >"$work/plain.html"
dom plain.html
holds '8086:2723'
echo "3 pages: nothing asked of a network, searched, asked, read without script"
