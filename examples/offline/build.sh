#!/bin/sh
# build.sh BUNDLE FLAVOR OUT: builds a guest on Debian from a bundle. Opens no socket.
set -eu
bundle=$(cd "${1:?"usage: $0 BUNDLE FLAVOR OUT"}" && pwd)
flavor=${2:?"usage: $0 BUNDLE FLAVOR OUT"}
out=${3:?"usage: $0 BUNDLE FLAVOR OUT"}

# The key comes from the bundle, and counts only if it has the fingerprint that the program's recipes pin.
wifibox-build --base debian --flavor "$flavor" --out "$out" \
    --frozen --lock-file "$bundle/locks/debian-trixie-amd64.lock" \
    --mirror "debian=$bundle" --mirror "debian-security=$bundle" --trust-key "$bundle/keys/debian-archive-keyring.gpg"
wifibox-build verify "$out"
