#!/bin/sh
# reconnect.sh: runs in dom0 and connects domains again whose driver domain ended and is back.
#
# xl starts a driver domain again that crashed (on_crash in its configuration), under another number, and the cables of
# the other domains still lead to the old one. Here they are taken off and put on again, with their hardware addresses:
# the other domain sees its network interface go and come, and goes on. A domain that was shut down or destroyed by hand
# stays away until somebody starts it; its cables follow then.
#
# setup.sh installs it as /usr/local/sbin/wifibox-reconnect, which wifibox-reconnect.service starts; without systemd,
# start it in the background before xendomains. Needs xl, and xenstore-list, -read, -rm and -watch (Debian:
# xenstore-utils).
#
# wifibox-reconnect --wait NAME...: waits until these driver domains serve others, and does no more. xl gives a driver
# domain ten seconds to take a cable: on a slow machine wait before what is behind it starts.

set -u
domains=/local/domain
read_() { xenstore-read "$1" 2>/dev/null; }
list() { xenstore-list "$1" 2>/dev/null; }

# serves NUMBER: whether a driver domain takes cables.
serves() { [ "$(read_ "$domains/$1/data/vifs")" = ready ]; }

case ${1:-} in
'') ;;
--wait)
	shift
	for name; do
		until number=$(xl domid "$name" 2>/dev/null) && serves "$number"; do sleep 1; done
	done
	exit
	;;
*)
	echo "wifibox-reconnect: $1 is not known: nothing, or --wait NAME..." >&2
	exit 2
	;;
esac

# Which domain had which number, for as long as dom0 runs.
known=/run/wifibox-reconnect
mkdir -p "$known" || exit

# lost: a line for each cable whose driver domain is gone: domain, number of the cable, the driver domain's name.
lost() {
	for domain in $(list /libxl); do
		for cable in $(list "/libxl/$domain/device/vif"); do
			backend=$(read_ "/libxl/$domain/device/vif/$cable/backend") || continue
			backend=${backend#"$domains"/}
			backend=${backend%%/*}
			if [ "$backend" = 0 ] || [ -n "$(read_ "$domains/$backend/name")" ]; then continue; fi
			name=''
			[ ! -f "$known/$backend" ] || read -r name <"$known/$backend"
			[ -z "$name" ] || echo "$domain $cable $name"
		done
	done
}

# again DOMAIN CABLE NAME: off, and on to the driver domain NAME if that is back and serves others. Fails if it is to be
# tried again.
again() {
	new=$(xl domid "$3" 2>/dev/null) || return 0
	serves "$new" || return 1
	mac=$(read_ "$domains/$1/device/vif/$2/mac")
	type=$(read_ "/libxl/$1/device/vif/$2/type")
	[ -n "$mac" ] || return 1
	xl network-detach "$1" "$2"
	# xl finds nobody who would let go of it.
	for rest in "$domains/$1/device/vif/$2" "/libxl/$1/device/vif/$2"; do
		[ -z "$(list "$rest")" ] || xenstore-rm "$rest"
	done
	xl network-attach "$1" "mac=$mac" "backend=$3" "type=${type:-vif}" || return 1
	echo "wifibox-reconnect: domain $1 is connected to $3 again"
}

look() {
	for domain in $(list "$domains"); do
		name=$(read_ "$domains/$domain/name") && echo "$name" >"$known/$domain"
	done
	left=$(lost)
	# Not forever: what ends meanwhile is another event.
	tries=0
	while [ -n "$left" ] && [ "$tries" -lt 120 ]; do
		echo "$left" | {
			status=0
			while read -r domain cable name; do
				again "$domain" "$cable" "$name" </dev/null || status=1
			done
			exit "$status"
		} && return
		tries=$((tries + 1))
		sleep 1
		left=$(lost)
	done
}

look
xenstore-watch @introduceDomain @releaseDomain | while read -r _; do look; done
