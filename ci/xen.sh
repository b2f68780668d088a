#!/usr/bin/env bash
# Xen itself in QEMU: its own xl parses what is written for it, and a guest runs as a driver domain with a
# domain behind it. xen.sh TOOL LOCK CACHE FOLDER [OPTION...]: LOCK is that of Debian, outputs go to FOLDER, OPTIONs are
# those of the guests' builds.
set -euo pipefail
# shellcheck source=ci/lib/xtask.sh
source "$(dirname "$0")/lib/xtask.sh"
# shellcheck source=ci/lib/xen.sh
source "$(dirname "$0")/lib/xen.sh"
tool=$1 lock=$2 cache=$3 folder=$4
shift 4
options=("$@")

mkdir -p "$folder"
build() {
    "$tool" --quiet --base debian --flavor hwsim --hypervisor xen --compression gzip --frozen \
        --lock-file "$lock" --cache-dir "$cache" "${options[@]}" "$@"
}
build --with wired --out "$folder/station"
build --role access-point --out "$folder/access-point"
domain dom0 qemu

for output in station access-point; do
    shellcheck "$folder/$output/host/xen/setup.sh"
    "$tool" lint "$folder/$output"/host/xen/*.cfg
done
xtask xen-test "$folder/station" --dom0 "$folder/dom0" \
    --parse "$folder/access-point"
