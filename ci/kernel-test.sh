#!/usr/bin/env bash
# What becomes of compiled kernels: ci/kernel.sh gathers and signs them, ci/publish-kernel.sh adds them to a release by a
# stand-in for `gh` (its manual: `release view` fails where there is none, `upload` where a file of that name is there,
# unless it has --clobber).
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/bin"
cat >"$work/bin/gh" <<'SH'
#!/bin/sh
set -eu
[ "$1 $3" = 'release kernel-slim-6.12' ]
verb=$2 forge=$FORGE/$3
shift 3
case $verb in
view) [ -d "$forge" ] ;;
create) mkdir "$forge" ;;
download) [ "$1" = --dir ] && cp "$forge"/* "$2" ;;
upload)
    clobber=
    [ "$1" != --clobber ] || { clobber=1; shift; }
    for file; do
        [ -n "$clobber" ] || [ ! -e "$forge/${file##*/}" ] || exit 1
        cp "$file" "$forge"
    done ;;
*) exit 1 ;;
esac
SH
chmod +x "$work/bin/gh"
export FORGE=$work PATH=$work/bin:$PATH MINISIGN_KEY_FILE=$work/key
minisign -G -W -p "$work/public" -s "$work/key" >/dev/null

# made FOLDER VERSION TEXT: two packages, as `cargo xtask kernel` leaves them.
made() {
    mkdir -p "$work/$1"
    for name in linux-slim-x86_64 linux-slim-xen-x86_64; do
        echo "$name $3" >"$work/$1/$name-$2.apk"
        echo "{\"package\": \"$name\"}" >"$work/$1/$name-$2.json"
    done
    echo "lock of $2" >"$work/$1/source.lock"
}

# refused TEXT COMMAND...: it fails, and says so.
refused() {
    if "${@:2}" >"$work/said" 2>&1; then
        echo "was not refused: ${*:2}" >&2
        exit 1
    fi
    grep -q -- "$1" "$work/said" || {
        cat "$work/said" >&2
        exit 1
    }
}

# round NUMBER: publishes what was made in that round.
round() {
    ci/publish-kernel.sh before "$work/before-$1" 2>/dev/null
    ci/kernel.sh gather "$work/assets-$1" "$work/before-$1" "$work/made-$1"
    ci/publish-kernel.sh publish "$work/before-$1" "$work/assets-$1"
}

made made-1 6.12.1-r100 first
round 1
made made-2 6.12.2-r100 second
round 2
published=$work/kernel-slim-6.12
minisign -Vq -p "$work/public" -m "$published/SHA256SUMS"
(cd "$published" && sha256sum --quiet --check SHA256SUMS)
[ "$(grep -c '^SHA256 (linux-slim.*) = ' "$published/distinfo")" = 4 ]
[ "$(cat "$published/source-6.12.1-r100.lock")" = "lock of 6.12.1-r100" ]
[ "$(cat "$published/source-6.12.2-r100.lock")" = "lock of 6.12.2-r100" ]

# Once more: nothing changes but perhaps the signature.
cp -r "$work/made-2" "$work/made-3"
round 3
(cd "$published" && sha256sum --quiet --check SHA256SUMS)

# A package that was published keeps its bytes.
made made-4 6.12.2-r100 changed
refused 'takes a new revision' ci/kernel.sh gather "$work/assets-4" "$published" "$work/made-4"
[ ! -e "$work/assets-4" ]
refused 'has other bytes' ci/publish-kernel.sh publish "$published" "$work/made-4"
# What was published is taken as it was signed, and all of it.
cp -r "$published" "$work/changed"
echo more >>"$work/changed/linux-slim-x86_64-6.12.1-r100.apk"
refused 'is not as it was signed' ci/kernel.sh gather "$work/assets-4" "$work/changed" "$work/made-2"
cp -r "$published" "$work/added"
cp "$work/made-4/linux-slim-x86_64-6.12.2-r100.apk" "$work/added/linux-slim-x86_64-6.12.9-r100.apk"
refused 'was not signed' ci/kernel.sh gather "$work/assets-4" "$work/added" "$work/made-2"
minisign -G -W -p "$work/other.pub" -s "$work/other" >/dev/null
refused 'not signed by this key' env "MINISIGN_KEY_FILE=$work/other" ci/kernel.sh gather "$work/assets-4" "$published"
mkdir "$work/empty" "$work/it's here"
refused 'is no folder' ci/kernel.sh gather "$work/assets-4" "$work/nowhere" "$work/made-1"
refused 'no package in these' ci/kernel.sh gather "$work/assets-4" "$work/empty"
env -u MINISIGN_KEY_FILE "MINISIGN_KEY=$(cat "$work/key")" ci/kernel.sh gather "$work/it's here/assets" "$work/made-1"
[ "$(ls -A "$work/it's here")" = assets ]
refused 'no key to sign with' env -u MINISIGN_KEY_FILE ci/kernel.sh gather "$work/assets-4" "$work/made-1"
refused 'there already' ci/kernel.sh gather "$work/assets-1" "$work/made-1"
echo "kernels of two rounds are listed, signed and published"
