#!/usr/bin/env bash
# wifibox-core-replay.sh OUT [--boot] [--real DIR]: an output is what net/wifibox-core starts.
#
# OUT, built with --hypervisor bhyve, is laid out as a FreeBSD host has it after the steps of the book. A script written
# from the contract (ci/wifibox-core/start.sh) then does what wifibox-core does, down to the command line of bhyve, whose
# stand-in (ci/wifibox-core/bhyve.py) checks what bhyve checks. What would keep the guest from starting must be refused.
# --boot     the stand-in's machine, with these images and folders, is QEMU's: the guest must come up (boot-test of XTASK)
# --real DIR the real program, of a checkout of https://github.com/pgj/freebsd-wifibox, gives bhyve the same command line
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -e "$1")
shift
boot='' real=''
while [ $# -gt 0 ]; do
    case $1 in
    --boot) boot=yes ;;
    --real) real=$(realpath -e "$2") && shift ;;
    *) echo "$0: unknown argument $1" >&2 && exit 2 ;;
    esac
    shift
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/host
configuration=$root/usr/local/etc/wifibox
export BHYVE=$here/wifibox-core/bhyve.py BHYVE_MACHINE=$work/machine BHYVE_ARGUMENTS=$work/arguments TAPS=tap0 PPTS='' MAXCPU=16

fail() {
    echo "wifibox-core-replay.sh: $*" >&2
    exit 1
}

# What the book says, and what net/wifibox-core and sysutils/bhyve-firmware install.
lay_out() {
    rm -rf "$root"
    mkdir -p "$root"/usr/local/{share/{wifibox,uefi-firmware},etc/wifibox} "$root/var/run/wifibox/appliance" "$root/var/log"
    # Not copied: this is done many times.
    ln -s "$out/root.img" "$out/esp.img" "$root/usr/local/share/wifibox/"
    cp -RP "$out/etc/wifibox/." "$configuration/"
    cp -RP "$out/var/." "$root/var/run/wifibox/appliance/"
    cp "$out/host/bhyve/bhyve.conf" "$out/host/bhyve/core.conf" "$configuration/"
    touch "$root/usr/local/share/uefi-firmware/BHYVE_UEFI.fd"
    local sample
    while IFS= read -r sample; do cp -n "$sample" "${sample%.sample}"; done < <(find "$configuration" -name '*.sample')
}
start() { sh "$here/wifibox-core/start.sh" "$root"; }
# The command line, as it would be on the host.
arguments() { sed "s,$root,,g" "$BHYVE_ARGUMENTS"; }
# setting NAME=VALUE: in bhyve.conf.
setting() { sed -i "s,^${1%%=*}=.*,$1," "$configuration/bhyve.conf"; }

refused=0
# refused CODE WORDS: it does not start.
refused() {
    local status=0
    start >"$work/said" 2>&1 || status=$?
    [ "$status" -eq "$1" ] || fail "ended with $status, and $1 was expected: $(cat "$work/said")"
    grep -qE -- "$2" "$work/said" || fail "refused for another reason than $2: $(cat "$work/said")"
    refused=$((refused + 1))
    lay_out
}

memory=$(sed -n 's/^memory\.size=//p' "$out/host/bhyve/wifibox.config")
daemon=$(sed -n 's/^pci\.0\.4\.4\.path=.*\///p' "$out/host/bhyve/wifibox.config")
[[ -n $memory && -n $daemon ]] || fail "$out is not built for bhyve, with the shares of the contract"

# composed MODE CONSOLE CARDS: the command line of net/wifibox-core.
composed() {
    echo "-c 1 -m $memory -AHPSuw$2 -s 0,hostbridge -s 31,lpc -l bootrom,/usr/local/share/uefi-firmware/BHYVE_UEFI.fd" \
        "-s 4:0,virtio-blk,/usr/local/share/wifibox/esp.img -s 4:1,virtio-blk,/usr/local/share/wifibox/root.img" \
        "-s 4:2,virtio-9p,config=/usr/local/etc/wifibox/appliance,ro -s 4:3,virtio-9p,var=/var/run/wifibox/appliance" \
        "-s 4:4,virtio-9p,app_config=/usr/local/etc/wifibox/$daemon$1 -s 5:0,e1000,tap0$3 wifibox"
}
expect() {
    diff <(composed "$@") <(arguments) || fail "the command line of bhyve is another one"
}

