#!/usr/bin/env bash
# make-port.sh TOOL OUT [ARGUMENT...]: a complete port in the folder OUT: what is in version control, and what
# `TOOL export freebsd-port ARGUMENT...` makes of the lock (--base NAME, --lock-file FILE, ...). For a second base run
# it again with the same OUT.
set -euo pipefail
tool=$1 out=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out/files"
cp "$here"/net/wifibox-guest/* "$out"
"$tool" export freebsd-port --out "$out" "$@"
