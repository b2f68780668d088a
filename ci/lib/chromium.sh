#!/usr/bin/env bash
# Sourced: pages in a headless Chromium that reaches no network. $work is a folder for what is written on the way.
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    { echo "chromium is missing" >&2 && exit 1; }

# dom PAGE [ACTION]: the page $work/PAGE as the browser has it after its scripts, and after ACTION, which is script of our own.
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
# asks PAGE LISTING: the listing is pasted.
asks() { dom "$1" "const b = document.getElementById('paste'); b.value = String.raw\`$2\`; b.dispatchEvent(new Event('input'));"; }
# without_script PAGE: the page, as it is where scripts are not run.
without_script() { sed '/<script>/,/<\/script>/d' "$work/$1" >"$work/plain-$1" && dom "plain-$1"; }
# asks_no_network PAGE
asks_no_network() {
    if grep -nE '(src|href)="?(https?:)?//|@import|url\(|fetch\(' "$work/$1"; then
        echo "$1 asks for something of a network" && return 1
    fi
}
