#!/usr/bin/env bash
# The samples of the packet filter, tried out: three network namespaces are the host, the guest and a neighbour in the
# wireless network, for both roles, by IPv4 and IPv6. From the wireless side nothing is reached but what the role offers; the
# host reaches everything. Needs neither root nor a guest: it makes a user namespace of its own.
set -euo pipefail
if [ -z "${WIFIBOX_FILTER:-}" ]; then
    cd "$(dirname "$0")/.."
    WIFIBOX_FILTER=1 exec unshare --map-root-user --net --mount --pid --fork "$0"
fi
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mount -t sysfs sysfs /sys
bad=0 count=0

in_ns() { ip netns exec "$@"; }

# expect open|closed FROM ADDRESS PORT
expect() {
    local seen=closed
    in_ns "$2" busybox nc -w 1 "$3" "$4" </dev/null >/dev/null 2>&1 && seen=open
    count=$((count + 1))
    [ "$seen" = "$1" ] || {
        echo "filter.sh: $role: $3 port $4 is $seen for the $2, and not $1" >&2
        bad=1
    }
}

for role in station access-point; do
    if [ "$role" = station ]; then
        guest=10.0.0.1 host=10.0.0.2 own=192.168.77.50 other=192.168.77.1
    else
        guest=10.0.0.2 host=10.0.0.1 own=192.168.0.1 other=192.168.0.9
    fi
    for name in host guest neighbour; do
        ip netns add "$name"
        ip -n "$name" link set lo up
    done
    ip -n guest link add eth0 type veth peer name eth0 netns host
    ip -n guest link add wlan0 type veth peer name wlan0 netns neighbour
    # address NAMESPACE DEVICE ADDRESS...
    address() {
        local name=$1 device=$2 each
        shift 2
        for each; do
            case $each in
            *:*) ip -n "$name" addr add "$each" dev "$device" nodad ;;
            *) ip -n "$name" addr add "$each" dev "$device" ;;
            esac
        done
        ip -n "$name" link set "$device" up
    }
    address guest eth0 "$guest/24" fd00::ffff/64
    address guest wlan0 "$own/24" fd77::50/64
    address host eth0 "$host/24" fd00::2/64
    address neighbour wlan0 "$other/24" fd77::1/64
    # The Internet is behind the host of an access point.
    address host lo 198.51.100.9/32
    ip -n host route add default via "$guest"
    ip -n host route add default via fd00::ffff
    ip -n neighbour route add default via "$own"
    ip -n neighbour route add default via fd77::50
    if [ "$role" = station ]; then
        ip -n guest route add default via "$other"
    else
        ip -n guest route add default via "$host"
    fi
    in_ns guest sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    in_ns guest iptables-restore <"overlays/$role/host/etc/wifibox/appliance/iptables.sample"
    in_ns guest ip6tables-restore <"overlays/ipv6-$role/host/etc/wifibox/appliance/ip6tables.sample"
    for name in host guest neighbour; do in_ns "$name" busybox httpd -p 8080 -h /etc; done

    for target in "$own" "$guest" "$host" fd77::50 fd00::ffff fd00::2; do expect closed neighbour "$target" 8080; done
    for target in "$guest" "$other" fd00::ffff fd77::1; do expect open host "$target" 8080; done
    [ "$role" = station ] || expect open neighbour 198.51.100.9 8080
    for name in host guest neighbour; do
        ip netns pids "$name" | xargs -r kill
        ip netns del "$name"
    done
done
[ "$bad" = 0 ]
echo "$count connections, as the samples' filters let them"
