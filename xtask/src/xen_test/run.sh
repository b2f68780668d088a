#!/bin/sh
# What dom0 runs: parses configurations, installs the guest as a driver domain, starts it with the card,
# starts a domain behind it, and ends both. The host waits for the lines that begin with `test:`.

# shellcheck source=xtask/src/xen_test/dom0.sh
. /domains/dom0.sh

for case in cases/*; do
	# xl tells on its standard error which file it reads, and what it does not like.
	words=$(xl create -n "$case" 2>&1 >/dev/null)
	status=$?
	words=$(echo "$words" | grep -v '^Parsing config from ' | tr '\n' ' ')
	say "parsed ${case#cases/} status $status: $words"
done

# What a dry run lets through: Xen itself refuses it.
cat >/tmp/pvh.cfg <<-CFG
	name = "pvh"
	type = "pvh"
	memory = 64
	kernel = "/domains/output/vmlinuz"
	pci = [ "@CARD@" ]
CFG
xl pci-assignable-add @CARD@
xl create /tmp/pvh.cfg && exit 1
say "pvh refused"

sh output/host/xen/setup.sh || exit
cp output/config.img /var/lib/xen/images/wifibox/config.img
ip link add name xenbr0 type bridge
ip link set dev xenbr0 up

# Each domain's console, with its name before each line.
for name in wifibox client; do
	: >/var/log/xen/console/guest-$name.log
	tail -f /var/log/xen/console/guest-$name.log | sed "s/^/$name| /" &
done

# until_line NAME TEXT: waits for a line of a domain's console.
until_line() {
	tries=0
	until grep -q "$2" "/var/log/xen/console/guest-$1.log"; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || exit 1
		sleep 1
	done
}

xl create /etc/xen/wifibox.cfg || exit
say "created wifibox: $(xl pci-list wifibox | tail -n 1)"
until_line wifibox 'wifibox: wan0: BOUND'

cat >/tmp/client.cfg <<-CFG
	name = "client"
	type = "pv"
	memory = 80
	kernel = "/domains/output/vmlinuz"
	ramdisk = "/domains/client.img"
	cmdline = "quiet console=hvc0"
	vif = [ "backend=wifibox" ]
	on_poweroff = "destroy"
CFG
xl create /tmp/client.cfg || exit
say "created client: $(xl network-list client | tail -n 1)"

# served: the domains that have an interface in the guest.
driver=$(xl domid wifibox)
served() { xenstore-list "/local/domain/$driver/backend/vif" 2>/dev/null; }
[ "$(served)" = "$(xl domid client)" ] || exit 1
until_line client 'client: file'

# The guest removes the folder of the other's interface, and with it the interface.
tries=0
while xl domid client >/dev/null 2>&1 || [ -n "$(served)" ]; do
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || exit 1
	sleep 0.5
done
say "clean after $tries half seconds"

xl shutdown -w wifibox || exit
say "off: $(xl list | wc -l) lines in the list of domains"
