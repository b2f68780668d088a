#!/usr/bin/env bash
# The programs of a Linux host, or of Xen's dom0, that the book's commands use, by the name they are called by: part of
# ci/book-hosts.sh. HOST is the folder of the host, TOOL the real wifibox-build, LOCK and CACHE what it builds from.
set -euo pipefail
name=${0##*/}
state=$HOST/run/stand-in
mkdir -p "$state"

refuse() {
    echo "$name: $*" >&2
    exit 64
}

# here PATH...: they are files of the host; a configuration names them as the host does.
here() {
    local path
    for path; do [ -e "$HOST$path" ] || refuse "$path is not there"; done
}

# The value of each NAME = "..." of a domain of xl.
of_xl() { sed -nE "s/^$1 *= *\"([^\"]*)\".*/\1/p" "$2"; }

case $name in
lspci)
    printf '03:00.0 Network controller [0280]: Qualcomm Atheros QCA6174 802.11ac [168c:003e] (rev 32)\n'
    printf '\tKernel driver in use: ath10k_pci\n'
    ;;
vi) printf '\nnetwork={\n\tssid="home"\n\tpsk="secret123"\n}\n' >>"$1" ;;
xl)
    case $* in
    pci-assignable-list) echo 0000:03:00.0 ;;
    "create $HOST/etc/xen/wifibox.cfg")
        "$TOOL" lint --kind xl "$2" >&2
        mapfile -t files < <(of_xl kernel "$2" && of_xl ramdisk "$2")
        [ ${#files[@]} -eq 2 ] || refuse "$2 names no kernel and ramdisk"
        here "${files[@]}" /etc/wifibox/appliance
        grep -q '^pci *= *\[ *"0000:03:00.0' "$2" || refuse "$2 does not hand over the card"
        touch "$state/running"
        ;;
    "console wifibox") [ -e "$state/running" ] || refuse "no such domain" ;;
    "shutdown -w wifibox") rm "$state/running" ;;
    *) refuse "the stand-in does not know: $*" ;;
    esac
    ;;
virsh)
    case $* in
    "net-define "*) xmllint --noout "$2" && grep -q '<name>wifibox</name>' "$2" && touch "$state/net" ;;
    "net-start wifibox") [ -e "$state/net" ] && touch "$state/net-active" ;;
    "net-autostart wifibox") [ -e "$state/net" ] ;;
    "net-destroy wifibox") rm "$state/net-active" ;;
    "net-undefine wifibox") rm "$state/net" ;;
    "define "*)
        virt-xml-validate "$2" >&2
        mapfile -t files < <(sed -nE "s/.*<source (file|dir)='([^']*)'.*/\2/p" "$2")
        [ ${#files[@]} -ge 4 ] || refuse "$2 names no disks and shares"
        here "${files[@]}"
        grep -q "bus='0x03' slot='0x00' function='0x0'" "$2" || refuse "$2 does not hand over the card"
        touch "$state/domain"
        ;;
    "start wifibox") [ -e "$state/domain" ] && [ -e "$state/net-active" ] && touch "$state/running" ;;
    "console wifibox") [ -e "$state/running" ] ;;
    "shutdown wifibox") rm "$state/running" ;;
    "domstate wifibox") if [ -e "$state/running" ]; then echo running; else echo "shut off"; fi ;;
    "destroy wifibox") rm "$state/running" ;;
    "undefine wifibox --nvram") rm "$state/domain" ;;
    *) refuse "the stand-in does not know: $*" ;;
    esac || refuse "$*: not now"
    ;;
wifibox-build)
    case ${1:-} in
    --base) exec "$TOOL" --quiet "$@" --lock-file "$LOCK" --cache-dir "$CACHE" ;;
    install | uninstall)
        # The folder is no machine that runs: whose host it is must be said.
        [[ " $* " == *" --hypervisor "* ]] || set -- "$@" --hypervisor libvirt
        exec "$TOOL" "$@" --root "$HOST"
        ;;
    *) exec "$TOOL" "$@" ;;
    esac
    ;;
*) refuse "the stand-in does not know $name" ;;
esac
