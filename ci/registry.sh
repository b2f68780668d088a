#!/usr/bin/env bash
# registry.sh TOOL XTASK GUEST LOCK CACHE: guests in a real registry (Debian's docker-registry, on loopback, with a
# login): pushed, pulled, verified, installed; refused where the login, the key or the registry's disk is wrong; and how
# many bytes move when a guest has changed by one package. GUEST is an output of the flavor hwsim on Debian, made with
# this lock and cache.
set -euo pipefail
tool=$(realpath "$1") xtask=$(realpath "$2") guest=$(realpath "$3") lock=$(realpath "$4") cache=$5
port=${PORT:-5567}
work=$(mktemp -d)
registry=
finish() {
    local code=$?
    [ "$code" -eq 0 ] || tail -n 20 "$work/registry.log" >&2 || true
    [ -z "$registry" ] || kill "$registry"
    rm -rf "$work"
}
trap finish EXIT
host=localhost:$port repository=wifibox/guests
at=oci://$host/$repository
export WIFIBOX_BUILD_CACHE=$work/cache HOME=$work/home
mkdir "$HOME" "$work/root"

htpasswd -Bbc -C 5 "$work/htpasswd" ci secret 2>/dev/null
cat >"$work/registry.yml" <<YAML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/data}}
http: {addr: "127.0.0.1:$port"}
auth: {htpasswd: {realm: ci, path: $work/htpasswd}}
YAML
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
registry=$!
for _ in {1..100}; do
    ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    sleep 0.1
done

# refused CODE WORDS COMMAND...: it ends with this code, and says this.
refused() {
    local code=0 expected=$1 words=$2
    shift 2
    "$@" >"$work/log" 2>&1 || code=$?
    if [ "$code" -ne "$expected" ] || ! grep -qF -- "$words" "$work/log"; then
        cat "$work/log"
        echo "expected exit code $expected and the words '$words', found $code: $*" >&2
        exit 1
    fi
}
# number FIELD...: a number of the last result.
number() {
    python3 - "$work/result" "$@" <<'PYTHON'
import json, sys

value = json.load(open(sys.argv[1]))
for key in sys.argv[2:]:
    value = value[key]
print(value)
PYTHON
}
# result COMMAND...: does it, and keeps the result.
result() { "$@" --json >"$work/result"; }
# is EXPECTED FOUND WHAT
is() {
    [ "$1" = "$2" ] || {
        echo "$3: expected $1, found $2" >&2
        exit 1
    }
}
login() { WIFIBOX_BUILD_REGISTRY_USERNAME=ci WIFIBOX_BUILD_REGISTRY_PASSWORD=secret "$@"; }

minisign -G -W -p "$work/minisign.pub" -s "$work/minisign.key" >/dev/null
minisign -G -W -p "$work/other.pub" -s "$work/other.key" >/dev/null
sign() { minisign -S -s "$work/minisign.key" -m "$1/SHA256SUMS" -t "$2" >/dev/null; }
cp -a "$guest" "$work/guest"
sign "$work/guest" "the guest"
pull() { login "$tool" --quiet pull "$1" --out "$work/pulled" --public-key "$work/minisign.pub" "${@:2}"; }

echo "== login"
refused 1 "asks for a login" "$tool" push "$at:v1" "$work/guest"
printf wrong | refused 1 "refused the login of ci" "$tool" push "$at:v1" "$work/guest" --username ci --password-stdin

echo "== a push that is killed, and done again"
login "$tool" push "$at:v1" "$work/guest" >"$work/log" 2>&1 &
push=$!
# Once a few blobs are there.
for _ in {1..400}; do
    [ "$(find "$work/data" -path '*/blobs/*' -name data 2>/dev/null | wc -l)" -lt 4 ] || break
    sleep 0.02
done
kill -KILL "$push"
wait "$push" 2>/dev/null || true
refused 1 "nothing of that name" pull "$at:v1"
printf secret >"$work/password"
"$tool" --quiet push "$at:v1" "$work/guest" --username ci --password-stdin --json <"$work/password" >"$work/result"
there=$(number push there count)
echo "sent: $(number push sent bytes) bytes; there from before: $there files"
[ "$there" -gt 0 ]
is False "$(number push lists_referrers)" "a registry without a list of referrers"
result login "$tool" push "$at:v1" "$work/guest"
is 0 "$(number push sent count)" "files that a second push sends"

