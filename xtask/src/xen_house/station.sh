#!/bin/sh
# The client behind the access point: joins, asks for an address, and fetches a file from the wired network again and
# again: once each time that the network was away.

say() {
	read -r uptime _ </proc/uptime
	echo "client: $* $uptime" >/dev/console
}

cd /tmp/house || exit
# /sys shows the devices of the namespace that mounts it.
mount -t sysfs sysfs /sys
until ip link set wlan1 up 2>/dev/null; do ./busybox sleep 0.1; done
# A scan before the access point is up would cost five seconds until the next.
until [ -e /var/run/hostapd/wlan0 ]; do ./busybox sleep 0.1; done
wpa_supplicant -D nl80211 -i wlan1 -c wpa_supplicant.conf >/dev/null &
until read -r state </sys/class/net/wlan1/operstate && [ "$state" = up ]; do ./busybox sleep 0.1; done
say "associated"
until ./busybox udhcpc -f -q -n -t 5 -T 1 -i wlan1 -s ./lease.sh >/dev/null 2>&1; do sleep 1; done
say "first packet"

while :; do
	until ping -c 1 -W 1 10.0.2.2 >/dev/null; do sleep 1; done
	say "ping to the wired network"
	./busybox wget -q -T 60 -O file http://10.0.2.2:@PORT@/file
	sum=$(sha256sum <file)
	say "file ${sum%% *}"
	if ./busybox wget -q -T 10 -O /dev/null http://10.0.2.2:@CLOSED@/file 2>/dev/null; then
		say "the other port is open"
	else
		say "the other port is closed"
	fi
	while ping -c 1 -W 3 10.0.2.2 >/dev/null; do sleep 1; done
	say "lost"
done
