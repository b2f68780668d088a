#!/usr/bin/env bash
# book-openwrt.sh TOOL OUT HEADING...: the commands of docs/book/src/openwrt-bhyve.md, as they stand there, are typed on a
# FreeBSD host that is laid out in a folder, as far as each HEADING; the guest must then come up in QEMU dressed as
# bhyve, with that host's files, and join the network that the page's own files name (boot-test of XTASK).
# OUT is a guest of the base openwrt with simulated radios, in the place of the one that the page builds.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tool=$(realpath -e "$1") out=$(realpath -e "$2")
shift 2
page=$here/../docs/book/src/openwrt-bhyve.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=ci/book/typing.sh
source "$here/book/typing.sh"
export TOOL=$tool OUT=$out STARTER=$here/wifibox-core/start.sh BHYVE=$here/wifibox-core/bhyve.py
export HOST=$work/host BHYVE_MACHINE=$work/machine BHYVE_ARGUMENTS=$work/arguments PPTS=3/0/0 MAXCPU=16 TAP=tap0 TAPS=tap0
# What the user types into an editor: the page's blocks, by the name in their first lines.
export TYPED=$work/typed
typed=0

fail() {
    echo "book-openwrt.sh: $*" >&2
    exit 1
}

mkdir -p "$HOST"/{boot,etc,tmp,usr/local/{etc,sbin,share},var/{log,run}} "$work/home" "$work/bin" "$TYPED/uci"
touch "$HOST/boot/loader.conf" "$HOST/etc/rc.conf"
for program in doas ee pkg service shutdown sysrc wifibox-build; do ln -s "$here/book/host.sh" "$work/bin/$program"; done
PATH=$work/bin:$PATH
awk -v folder="$TYPED" '/^```text/ { getline; file = folder "/" $2; next } /^```/ { file = "" } file { print >file }' "$page"
cd "$work/home"
type_in Build
type_in Install
for heading; do
    type_in "$heading"
    grep -q '6:0,passthru,3/0/0' "$BHYVE_ARGUMENTS" || fail "$heading: the guest does not start with its card"
    # QEMU has no card to hand over, and the test has its own lines in files of the host.
    cp -a "$HOST/usr/local/etc/wifibox" "$work/wifibox"
    sysrc -f "$HOST/usr/local/etc/wifibox/bhyve.conf" passthru= console=yes
    service wifibox start
    "${XTASK:?}" boot-test "$out" --as-bhyve --machine "$BHYVE_MACHINE" --timeout 120
    rm -r "$HOST/usr/local/etc/wifibox"
    mv "$work/wifibox" "$HOST/usr/local/etc/wifibox"
done
echo "OpenWrt under bhyve: $typed commands typed; the guest joins with each of the page's configurations"