echo "== pulled, verified, the same"
mkdir -p "$HOME/.docker"
printf '{"auths": {"%s": {"auth": "%s"}}}' "$host" "$(printf ci:secret | base64)" >"$HOME/.docker/config.json"
result "$tool" --quiet pull "$at:v1" --out "$work/pulled" --public-key "$work/minisign.pub"
rm "$HOME/.docker/config.json"
echo "fetched: $(number pull fetched bytes) bytes, $(number pull fetched count) files"
diff -r "$work/guest" "$work/pulled"
modes() { (cd "$1" && find . -printf '%P %m %y %l\n' | LC_ALL=C sort); }
diff <(modes "$work/guest") <(modes "$work/pulled")
"$tool" --quiet verify "$work/pulled" --public-key "$work/minisign.pub" >/dev/null
minisign -Vq -m "$work/pulled/SHA256SUMS" -p "$work/minisign.pub"
result pull "$at:v1"
is 0 "$(number pull fetched bytes)" "bytes that a second pull fetches"
rm -rf "$work/cache"
result pull "$at:v1"
is 0 "$(number pull fetched bytes)" "bytes that a pull into the same folder fetches without a cache"

echo "== refused: no key, another key, no network"
elsewhere=("$tool" pull "$at:v1" --out "$work/refused")
refused 2 "only with the key" "${elsewhere[@]}"
refused 4 "another key" login "${elsewhere[@]}" --public-key "$work/other.pub"
refused 1 "network may not be used" "${elsewhere[@]}" --public-key "$work/minisign.pub" --offline

echo "== refused: a blob that was changed on the registry's disk"
sha256=$(sha256sum "$work/guest/root.img" | cut -d ' ' -f 1)
blob=$work/data/docker/registry/v2/blobs/sha256/${sha256:0:2}/$sha256/data
cp "$blob" "$work/blob"
printf x | dd of="$blob" bs=1 seek=100000 conv=notrunc status=none
rm -rf "$work/cache"
refused 4 "root.img is not what was expected" login "${elsewhere[@]}" --public-key "$work/minisign.pub"
[ ! -e "$work/refused" ]
cp "$work/blob" "$blob"

echo "== installed"
install=("$tool" --quiet install "$at:v1" --root "$work/root" --hypervisor bhyve --public-key)
refused 4 "another key" login "${install[@]}" "$work/other.pub"
refused 1 "network may not be used" "${install[@]}" "$work/minisign.pub" --offline
login "${install[@]}" "$work/minisign.pub" >/dev/null
cmp "$work/root/usr/local/share/wifibox/root.img" "$work/guest/root.img"

echo "== one package more: only what changed moves"
"$tool" --quiet --base debian --flavor hwsim --with tcpdump --out "$work/next" --lock-file "$lock" --cache-dir "$cache" --locked >/dev/null
sign "$work/next" "the next guest"
result login "$tool" push "$at:v2" "$work/next"
echo "sent: $(number push sent bytes) bytes in $(number push sent count) files; there: $(number push there bytes) bytes in $(number push there count)"
result pull "$at:v2"
echo "fetched: $(number pull fetched bytes) bytes in $(number pull fetched count) files; here: $(number pull here bytes) bytes in $(number pull here count)"
diff -r "$work/next" "$work/pulled"
[ "$(number pull here bytes)" -gt "$(stat -c %s "$guest/vmlinuz")" ]

echo "== a release: one tag for all guests, one of them pulled"
mkdir -p "$work/release/guests" "$work/release/locks"
mv "$work/guest" "$work/release/guests/debian-hwsim"
mv "$work/next" "$work/release/guests/debian-hwsim-tcpdump"
cp "$lock" "$work/release/locks/debian-trixie-amd64.lock"
"$xtask" release "$work/release" >/dev/null
sign "$work/release" "a release"
result login "$tool" push "$at:release" "$work/release"
echo "sent: $(number push sent bytes) bytes; there: $(number push there bytes) bytes"
refused 2 "several guests hwsim" pull "$at:release" --flavor hwsim
result pull "$at:release" --flavor debian-hwsim
diff -r "$work/release/guests/debian-hwsim" "$work/pulled"
rm -rf "$work/pulled"
result pull "$at:release"
diff -r "$work/release" "$work/pulled"
echo "fetched for all of it: $(number pull fetched bytes) bytes; here: $(number pull here bytes) bytes"
