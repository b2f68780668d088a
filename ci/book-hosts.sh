#!/usr/bin/env bash
# book-hosts.sh TOOL LOCK CACHE: the commands of the book's pages on OPNsense or pfSense under Xen, on Linux with libvirt
# and on L4Re, as they stand there, are typed on hosts that are laid out in folders. Guests are really built, from LOCK
# (of Debian) and CACHE; programs of the hosts are stand-ins (ci/book/linux-host.sh), which look at what they are given:
# domains must be sound and name images, shares and the card that are there. After the removal nothing is left but what
# somebody changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
TOOL=$(realpath -e "$1") CACHE=$(realpath -e "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$2" "$work/lock"
export TOOL CACHE LOCK=$work/lock
# shellcheck source=ci/book/typing.sh
source "$here/book/typing.sh"

fail() {
    echo "book-hosts.sh: $*" >&2
    exit 1
}

mkdir "$work/bin"
for program in lspci vi virsh wifibox-build xl; do ln -s "$here/book/linux-host.sh" "$work/bin/$program"; done
export PATH=$work/bin:$PATH

# new_host PAGE[-NAME] FOLDER...: a host with these folders, and that page.
new_host() {
    page=$here/../docs/book/src/${1%-*}.md
    export HOST=$work/$1
    mkdir -p "$HOST"/{etc,var/lib,usr/local,run/stand-in} "$work/$1.home"
    shift
    local folder
    for folder; do mkdir -p "$HOST/$folder"; done
    echo laptop >"$HOST/etc/hostname"
    cd "$HOST.home"
    typed=0
    complete >"$work/before"
}

# left PATH...: after the removal the host is what it was, but for these files and the folders that they are in.
left() {
    local found expected
    complete >"$work/after"
    found=$(comm -23 "$work/before" "$work/after")
    [ -z "$found" ] || fail "${page##*/}: the removal took, or changed, what was there before: $found"
    found=$(comm -13 "$work/before" "$work/after" | sed -n 's/^f [0-7]* \.\(.*\) $/\1/p')
    expected=$(printf '%s\n' "$@")
    [ "$found" = "$expected" ] || fail "${page##*/}: after the removal this is left: $found"
}

# looked_into_and_renewed: what is on each page between "Run" and "Removal".
looked_into_and_renewed() {
    local images before newer=out/debian-ath10k
    images=$(dirname "$(find "$HOST/var/lib" -name root.img)")
    mkdir -p "$HOST/var/lib/wifibox/log"
    touch "$HOST"/var/lib/wifibox/log/{status,messages}
    type_in 'Look inside'
    rm "$HOST"/var/lib/wifibox/log/{status,messages}
    rm -rf "$work/built"
    cp -a out "$work/built"
    "$here/book/newer.py" "$newer"
    before=$(sha256sum <"$images/root.img")
    type_in 'A newer guest, and back'
    [ "$before" = "$(sha256sum <"$images/root.img")" ] || fail "${page##*/}: rolled back, and it is another guest"
    cmp "$images/previous/root.img" "$newer/root.img" || fail "${page##*/}: the newer guest is not kept"
    [ -e "$HOST/run/stand-in/running" ] || fail "${page##*/}: the guest does not run after the way back"
}

# carried PAGE FOLDER...: another machine, to which the guest that was built for the page comes without a network.
carried() {
    new_host "$1-carried" "${@:2}"
    cp -a "$work/built" out
    type_in 'A machine without a network'
    [ -n "$(find "$HOST/var/lib" -name root.img)" ] || fail "$1.md: no image on a machine without a network"
    echo "$1, without a network: $typed commands typed; the guest is installed"
}

new_host xen etc/xen
type_in Build
is /etc/xen/wifibox.cfg Build
is /var/lib/xen/images/wifibox/root.img Build
type_in Run
looked_into_and_renewed
type_in Removal
left
echo "OPNsense or pfSense on Xen: $typed commands typed; the domain starts with its card, and nothing is left of it"
carried xen etc/xen

new_host linux var/lib/libvirt/images
type_in Build
is /var/lib/libvirt/images/wifibox/esp.img Build
type_in Run
looked_into_and_renewed
type_in Removal
left /etc/wifibox/wpa_supplicant/wpa_supplicant.conf
echo "Linux with libvirt: $typed commands typed; the domain starts with its card, and the owner's file is left"
carried linux var/lib/libvirt/images

new_host l4re
type_in L4Re
for file in wifibox.ned wifi.vbus storage.vbus io.cfg wifibox.dts modules.list; do
    [ -s "out/debian-ath10k/host/l4re/$file" ] || fail "L4Re: $file, which the page names, is not there"
done
[ -s config.img ] || fail "L4Re: no configuration disk"
echo "L4Re: $typed commands typed; the files that the page names are there"
