# Types the commands of a page of the book, in a folder that is laid out as a host: sourced by ci/book-*.sh, which say
# what `page`, `work`, HOST and `typed` are, and how to `fail`.
# shellcheck shell=bash disable=SC2154

# commands HEADING: the lines of the blocks below it.
commands() {
    awk -v heading="$1" '/^#+ /{ text = $0; sub(/^#+ /, "", text); on = (text == heading) } on && /^```/{ block = !block && /sh$/; next } on && block' "$page"
}

# type_in HEADING: types them; each must succeed. Paths of the host are those below HOST.
type_in() {
    local line lines
    lines=$(commands "$1")
    [ -n "$lines" ] || fail "${page##*/} has no commands below '$1'"
    while IFS= read -r line; do
        line=$(sed -E "s,(^|[ =>'\"])(/usr/local|/var|/boot|/etc|/tmp)(/| |\$),\1$HOST\2\3,g" <<<"$line")
        bash -euo pipefail -c "$line" >"$work/said" 2>&1 </dev/null || fail "$1: '$line' says: $(cat "$work/said")"
        typed=$((typed + 1))
    done <<<"$lines"
}

is() { [ -e "$HOST$1" ] || fail "$2: $1 is not there"; }

# A complete listing: kinds, modes, targets of links, hashes.
complete() {
    (cd "$HOST" && { find . -printf '%y %m %p %l\n'; find . -type f -exec sha256sum {} +; } | LC_ALL=C sort)
}
