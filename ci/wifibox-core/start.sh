#!/bin/sh
# start.sh ROOT: starts the guest of the FreeBSD host that is laid out below ROOT as net/wifibox-core 0.17 does: the files
# it reads, the values it takes, the command line of bhyve that it composes. Written from the contract
# (wifibox-guest(5)), not from its program; what cannot be had here (kernel modules, a bridge with a tap) is said to be
# there: TAP is its name, BHYVE the program in bhyve's place.
set -eu
root=$1
configuration=$root/usr/local/etc/wifibox
images=$root/usr/local/share/wifibox
: "${BHYVE:=/usr/sbin/bhyve}" "${TAP:=tap0}"

# fail CODE WHAT
fail() {
    echo "ERROR: $2." >&2
    exit "$1"
}

# expect FILE NAME PATTERN VALUE: it is of this form, blanks around it allowed.
expect() {
    printf '%s\n' "$4" | grep -Eq "^[[:space:]]*($3)[[:space:]]*\$" || fail 3 "$1: malformed $2 value: \"$4\""
}

# between FILE NAME LEAST MOST VALUE
between() {
    expect "$1" "$2" '[0-9]+' "$5"
    if [ "$5" -lt "$3" ] || [ "$5" -gt "$4" ]; then fail 3 "$1: $2 should be in between $3 and $4: $5"; fi
}

# Both files are shell, and nothing starts without them.
for name in core bhyve; do
    [ -f "$configuration/$name.conf" ] || fail 3 "$configuration/$name.conf is missing, please create it from the sample"
done
loglevel=warn
# shellcheck source=/dev/null
. "$configuration/core.conf"
cpus=1 memory=128M passthru='' console=no priority=50 stop_wait_max=10
# shellcheck source=/dev/null
. "$configuration/bhyve.conf"
between bhyve.conf cpus 1 "${MAXCPU:-16}" "$cpus"
expect bhyve.conf memory '[0-9]+([KkMmGgTt])?' "$memory"
expect bhyve.conf passthru '([[:space:]]*[0-9]{1,3}/[0-9]{1,3}/[0-9]{1,3}[[:space:]]*)*' "$passthru"
expect bhyve.conf console 'yes|no' "$console"
between bhyve.conf priority 0 99 "$priority"
between bhyve.conf stop_wait_max 1 60 "$stop_wait_max"

[ -n "$TAP" ] || fail 5 "No tap interface is available, cannot proceed"
for image in esp root; do
    [ -f "$images/$image.img" ] || fail 4 "$images/$image.img could not be found, guest cannot be started"
done

set -- "virtio-blk,$images/esp.img" "virtio-blk,$images/root.img" \
    "virtio-9p,config=$configuration/appliance,ro" "virtio-9p,var=$root/var/run/wifibox/appliance"
# The link is followed to its end, wherever that is; one that leads nowhere is as good as none. Only a guest whose
# control sockets are passed on may write there.
if application=$(readlink -e "$configuration/app_config"); then
    mode=',ro'
    [ ! -r "$configuration/appliance/uds_passthru.conf" ] || mode=''
    set -- "$@" "virtio-9p,app_config=$application$mode"
fi

arguments="-c $cpus -m $memory -AHPSuw"
[ "$console" != yes ] || arguments="$arguments -l com1,/dev/nmdm-wifibox.1A"
arguments="$arguments -s 0,hostbridge -s 31,lpc -l bootrom,$root/usr/local/share/uefi-firmware/BHYVE_UEFI.fd"
function=0
for device; do
    arguments="$arguments -s 4:$function,$device"
    function=$((function + 1))
done
arguments="$arguments -s 5:0,e1000,$TAP"
function=0
for card in $passthru; do
    arguments="$arguments -s 6:$function,passthru,$card"
    function=$((function + 1))
done
# Its words are bhyve's, as in the program: no path may have a blank.
# shellcheck disable=SC2086
exec nice -n $((priority * 40 / 99 - 20 > 0 ? priority * 40 / 99 - 20 : 0)) "$BHYVE" $arguments wifibox
