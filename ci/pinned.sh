#!/usr/bin/env bash
# An access point whose recipe pins country, channels and power on the air: with a host that configures others and
# neighbours that try ports it keeps to them.
# pinned.sh TOOL LOCK CACHE FOLDER: LOCK is that of Debian, outputs go to FOLDER.
set -euo pipefail
tool=$(realpath "$1") lock=$2 cache=$3 folder=$4

# shellcheck source=ci/lib/xtask.sh
source "$(dirname "$0")/lib/xtask.sh"

project=$(dirname "$0")/pinned/wifibox.yaml
"$tool" --quiet --project "$project" --frozen --lock-file "$lock" --cache-dir "$cache" --out "$folder"
xtask boot-test "$folder" --pinned
