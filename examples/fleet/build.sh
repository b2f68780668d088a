#!/bin/sh
# build.sh LISTINGS OUT: builds one guest on Debian for each kind of card in a folder of hardware listings, and writes
# OUT/machines.txt: machine, card, folder of its guest or why there is none.
set -eu
listings=${1:?"usage: $0 LISTINGS OUT"}
out=${2:?"usage: $0 LISTINGS OUT"}
mkdir -p "$out"
: >"$out/machines.txt"

# One line for each card: vendor and device, flavor, reason. What is not there is a hyphen.
cards='if .cards == [] then ["-", "-", "no wireless card in the listing"] else
    (.cards[] | [(.id | split(":")[:2] | join(":")), (.guests[0].flavor // "-"), (.because // "-")]) end | @tsv'

for listing in "$listings"/*; do
    machine=$(basename "${listing%.*}")
    # Exit code 1 says that no guest drives any of the cards: the answer has the reasons.
    answer=$(wifibox-build detect --json --base debian "$listing") || [ $? -eq 1 ]
    printf '%s' "$answer" | jq -r "$cards" |
        while IFS="$(printf '\t')" read -r device flavor result; do
            if [ "$flavor" != - ]; then
                result=$out/$(echo "$device" | tr : -)
                # The next machine with this card finds it built.
                wifibox-build build --quiet --base debian --flavor "$flavor" --device "$device" \
                    --lock-file "$out/debian.lock" --out "$result" </dev/null >/dev/null
            fi
            printf '%s\t%s\t%s\n' "$machine" "$device" "$result" >>"$out/machines.txt"
        done
done
cat "$out/machines.txt"
