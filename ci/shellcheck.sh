#!/usr/bin/env bash
# Every shell script of the project: the guest's and doctor's (BusyBox's ash and FreeBSD's sh, checked as dash), and our own.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t guest < <(grep -rlE '^#!/bin/(busybox )?sh' overlays ci/dom0/overlays xtask/src builder/crates/host/src/{doctor,xen/reconnect.sh} examples/*/overlays | LC_ALL=C sort)
mapfile -t ours < <(git ls-files 'ci/*.sh' '.ci/run' 'examples/*.sh')
[ ${#guest[@]} -gt 0 ]
shellcheck --shell=dash --severity=style "${guest[@]}"
shellcheck "${ours[@]}"
echo "${#guest[@]} scripts of the guest, ${#ours[@]} of our own"
