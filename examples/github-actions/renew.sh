#!/bin/sh
# renew.sh LOCK FLAVOR BODY [SOURCE]: takes the newest packages into a lock of Debian (or of the base BASE), builds the guest
# before and after, and writes into BODY what changed, as the text of a pull request. With a checkout of wifibox-build
# in SOURCE a guest with simulated radios of the new lock does its work in QEMU, too.
# Exits with 3, and changes nothing, where the lock has all that is offered.
set -eu
usage="usage: $0 LOCK FLAVOR BODY [SOURCE]"
lock=${1:?"$usage"} flavor=${2:?"$usage"} body=${3:?"$usage"} source=${4:-}
base=${BASE:-debian}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if wifibox-build outdated --base "$base" --lock-file "$lock" --exit-code >"$work/outdated"; then
    echo "$0: $lock has all that is offered" >&2
    exit 3
elif ! [ -s "$work/outdated" ]; then
    exit 1
fi

# Old packages may be gone from their mirrors: then there is nothing to compare with.
before=yes
wifibox-build --base "$base" --flavor "$flavor" --locked --lock-file "$lock" --out "$work/before" || before=
wifibox-build lock --upgrade --base "$base" --lock-file "$lock" >"$work/changes"
wifibox-build --base "$base" --flavor "$flavor" --locked --lock-file "$lock" --out "$work/after"
wifibox-build verify "$work/after"

{
    echo '### What is newer'
    echo
    echo '```text'
    cat "$work/outdated"
    echo '```'
    echo
    echo "### The guest $flavor"
    echo
    if [ "$before" ]; then
        echo '```text'
        wifibox-build diff "$work/before" "$work/after"
        echo '```'
    else
        echo 'The guest of the old lock could not be built: its packages are gone from the mirrors.'
    fi
    echo
    echo '### Boot test'
    echo
} >"$body"
if [ -z "$source" ]; then
    echo 'Not run.' >>"$body"
    exit 0
fi
wifibox-build --base "$base" --flavor hwsim --locked --lock-file "$lock" --out "$work/hwsim"
if (cd "$source" && cargo xtask boot-test "$work/hwsim") >"$work/boot" 2>&1; then
    result=passed
else
    result=FAILED
fi
{
    echo "With simulated radios, in QEMU: $result."
    echo
    echo '```text'
    tail -n 20 "$work/boot"
    echo '```'
} >>"$body"
