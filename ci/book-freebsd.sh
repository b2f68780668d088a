#!/usr/bin/env bash
# book-freebsd.sh TOOL OUT [--boot]: the commands of docs/book/src/freebsd.md, as they stand there, are typed on a host
# that is laid out in a folder. OUT is a guest that was built with --hypervisor bhyve.
#
# Programs of FreeBSD are stand-ins (ci/book/host.sh); wifibox-build is TOOL, told where the host's root is. Paths of
# the host are those below the folder. What is left after the removal must be what was there before, and what the
# page says stays.
# --boot   after "Install" the guest must come up in QEMU dressed as bhyve, with this host's files (boot-test of XTASK)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tool=$(realpath -e "$1") out=$(realpath -e "$2") boot=${3:-}
page=$here/../docs/book/src/freebsd.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=ci/book/typing.sh
source "$here/book/typing.sh"
export TOOL=$tool OUT=$out STARTER=$here/wifibox-core/start.sh BHYVE=$here/wifibox-core/bhyve.py

fail() {
    echo "book-freebsd.sh: $*" >&2
    exit 1
}

# new_host NAME: a FreeBSD as it is installed.
new_host() {
    export HOST=$work/$1 BHYVE_MACHINE=$work/$1.machine BHYVE_ARGUMENTS=$work/$1.arguments PPTS=3/0/0 MAXCPU=16 TAP=tap0 TAPS=tap0
    mkdir -p "$HOST"/{boot,etc,tmp,usr/local/{etc,sbin,share},var/{log,run}} "$work/$1.home" "$work/$1.bin"
    echo 'kern.geom.label.disk_ident.enable="0"' >"$HOST/boot/loader.conf"
    echo 'hostname="laptop"' >"$HOST/etc/rc.conf"
    local program
    for program in doas ee kldload pciconf pkg service shutdown sysrc wifibox wifibox-build; do
        ln -sf "$here/book/host.sh" "$work/$1.bin/$program"
    done
    PATH=$work/$1.bin:$PATH
    cd "$work/$1.home"
    typed=0
}

listing() { (cd "$HOST" && find . -printf '%y %p\n' | LC_ALL=C sort); }

new_host laptop
listing >"$work/before"
complete >"$work/before.complete"
cp "$HOST/etc/rc.conf" "$work/rc.conf"
type_in 'Which guest'
type_in Build
type_in Install
is /var/run/wifibox/appliance Install
is /boot/loader.conf.d/wifibox.conf Install
grep -q '^pptdevs="3/0/0"' "$HOST/boot/loader.conf.d/wifibox.conf" || fail "the loader does not know the card"
grep -q '^passthru="3/0/0"' "$HOST/usr/local/etc/wifibox/bhyve.conf" || fail "bhyve.conf does not know the card"
grep -q '6:0,passthru,3/0/0' "$BHYVE_ARGUMENTS" || fail "the restart of the machine did not start the guest with its card"
if [ "$boot" = --boot ]; then
    # QEMU has no card to hand over, and the test has its own lines in files of the host.
    cp -a "$HOST/usr/local/etc/wifibox" "$work/wifibox"
    sysrc -f "$HOST/usr/local/etc/wifibox/bhyve.conf" passthru= console=yes
    service wifibox start
    "${XTASK:?}" boot-test "$out" --as-bhyve --machine "$BHYVE_MACHINE"
    rm -r "$HOST/usr/local/etc/wifibox"
    mv "$work/wifibox" "$HOST/usr/local/etc/wifibox"
fi
mkdir -p "$HOST/var/run/wifibox/appliance/log"
touch "$HOST"/var/run/wifibox/appliance/log/{status,messages}
type_in 'When something does not work'
! grep -rqs 'secret' "$HOST/tmp/capture" || fail "a password is in the capture"
type_in 'Look inside'
grep -q 'com1,/dev/nmdm-wifibox.1A' "$BHYVE_ARGUMENTS" || fail "the console was asked for, and is not there"
rm "$BHYVE_ARGUMENTS"
type_in Sleep
[ -s "$BHYVE_ARGUMENTS" ] || fail "after the sleep the guest does not start again"
is /usr/local/etc/devd/wifibox.conf Sleep
images=$HOST/usr/local/share/wifibox
# Another guest: one byte behind the file system.
"$here/book/newer.py" out/alpine-iwlwifi
before=$(sha256sum <"$images/root.img")
type_in 'A newer guest, and back'
[ "$before" = "$(sha256sum <"$images/root.img")" ] || fail "rolled back, and it is another guest"
cmp "$images/previous/root.img" out/alpine-iwlwifi/root.img || fail "the newer guest is not kept"
type_in Removal
sed -i '/^$/d' "$HOST/etc/rc.conf"
cmp "$work/rc.conf" "$HOST/etc/rc.conf" || fail "rc.conf is not what it was"
listing >"$work/after"
is /var/run/wifibox/appliance/log/status 'Removal, of what the guest wrote'
left=$(comm -13 "$work/before" "$work/after" | grep '^f' | grep -vE '^f ./(tmp|var/run/wifibox/appliance)/' || true)
expected='f ./usr/local/etc/devd/wifibox.conf
f ./usr/local/etc/wifibox/bhyve.conf
f ./usr/local/etc/wifibox/wpa_supplicant/wpa_supplicant.conf'
[ "$left" = "$expected" ] || fail "after the removal this is left: $left"
complete >"$work/after.complete"
less=$(comm -23 "$work/before.complete" "$work/after.complete")
[ -z "$less" ] || fail "the removal took, or changed, what was there before: $less"
echo "a laptop: $typed commands typed, and the host is what it was before"

new_host carried
type_in 'A machine without a network'
is /usr/local/share/wifibox/root.img 'A machine without a network'
is /usr/local/sbin/wifibox 'A machine without a network'
service wifibox start
grep -q '6:0,passthru,3/0/0' "$BHYVE_ARGUMENTS" || fail "the carried guest does not start with its card"
echo "a machine without a network: $typed commands typed, and the guest starts"
