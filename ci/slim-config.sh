#!/usr/bin/env bash
# The kernel slim can be configured from Debian's source as `kernels/slim` asks for: with the drivers of cards, for bhyve and
# QEMU and for Xen. It is compiled and booted by ci/slim.sh, which takes longer.
# slim-config.sh CACHE FOLDER
set -euo pipefail
cache=$1 folder=$2

# shellcheck source=ci/lib/xtask.sh
source "$(dirname "$0")/lib/xtask.sh"

for variant in '' --xen; do
    # shellcheck disable=SC2086 # one word or none
    xtask kernel --configure $variant --out "$folder" --build "$folder/build" --cache-dir "$cache"
done
rm -rf "$folder/build"
