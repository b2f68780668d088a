#!/usr/bin/env bash
# The kernels `slim` as they are published: packages, a record of each, the lock of their source, the list that the
# builder reads (distinfo), checksums and a signature.
#
#   kernel.sh make DIR [OPTION]...              compiles one, by `cargo xtask kernel` with these options
#   kernel.sh gather OUT DIR...                 puts those of several folders into one, lists and signs them
#
# What was published before is one of these folders: locks name its packages by their hashes. It must be as it was signed
# by the same key; an empty one is for the first time. Two files of one name must be the same. The key is in the file that
# the variable MINISIGN_KEY_FILE names, or its text in MINISIGN_KEY; its password, if it has one, in MINISIGN_PASSWORD.
set -euo pipefail
root=$(realpath "$(dirname "$0")/..")
# shellcheck source=ci/lib/minisign.sh
source "$root/ci/lib/minisign.sh"

die() {
    echo "ci/kernel.sh: $*" >&2
    exit 1
}

# listed FOLDER: distinfo's lines, as `cargo xtask kernel` writes them.
listed() {
    local package name
    [ -n "$(find "$1" -maxdepth 1 -name '*.apk' -print -quit)" ] || die "there is no package in these folders"
    for package in "$1"/*.apk; do
        name=${package##*/}
        echo "SHA256 ($name) = $(sha256sum <"$package" | cut -d ' ' -f 1)"
        echo "SIZE ($name) = $(wc -c <"$package")"
    done
}

# gather OUT FOLDER...
gather() {
    local out=$1 folder file name
    shift
    if [ -e "$out" ]; then die "$out is there already"; fi
    work=$(mktemp -d "$(dirname "$out")/.kernels.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    take_key
    mkdir "$work/out"
    for folder; do
        [ -d "$folder" ] || die "$folder is no folder"
        [ -n "$(ls -A "$folder")" ] || continue
        [ -n "$(find "$folder" -maxdepth 1 -name '*.apk' -print -quit)" ] || die "$folder has no package"
        [ ! -e "$folder/SHA256SUMS" ] || as_signed "$folder"
        for file in "$folder"/*.apk "$folder"/*.json "$folder"/source-*.lock "$folder/source.lock"; do
            [ -f "$file" ] || continue
            name=${file##*/}
            # Each source has a lock; it is named after what was made of it.
            if [ "$name" = source.lock ]; then name=source-$(version_of "$folder").lock; fi
            if [ -e "$work/out/$name" ] && ! cmp -s "$file" "$work/out/$name"; then
                die "$file is not the $name that there is already: a change of the same source takes a new revision"
            fi
            cp -T "$file" "$work/out/$name"
        done
    done
    listed "$work/out" >"$work/out/distinfo"
    (cd "$work/out" && sha256sum -- *) >"$work/sums"
    mv "$work/sums" "$work/out/SHA256SUMS"
    sign "$key" "$work/out/SHA256SUMS" 'wifibox-build: kernels' || die "cannot sign $out"
    mv -T "$work/out" "$out"
}

# version_of FOLDER: the version of the packages that were made of its source.
version_of() {
    local packages name
    packages=("$1"/*.apk)
    name=${packages[0]%.apk}
    local without_revision=${name%-*}
    echo "${without_revision##*-}-${name##*-}"
}

# take_key: finds the key, and sets `key` to its file.
take_key() {
    key=${MINISIGN_KEY_FILE:-$work/key}
    if [ -z "${MINISIGN_KEY_FILE:-}" ]; then
        [ -n "${MINISIGN_KEY:-}" ] || die "no key to sign with: MINISIGN_KEY_FILE names it"
        keep_secret "$key" "$MINISIGN_KEY"
    fi
}

# as_signed FOLDER: a folder that was published is as it was when this key signed it, and has nothing beside.
as_signed() {
    local name
    [ -e "$work/public" ] || with_key "$key" -R -p "$work/public" || die "cannot derive the public key"
    minisign -Vq -p "$work/public" -m "$1/SHA256SUMS" >/dev/null || die "$1 was not signed by this key"
    (cd "$1" && sha256sum --quiet --check SHA256SUMS >&2) || die "$1 is not as it was signed"
    for name in "$1"/*.apk "$1"/*.json "$1"/*.lock; do
        grep -qxF "$(sha256sum <"$name" | cut -d ' ' -f 1)  ${name##*/}" "$1/SHA256SUMS" || die "$name was not signed"
    done
}

[ $# -ge 2 ] || {
    sed -n '2,/^set -/s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
case $1 in
make)
    # shellcheck source=ci/lib/xtask.sh
    source "$root/ci/lib/xtask.sh"
    xtask kernel --out "${@:2}"
    ;;
gather) gather "${@:2}" ;;
*) die "there is no step $1" ;;
esac
