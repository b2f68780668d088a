#!/bin/sh
# bundle.sh DIR FLAVOR: writes a bundle of the base debian, which builds this flavor and the others, into DIR.
set -eu
bundle=${1:?"usage: $0 DIR FLAVOR"}
flavor=${2:?"usage: $0 DIR FLAVOR"}

wifibox-build bundle "$bundle" --base debian --flavor "$flavor" --lock-file "$bundle.lock"
# For whoever carries it: damage on the way is found before the build.
(cd "$bundle" && sha256sum --check --quiet SHA256SUMS)