lay_out
[ "$(readlink "$configuration/app_config")" = "$daemon" ] || fail "app_config is no link to $daemon"
mode=',ro'
[ ! -e "$configuration/appliance/uds_passthru.conf" ] || mode=''
start
expect "$mode" '' ''
rm -f "$configuration/appliance/uds_passthru.conf"
start
expect ',ro' '' ''
setting console=yes
setting 'passthru="3/0/0 0/20/0"'
PPTS='3/0/0 0/20/0' start
expect ',ro' ' -l com1,/dev/nmdm-wifibox.1A' ' -s 6:0,passthru,3/0/0 -s 6:1,passthru,0/20/0'
lay_out
setting console=yes
start
# It is the machine of the output's own file for bhyve -k, in which disks are read only in words, too.
machine() { sed -n -e "s,$root,," -e '/^pci\.0\.4\.[01]\.ro=/d' -e 's,^\(pci\|lpc\|cpus\|memory\|x86\|rtc\|acpi\),&,p' "$1" | LC_ALL=C sort; }
[ -n "$mode" ] || diff <(machine "$out/host/bhyve/wifibox.config") <(machine "$BHYVE_MACHINE") ||
    fail "wifibox.config and wifibox-core make two machines"
echo "laid out, and started with the command line of the contract"

lay_out
rm -r "$root/var/run/wifibox/appliance" && refused 4 'virtio-9p: failed to open .*/appliance: No such file'
rm "$configuration/app_config" && echo "$daemon" >"$configuration/app_config" &&
    refused 4 'virtio-9p: failed to open .*/app_config: Not a directory'
rm -r "$configuration/appliance" && refused 4 'failed to open .*/appliance: No such file'
rm "$root/usr/local/share/wifibox/esp.img" && refused 4 'esp.img could not be found'
rm "$root/usr/local/share/uefi-firmware/BHYVE_UEFI.fd" && refused 4 'Error opening bootrom'
rm "$configuration/core.conf" && refused 3 'core.conf is missing'
setting memory=160MB && refused 3 'malformed memory'
setting console=true && refused 3 'malformed console'
setting 'passthru="pci0:3:0:0"' && refused 3 'malformed passthru'
setting 'passthru="3/0/0"' && refused 4 '3/0/0 is not using the ppt'
TAPS='' refused 4 'open of tap device tap0 failed'
# What cannot come of bhyve.conf.
direct() {
    local said
    if said=$("$BHYVE" "${@:2}" 2>&1); then fail "not refused: ${*:2}"; fi
    grep -qF -- "$1" <<<"$said" || fail "refused for another reason than $1: $said"
    refused=$((refused + 1))
}
direct 'pci slot 0:4:0 already occupied' -s 0,hostbridge -s 31,lpc -s 4:0,hostbridge -s 4,hostbridge wifibox
PPTS=3/0/0 direct 'memory to be wired' -A -s 0,hostbridge -s 31,lpc -s 6:0,passthru,3/0/0 wifibox
direct 'no lpc' -s 0,hostbridge wifibox
direct 'one name' -s 0,hostbridge -s 31,lpc
echo "$refused of $refused refused, each for its reason"

# A link that leads nowhere is no error: the guest starts without its networks.
ln -sfn nosuch "$configuration/app_config"
start
! arguments | grep -q app_config || fail "a link that leads nowhere was followed"
lay_out

if [ -n "$real" ]; then
    # shellcheck source=ci/wifibox-core/real.sh
    source "$here/wifibox-core/real.sh"
fi
if [ -n "$boot" ]; then
    lay_out
    setting console=yes
    start
    "${XTASK:?}" boot-test "$out" --as-bhyve --machine "$BHYVE_MACHINE"
fi
