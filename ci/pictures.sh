#!/usr/bin/env bash
# pictures.sh TOOL: makes the pictures of docs/pictures anew, from a real run: a recording of detect and of a build that fetches
# everything from the mirror, and the page of the guest that comes out. Needs a network and Chromium.
set -euo pipefail
tool=$(realpath "$1") folder=$(realpath "$(dirname "$0")/../docs/pictures")
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    { echo "chromium is missing" >&2 && exit 1; }
mkdir "$work/bin"
ln -s "$tool" "$work/bin/wifibox-build"
cd "$work"
PATH=$work/bin:$PATH WIFIBOX_BUILD_CACHE=$work/cache "$here/recording.py" "$folder/recording.svg" \
    'wifibox-build detect --base debian 8086:2725' \
    'wifibox-build --flavor iwlwifi --base debian --device 8086:2725' \
    'ls out/debian-iwlwifi'
"$tool" --quiet inspect --html page.html out/debian-iwlwifi >/dev/null
"$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1000,900 \
    --host-resolver-rules='MAP * ~NOTFOUND' --screenshot="$folder/inspect.png" "file://$work/page.html" 2>/dev/null
ls -l "$folder"
