#!/bin/busybox sh
# The first program of the domain behind the guest: asks the guest for an address, and fetches a file from
# the network of the guest's card.

export PATH=/bin

# udhcpc calls this program as its script.
case ${1:-} in
bound)
	# shellcheck disable=SC2154 # the lease is in the environment
	{
		ip addr add "$ip/$mask" dev eth0
		ip route add default via "${router%% *}"
		echo "client: lease $ip/$mask, gateway $router"
	}
	exit
	;;
deconfig | leasefail | nak | renew) exit ;;
esac

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1

[ ! -f /lib/xen-netfront.ko ] || insmod /lib/xen-netfront.ko
tries=0
until [ -e /sys/class/net/eth0 ] || [ "$tries" -ge 300 ]; do
	tries=$((tries + 1))
	sleep 0.2
done
ip link set dev lo up
ip link set dev eth0 up
udhcpc -i eth0 -n -q -t 60 -T 1 -s /init || echo "client: no lease"
ping -c 3 -w 30 10.0.2.2 >/tmp.ping && echo "client: ping $(tail -n 1 /tmp.ping)"
tries=0
until wget -q -O /tmp.file http://10.0.2.2:@PORT@/file || [ "$tries" -ge 10 ]; do
	tries=$((tries + 1))
	sleep 1
done
echo "client: file $(sha256sum </tmp.file)"
poweroff -f
