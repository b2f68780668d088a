#!/usr/bin/env bash
# The programs of a FreeBSD host that the book's commands use, by the name they are called by: part of
# ci/book-freebsd.sh. HOST is the folder of the host, TOOL the real wifibox-build, OUT the guest that a build gives.
set -euo pipefail
name=${0##*/}
etc=$HOST/usr/local/etc/wifibox

unknown() {
    echo "$name: the stand-in does not know: $*" >&2
    exit 64
}

# What net/wifibox-core and sysutils/bhyve-firmware install.
install_core() {
    mkdir -p "$etc" "$HOST"/usr/local/{sbin,etc/rc.d,share/uefi-firmware} "$HOST/var/log"
    printf 'cpus=1\nmemory=128M\nconsole=no\npassthru=\npriority=50\nstop_wait_max=30\n' >"$etc/bhyve.conf.sample"
    echo 'loglevel=warn' >"$etc/core.conf.sample"
    for file in bhyve core; do cp -n "$etc/$file.conf.sample" "$etc/$file.conf"; done
    echo '#!/bin/sh' | tee "$HOST/usr/local/sbin/wifibox" >"$HOST/usr/local/etc/rc.d/wifibox"
    touch "$HOST/usr/local/share/uefi-firmware/BHYVE_UEFI.fd" "$HOST/var/log/wifibox.log"
}

delete_core() {
    for file in bhyve core; do
        cmp -s "$etc/$file.conf" "$etc/$file.conf.sample" && rm "$etc/$file.conf"
        rm -f "$etc/$file.conf.sample"
    done
    rm -f "$HOST/usr/local/sbin/wifibox" "$HOST/usr/local/etc/rc.d/wifibox" "$HOST/var/log/wifibox.log"
    rm -rf "$HOST/usr/local/share/uefi-firmware"
    rmdir "$HOST/usr/local/etc/rc.d" 2>/dev/null || :
}

start() { sh "$STARTER" "$HOST"; }

case $name in
doas) exec "$@" ;;
kldload) ;;
ee)
    case $1 in
    */uci/*) cp "$TYPED/uci/${1##*/}" "$1" ;;
    *) printf '\nnetwork={\n\tssid="home"\n\tpsk="secret123"\n}\n' >>"$1" ;;
    esac
    ;;
pciconf)
    echo "none1@pci0:3:0:0:	class=0x028000 rev=0x78 hdr=0x00 vendor=0x8086 device=0x24fd subvendor=0x8086 subdevice=0x0010"
    echo "    vendor     = 'Intel Corporation'"
    ;;
pkg)
    case $* in
    "install wifibox-core" | "add packages/All/"*) install_core ;;
    "delete wifibox-core") delete_core ;;
    *) unknown "$*" ;;
    esac
    ;;
shutdown)
    # The machine starts again.
    [ "$*" = "-r now" ] || unknown "$*"
    if grep -qs '^wifibox_enable="YES"' "$HOST/etc/rc.conf" && [ -e "$HOST/usr/local/sbin/wifibox" ]; then start; fi
    ;;
service)
    case $* in
    "wifibox start" | "wifibox restart" | "wifibox resume") start ;;
    "wifibox stop" | "wifibox suspend" | "devd restart") ;;
    *) unknown "$*" ;;
    esac
    ;;
wifibox)
    [ "$*" = console ] || unknown "$*"
    grep -q '^console="\?yes' "$etc/bhyve.conf" || { echo "ERROR: No null-modem device is configured." >&2; exit 127; }
    ;;
sysrc)
    file=$HOST/etc/rc.conf remove=
    while [ $# -gt 0 ]; do
        case $1 in
        -f) file=$2 && shift ;;
        -x) remove=yes ;;
        *)
            [ -n "$remove" ] || [[ $1 == *=* ]] || unknown "$1"
            [ -z "$remove" ] || grep -q "^${1%%=*}=" "$file" || unknown "-x $1, which is not set"
            sed -i "/^${1%%=*}=/d" "$file"
            [ -n "$remove" ] || echo "${1%%=*}=\"${1#*=}\"" >>"$file"
            ;;
        esac
        shift
    done
    ;;
wifibox-build)
    case ${1:-} in
    --flavor)
        # What a build takes from the network is not at hand: this is its result.
        mkdir -p out && rm -rf "out/alpine-$2" && cp -a "$OUT" "out/alpine-$2"
        ;;
    --base)
        [ "$2" = openwrt ] || unknown "$*"
        mkdir -p out && rm -rf "out/openwrt-$4" && cp -a "$OUT" "out/openwrt-$4"
        ;;
    install | uninstall) exec "$TOOL" "$@" --root "$HOST" --hypervisor bhyve ;;
    doctor)
        # This machine is none with a guest: what it says of it is not the point.
        "$TOOL" "$@" || [ $? -eq 1 ]
        ;;
    *) exec "$TOOL" "$@" ;;
    esac
    ;;
*) unknown "$name" ;;
esac
