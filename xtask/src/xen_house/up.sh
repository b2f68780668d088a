#!/bin/sh
# In the access point's guest: a client with the second simulated radio, in a network namespace of its own, so that it
# meets the guest's services by radio only.

mkdir -p /tmp/house
cp /media/etc/house/* /tmp/house
cd /tmp/house || exit
# FAT keeps no modes.
chmod +x busybox lease.sh
./busybox unshare -n -m sh ./station.sh >/dev/console 2>&1 </dev/null &
child=$!
own=$(readlink /proc/self/ns/net)
until [ -e /sys/class/net/wlan1/phy80211/name ]; do ./busybox sleep 0.1; done
while [ "$(readlink /proc/$child/ns/net)" = "$own" ]; do ./busybox sleep 0.1; done
read -r phy </sys/class/net/wlan1/phy80211/name
iw phy "$phy" set netns $child
