#!/usr/bin/env bash
# release-shards.sh TOOL XTASK LOCK CACHE [FLAVOR...]: a release of these flavors on Debian (hwsim, ath12k and iwlwifi) made
# in pieces by three machines, one of which dies in the middle, is the same, byte for byte, as one made on one machine.
#
# A machine is a network namespace with a home and a cache of its own. They share nothing but an S3 server (moto, of
# PyPI), the shards, and what stands for the distribution's mirror. Asks for root; touches no interface of the machine.
set -euo pipefail
tool=$(realpath "$1") xtask=$(realpath "$2") lock=$(realpath -m "$3") cache=$(realpath -m "$4")
shift 4
[ $# -gt 0 ] || set -- hwsim ath12k iwlwifi
cd "$(dirname "$0")/.."
work=$(mktemp -d)
id=$$
# shellcheck source=ci/lib/s3.sh
source ci/lib/s3.sh
# shellcheck disable=SC2329 # called by trap
finish() {
    # The server is below the shell that went into its namespace.
    ip netns pids "shards-$id-hub" | xargs -r kill || true
    for name in hub 1 2 3; do ip netns delete "shards-$id-$name" 2>"$work/log" || true; done
    rm -rf "$work"
}
trap finish EXIT

# The network: a hub with the server, and three machines.
address=10.87.0
ip netns add "shards-$id-hub"
inside() { ip netns exec "shards-$id-$1" "${@:2}"; }
inside hub ip link set lo up
inside hub ip link add bridge type bridge
inside hub ip address add "$address.10/24" dev bridge
inside hub ip link set bridge up
for machine in 1 2 3; do
    ip netns add "shards-$id-$machine"
    inside hub ip link add "port$machine" type veth peer name eth0 netns "shards-$id-$machine"
    inside hub ip link set "port$machine" master bridge up
    inside "$machine" ip address add "$address.1$machine/24" dev eth0
    inside "$machine" ip link set eth0 up
    inside "$machine" ip link set lo up
done
mkdir "$work/s3"
s3_server "$work/s3" "$address.10" 5000 inside hub

[ -f "$lock" ] || "$tool" --quiet lock --base debian --lock-file "$lock" --cache-dir "$cache" >"$work/log"
# What stands for Debian's mirror, and the locks, which are made once.
flavors=()
for flavor in "$@"; do
    flavors+=(--flavor "$flavor")
    "$tool" --quiet bundle "$work/bundle" --base debian --flavor "$flavor" --lock-file "$lock" --cache-dir "$cache" >"$work/log"
    mkdir -p "$work/mirror"
    cp -rT "$work/bundle" "$work/mirror"
    rm -rf "$work/bundle"
done
install -D -m 0644 "$lock" "$work/locks/debian-trixie-amd64.lock"
minisign -G -W -p "$work/minisign.pub" -s "$work/minisign.key" >"$work/log"
ci/release.sh plan --base debian "${flavors[@]}" --tool "$tool" >"$work/plan.json"

# machine NUMBER GUEST: builds the guest there.
machine() {
    local home=$work/machine-$1
    mkdir -p "$home"
    inside "$1" env -i PATH="$PATH" HOME="$home" no_proxy='*' AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing \
        AWS_REGION=us-east-1 AWS_ENDPOINT_URL="http://$address.10:5000" setsid --wait \
        ci/release.sh one "$2" --plan "$work/plan.json" --shard "$work/shards/$2" --locks "$work/locks" \
        --cache-dir "$home/cache" --remote-cache s3://wifibox/release --mirror "debian=$work/mirror" \
        --mirror "debian-security=$work/mirror" --boot none --jobs 1 --tool "$tool"
}
seal() {
    ci/release.sh seal --plan "$work/plan.json" --key "$work/minisign.key" --tool "$tool" --xtask "$xtask" "$@"
}
mkdir "$work/shards"
mapfile -t guests < <(python3 -c 'import json, sys
for guest in json.load(open(sys.argv[1]))["guests"]: print(guest["name"])' "$work/plan.json")
begin=$SECONDS
machine 1 "${guests[0]}"
# The second machine dies while it builds.
machine 2 "${guests[1]}" &
dying=$!
for _ in $(seq 600); do
    [ -z "$(find "$work/machine-2/cache" -type f -path '*store*' -print -quit 2>"$work/log")" ] || break
    sleep 0.1
done
sleep 2
pkill -KILL -s "$(pgrep -f "release/one.sh ${guests[1]} --plan $work/plan.json" | head -n 1)"
wait "$dying" && {
    echo "the machine that was to die did not" >&2
    exit 1
}
for guest in "${guests[@]:2}"; do machine 3 "$guest"; done
echo "without the guest of the machine that died:"
if seal --out "$work/early" "$work/shards" 2>"$work/refused"; then exit 1; fi
cat "$work/refused"
grep -q "1 of ${#guests[@]} guests are missing: ${guests[1]}" "$work/refused"
[ ! -e "$work/early" ]
# Another takes its place, for the missing guest only.
machine 3 "${guests[1]}"
echo "=== three machines: $((SECONDS - begin)) s"

# A shard that was damaged on its way is refused.
cp -a "$work/shards" "$work/damaged"
printf x >>"$work/damaged/${guests[0]}/guests/${guests[0]}/cmdline"
if seal --out "$work/early" "$work/damaged" 2>"$work/refused"; then exit 1; fi
cat "$work/refused"
grep -q 'cmdline is not what was built' "$work/refused"

# In any order.
mapfile -t reversed < <(printf '%s\n' "$work/shards"/* | tac)
seal --out "$work/sharded" --times "$work/times.json" "${reversed[@]}"
ci/release.sh --out "$work/serial" --key "$work/minisign.key" --base debian "${flavors[@]}" --tool "$tool" --xtask "$xtask" \
    --locks "$work/locks" --cache-dir "$cache" --boot none
diff -r "$work/serial" "$work/sharded"
ci/release.sh plan --base debian "${flavors[@]}" --tool "$tool" --weights "$work/times.json" | python3 -c '
import json, sys

plan, times = json.load(sys.stdin), json.load(open(sys.argv[1]))
assert all(guest["weight"] == times[guest["name"]] for guest in plan["guests"]), (plan, times)' "$work/times.json"
echo "the release of three machines, one of which died, and that of one machine: the same $(find "$work/serial" -type f | wc -l) files"
