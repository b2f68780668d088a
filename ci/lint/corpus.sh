#!/usr/bin/env bash
# corpus.sh TOOL: `lint` refuses no file that its own program takes. The files are generated (corpus.py), and Xen's own
# examples; xl's own reader (a dry run, with Xen itself stubbed out) and sh judge those that are theirs. What they refuse,
# `lint` must refuse as well.
set -euo pipefail
tool=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 "$here/corpus.py" "$work/files"
for example in /etc/xen/xlexample.*; do
    if [ -f "$example" ]; then cp "$example" "$work/files/xl/${example##*/}.cfg"; fi
done

xl=$(find /usr/lib/xen-*/bin/xl -maxdepth 0 2>/dev/null | sort -V | tail -1)
if [ -n "$xl" ]; then
    cc -shared -fPIC -o "$work/stub.so" "$here/xenstub.c"
elif [ "${CI:-}" = true ]; then
    echo "xl is missing: install xen-utils" >&2
    exit 1
else
    echo "without xl's own reader: xen-utils is not installed"
fi

# own FILE: whether its own program takes it, as far as that is here; says why not.
own() {
    case $1 in
    */xl/*) [ -z "$xl" ] || { LD_PRELOAD=$work/stub.so "$xl" -N create "$1" >/dev/null; } 2>&1 ;;
    */rc/*) sh -n "$1" ;;
    esac
}

files=0 judged=0 wrong=0
while IFS= read -r file; do
    files=$((files + 1))
    folder=${file#"$work/files/"}
    case $folder in xl/* | rc/*) judged=$((judged + 1)) ;; esac
    own "$file" >"$work/own" || { echo "$folder: its own program refuses it: $(cat "$work/own")" && wrong=$((wrong + 1)); }
    # Without --kind: the contents say what it is.
    "$tool" lint "$file" >"$work/log" 2>&1 || { cat "$work/log" && wrong=$((wrong + 1)); }
    grep -q "(${folder%%/*})$" "$work/log" || { echo "$folder: taken for another kind: $(cat "$work/log")" && wrong=$((wrong + 1)); }
done < <(find "$work/files" -type f | LC_ALL=C sort)

# refuse FILE OLD NEW: with this fault its own program refuses it, and so does `lint`.
refuse() {
    local file=$work/files/$1 copy
    copy=$work/faulty/${1%%/*}/$(basename "$1")
    mkdir -p "$(dirname "$copy")"
    sed "s|$2|$3|" "$file" >"$copy"
    if cmp -s "$file" "$copy"; then echo "$1 has no $2" && return 1; fi
    if { [ -n "$xl" ] || [[ $1 == rc/* ]]; } && own "$copy" >/dev/null 2>&1; then echo "$1: $3 is taken by its own program" && return 1; fi
    if "$tool" lint --kind "${1%%/*}" "$copy" >/dev/null 2>&1; then echo "$1: $3 passes" && return 1; fi
    refused=$((refused + 1))
}
refused=0
guest=$(cd "$work/files" && find xl -name 'hvm-old-*' | LC_ALL=C sort | head -1)
refuse "$guest" '^name' '#'
refuse "$guest" "^disk = \\[" 'disk = '
refuse "$guest" '^memory = 512' 'memory 512'
refuse "$guest" '"hvm"' '"hmv"'
refuse "$guest" '^memory.*' 'import os'
refuse rc/0/rc.conf 'hostname="box"' 'hostname="box'

echo "$files files are sound, $judged of them judged by their own programs; $refused faults were refused by both"
[ "$files" -ge 60 ] && [ "$wrong" -eq 0 ]
