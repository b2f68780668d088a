#!/usr/bin/env bash
# make-crates.sh OUT [SOURCE.tar.gz]: Makefile.crates and distinfo of sysutils/wifibox-build in the folder OUT, from
# Cargo.lock: hashes are its own, sizes those of the downloaded crates. SOURCE is the archive of the release, by the name
# that the ports framework gives it; without it distinfo lists the crates only, and 'make makesum' does the rest.
set -euo pipefail
out=$1 source=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cargo fetch --locked --quiet --manifest-path "$root/Cargo.toml"
mkdir -p "$out"
cp "$here"/sysutils/wifibox-build/* "$out"

# Crates of the registry: those of the workspace have no checksum.
crates=$(awk '
    $1 == "[[package]]" { name = version = "" }
    $1 == "name" { gsub(/"/, "", $3); name = $3 }
    $1 == "version" { gsub(/"/, "", $3); version = $3 }
    $1 == "source" && $3 !~ /^"registry\+https:\/\/github.com\/rust-lang\/crates.io-index"$/ { print "foreign " name; exit }
    $1 == "checksum" { gsub(/"/, "", $3); print name "-" version, $3 }
' "$root/Cargo.lock" | LC_ALL=C sort)
if grep -q '^foreign ' <<<"$crates"; then
    echo "make-crates.sh: not of crates.io: ${crates#*foreign }" >&2
    exit 1
fi
registered=$(grep -c '^source = "registry+' "$root/Cargo.lock")
[ "$registered" -eq "$(wc -l <<<"$crates")" ] || {
    echo "make-crates.sh: Cargo.lock has $registered crates of the registry, and not each of them a checksum" >&2
    exit 1
}
rm -f "$out/Makefile.crates" "$out/distinfo"
{
    printf 'CARGO_CRATES='
    separator=$'\t'
    while read -r crate _; do
        printf '%s%s' "$separator" "$crate"
        separator=$' \\\n\t\t'
    done <<<"$crates"
    echo
} >"$out/Makefile.crates"

cache=${CARGO_HOME:-$HOME/.cargo}/registry/cache
{
    # The time of the sources, so that the same sources give the same file.
    echo "TIMESTAMP = $(git -C "$root" log -1 --format=%ct)"
    while read -r crate sha256; do
        file=$(find "$cache" -mindepth 2 -maxdepth 2 -name "$crate.crate" -print -quit)
        [ -n "$file" ] || { echo "make-crates.sh: $crate is not in $cache" >&2; exit 1; }
        [ "$(sha256sum <"$file" | cut -d' ' -f1)" = "$sha256" ] || { echo "make-crates.sh: $file is not that of Cargo.lock" >&2; exit 1; }
        echo "SHA256 (rust/crates/$crate.crate) = $sha256"
        echo "SIZE (rust/crates/$crate.crate) = $(wc -c <"$file" | tr -d ' ')"
    done <<<"$crates"
    if [ -n "$source" ]; then
        echo "SHA256 (${source##*/}) = $(sha256sum <"$source" | cut -d' ' -f1)"
        echo "SIZE (${source##*/}) = $(wc -c <"$source" | tr -d ' ')"
    fi
} >"$out/distinfo.part"
# Whole or not at all.
mv "$out/distinfo.part" "$out/distinfo"
echo "$out: $(wc -l <<<"$crates") crates"
