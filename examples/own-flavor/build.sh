#!/bin/sh
# build.sh DIR: builds the flavor `lab` on Debian into DIR/guest, from the recipes of this checkout with those of this
# folder laid over them.
set -eu
work=${1:?"usage: $0 DIR"}
here=$(cd "$(dirname "$0")" && pwd)

rm -rf "$work/recipes"
mkdir -p "$work/recipes"
for folder in recipes overlays kernels firmware-blobs; do
    cp -R "$here/../../$folder" "$work/recipes/"
done
cp -R "$here/recipes" "$here/overlays" "$work/recipes/"

wifibox-build --base debian --flavor lab --recipes "$work/recipes" --lock-file "$work/lab.lock" --out "$work/guest"
wifibox-build verify "$work/guest"
