#!/usr/bin/env bash
# The kernels `slim` as they are published: packages, a record of each, the lock of their source, the list that the
# builder reads (distinfo), checksums and a signature.
#
#   kernel.sh make DIR [OPTION]...              compiles one, by `cargo xtask kernel` with these options
#   kernel.sh gather OUT DIR...                 puts those of several folders into one, lists and signs them
#
# What was published before is one of these folders: locks name its packages by their hashes. Two files of one name must
# be the same. The key is in the file that the variable MINISIGN_KEY_FILE names, or its text in MINISIGN_KEY; its
# password, if it has one, in MINISIGN_PASSWORD.
set -euo pipefail
root=$(realpath "$(dirname "$0")/..")

die() {
    echo "ci/kernel.sh: $*" >&2
    exit 1
}

# listed FOLDER: distinfo's lines, as `cargo xtask kernel` writes them.
listed() {
    local package name
    for package in "$1"/*.apk; do
        name=${package##*/}
        echo "SHA256 ($name) = $(sha256sum <"$package" | cut -d ' ' -f 1)"
        echo "SIZE ($name) = $(wc -c <"$package")"
    done
}

# gather OUT FOLDER...
gather() {
    local out=$1 folder file name work
    shift
    if [ -e "$out" ]; then die "$out is there already"; fi
    work=$(mktemp -d "$(dirname "$out")/.kernels.XXXXXX")
    # shellcheck disable=SC2064 # this folder
    trap "rm -rf '$work'" EXIT
    mkdir "$work/out"
    for folder; do
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
    sign "$work" "$work/out/SHA256SUMS"
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

# sign FOLDER FILE: the folder is for what is thrown away.
sign() {
    local key=${MINISIGN_KEY_FILE:-$1/key}
    if [ -z "${MINISIGN_KEY_FILE:-}" ]; then
        [ -n "${MINISIGN_KEY:-}" ] || die "no key to sign with: MINISIGN_KEY_FILE names it"
        (umask 077 && printf '%s\n' "$MINISIGN_KEY" >"$key")
    fi
    minisign -S -s "$key" -m "$2" -c 'wifibox-build: kernels' -t 'wifibox-build: kernels' \
        <<<"${MINISIGN_PASSWORD:-}" >"$1/log" 2>&1 || {
        cat "$1/log" >&2
        die "cannot sign $2"
    }
}

[ $# -ge 2 ] || {
    sed -n '2,/^set -/s/^# \{0,1\}//p' "$0" | sed '$d' >&2
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
