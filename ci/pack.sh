#!/usr/bin/env bash
# pack.sh RELEASE OUT: a release folder as files for a place that knows no folders: one tar archive for each guest and
# for each repository for FreeBSD, one for the locks, the programs, and the files that say what all of it is. Unpacked
# into one folder they are the release again, or a part of it (wifibox-build verify --ignore-missing). The same release
# gives the same bytes.
set -euo pipefail

release=$(realpath -e "$1") out=$2
mkdir -p "$out"
out=$(realpath -e "$out")
cd "$release"
epoch=$(python3 -c 'import json; print(json.load(open("index.json"))["source_date_epoch"])')

pack() {
    tar --create --file "$out/$1.tar" --format ustar --sort name --owner 0 --group 0 --numeric-owner \
        --mode 'u=rwX,go=rX' --mtime "@$epoch" -- "$2"
}
for guest in guests/*/; do
    guest=${guest%/}
    pack "wifibox-${guest##*/}" "$guest"
done
for repository in freebsd/*/; do
    repository=${repository%/}
    [ ! -d "$repository" ] || pack "wifibox-freebsd-${repository##*/}" "$repository"
done
pack locks locks
for program in tools/*/*; do
    [ ! -f "$program" ] || pack "wifibox-build-$(cut -d / -f 2 <<<"$program")" "$program"
done
install -m 0644 -t "$out" index.html index.json provenance.json SHA256SUMS SHA256SUMS.minisig
ls -l "$out"
