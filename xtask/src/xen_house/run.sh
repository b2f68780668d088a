#!/bin/sh
# What dom0 runs: installs two driver domains and a firewall, starts all as its service xendomains would, lets either
# driver domain crash, and waits until the others are connected to it again. The host waits for the lines that begin
# with `test:`.

# shellcheck source=xtask/src/xen_test/dom0.sh
. /domains/dom0.sh

xl pci-assignable-add @CARD@
ip link add name xenbr0 type bridge
ip link set dev xenbr0 up
mkdir -p /etc/xen
cp firewall.cfg /etc/xen/firewall.cfg
for name in wifibox wired; do
	sh "$name/host/xen/setup.sh" --autostart || exit
	rm -r "$name"
done
ln -s ../firewall.cfg /etc/xen/auto/20-firewall.cfg

# Each domain's console, with its name before each line.
for name in wifibox wired firewall; do
	: >"/var/log/xen/console/guest-$name.log"
	tail -f "/var/log/xen/console/guest-$name.log" | sed "s/^/$name| /" &
done

# count NAME TEXT: how many lines of a domain's console have it.
count() { grep -c -- "$2" "/var/log/xen/console/guest-$1.log"; }

# until_line NAME TEXT [BEFORE]: waits for a line of a domain's console, for one more than BEFORE.
until_line() {
	tries=0
	until [ "$(count "$1" "$2")" -gt "${3:-0}" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 240 ] || {
			say "no line '$2' of $1"
			exit 1
		}
		sleep 1
	done
}

/usr/local/sbin/wifibox-reconnect &

# In the order and by the command of Debian's xendomains, which a machine so slow must hold up before the firewall.
for file in /etc/xen/auto/*; do
	case $file in */20-*) /usr/local/sbin/wifibox-reconnect --wait wifibox wired ;; esac
	say "create ${file##*/}"
	xl create --quiet --defconfig "$file" || exit
done
firewall=$(xl domid firewall)
say "started: $(xl list | tail -n +3 | while read -r name _ memory _; do printf '%s %s MiB, ' "$name" "$memory"; done)"

file="client: file @SHA256@"
until_line firewall 'first packet from'
until_line wifibox "$file"
until_line wifibox 'client: the other port is closed'
say "everything reaches what it may"

# crash NAME: its kernel dies.
crash() {
	number=$(xl domid "$1")
	say "crash $1"
	xl sysrq "$1" c || exit
	tries=0
	while [ "$(xl domid "$1" 2>/dev/null || echo "$number")" = "$number" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 120 ] || exit 1
		sleep 1
	done
	say "$1 is back"
}

files=$(count wifibox "$file") packets=$(count firewall 'first packet from')
crash wired
until_line firewall 'eth1 is gone'
files=$(count wifibox "$file")
until_line firewall 'first packet from' "$packets"
until_line wifibox "$file" "$files"
say "healed wired"

files=$(count wifibox "$file") links=$(count firewall 'eth0 is up')
crash wifibox
until_line firewall 'eth0 is up' "$links"
until_line wifibox "$file" "$files"
say "healed wifibox"
if [ "$(xl domid firewall)" != "$firewall" ] || [ "$(count firewall 'firewall: ready')" != 1 ]; then
	say "the firewall was started anew"
	exit 1
fi

xl shutdown -w wifibox || exit
xl shutdown -w wired || exit
say "off"
