#!/bin/sh
# capture.sh DIR: what 'wifibox-build doctor' looks at, for a report about a guest that does not work.
#
#   doas sh capture.sh /tmp/capture && wifibox-build doctor --from /tmp/capture
#   tar -C /tmp -czf capture.tar.gz capture
#
# Outputs of commands are in DIR/NAME, files of the host in DIR/root, what is where in DIR/paths. Passwords are left
# out; look through it before you pass it on. Nothing is changed. It runs on FreeBSD, on Linux with VFIO and in
# Xen's dom0.

out=${1:?usage: capture.sh DIR}
prefix=${PREFIX:-/usr/local}
export LC_ALL=C PATH="/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:$PATH"
umask 077
mkdir -p "$out/root" || exit 1
limit=
! command -v timeout >/dev/null || limit='timeout 20'

# run NAME COMMAND...: its output, if there is such a program.
run() {
	name=$1
	shift
	command -v "$1" >/dev/null || return 0
	$limit "$@" >"$out/$name" 2>&1 </dev/null
}

# keep FILE...: their last 200 kB, without passwords: those of wpa_supplicant and hostapd, of OpenWrt's UCI, and keys that
# stand in a file.
keep() {
	for file; do
		if [ ! -f "$file" ] || [ ! -r "$file" ]; then continue; fi
		mkdir -p "$out/root${file%/*}"
		tail -c "${bytes:-200000}" "$file" | sed -E \
			-e '/^[[:space:]]*blob-base64-/,/^[[:space:]]*}/d' \
			-e '/BEGIN [A-Z ]*PRIVATE KEY/,/END [A-Z ]*PRIVATE KEY/d' \
			-e 's/^([^=]*(psk|passw|passphrase|secret|wep_key|identity|pin)[^=]*=).*/\1"left out"/' \
			-e "s/^(.*(option|list)[[:space:]]+['\"]?(key[0-9]*|[a-z_]*(psk|pass|secret|identity|pin)[a-z_0-9]*)['\"]?[[:space:]]).*/\\1'left out'/" \
			>"$out/root$file"
	done
}

# note PATH...: whether it is there, and as what.
note() {
	tab=$(printf '\t')
	for path; do
		kind=none more=
		if [ -d "$path" ]; then
			kind=folder
		elif [ -f "$path" ]; then
			kind=file more=$(wc -c <"$path" | tr -d ' ')
		elif [ -e "$path" ]; then
			kind=other
		fi
		if [ -L "$path" ]; then
			echo "link$tab$path$tab$(readlink "$path")$tab$kind"
		else
			echo "$kind$tab$path$tab$more"
		fi
	done >>"$out/paths"
}

# below FOLDER: its files, of text.
below() {
	[ ! -d "$1" ] || find "$1" -type f -size -400 2>/dev/null | while IFS= read -r file; do
		case ${file##*/} in
		*.pem | *.key | *.p12 | *.pfx | *.der | *.pac | *psk* | *passw* | *secret* | *eap_user* | *shadow* | id_*) ;;
		*) keep "$file" ;;
		esac
	done
}

: >"$out/paths"
uname -s >"$out/system"
run uname uname -a
run dmesg dmesg
run ps ps -axww -o pid,command
case $(uname -s) in
FreeBSD)
	images=$prefix/share/wifibox configuration=$prefix/etc/wifibox var=/var/run/wifibox/appliance
	run sysctl sysctl hw.model hw.physmem hw.vmm kern.securelevel kern.osreldate kern.module_path
	run kldstat kldstat
	run pciconf pciconf -lv
	run pciconf-caps pciconf -lc
	run acpi-tables sh -c 'acpidump -t | grep -E "^  *(DMAR|IVRS)|ACPI|RSD"'
	run bhyve-devices bhyve -s help
	run ifconfig ifconfig
	run routes netstat -rn
	run mount mount
	keep /boot/loader.conf /boot/loader.conf.local /boot/loader.conf.d/*.conf /etc/rc.conf /etc/rc.conf.local \
		/etc/sysctl.conf "$prefix"/etc/devd/wifibox.conf
	note "$prefix/sbin/wifibox" "$prefix/etc/rc.d/wifibox" "$prefix/share/uefi-firmware/BHYVE_UEFI.fd" \
		"$prefix/bin/socat" "$configuration/bhyve.conf" "$configuration/core.conf" "$prefix/etc/devd/wifibox.conf" \
		/dev/nmdm-wifibox.1A /boot/kernel/vmm.ko /boot/kernel/nmdm.ko
	;;
*)
	images=/var/lib/libvirt/images/wifibox configuration=/etc/wifibox var=/var/lib/wifibox
	run lspci lspci -Dnnk
	run iommu-groups find /sys/kernel/iommu_groups -type l
	run ifconfig ip addr show
	run routes ip route show
	if [ -r /proc/xen/capabilities ] && grep -q control_d /proc/xen/capabilities; then
		images=/var/lib/xen/images/wifibox
		echo Xen >"$out/system"
		run xl-info xl info
		run xl-assignable xl pci-assignable-list
		run xl-list xl list
		run bridges ip -o link show type bridge
		keep /etc/xen/wifibox.cfg
		note /etc/xen/wifibox.cfg
	else
		run virsh-list virsh list --all
		run virsh-net virsh net-list --all
		run virsh-domain virsh dumpxml wifibox
		note /dev/kvm /dev/vfio/vfio
	fi
	keep /proc/cmdline /proc/cpuinfo /etc/default/grub
	note "$images/vmlinuz" "$images/initramfs.img"
	;;
esac
keep /etc/resolv.conf /var/log/wifibox.log
# JSON is read whole or not at all.
bytes=8000000 && keep "$images/manifest.json" && bytes=
below "$configuration"
keep "$var/log/status" "$var/log/status.json" "$var/log/dmesg" "$var/log/messages"
note "$images/root.img" "$images/esp.img" "$images/manifest.json" "$configuration/appliance" "$configuration/app_config" \
	"$var" "$var/log" "$var/log/status.json" /var/log/wifibox.log
