#!/usr/bin/env bash
# Two builds of one lock, in different folders, as different users, with another umask, time zone, locale and number of
# threads, from a cold and from a warm store: every output byte must be equal.
# usage: ci/reproducible.sh PATH-TO-WIFIBOX-BUILD FIRST-OUTPUT LOCK-FILE FLAVOR
set -euo pipefail

tool=$(realpath "$1") first=$(realpath "$2") lock=$(realpath "$3") flavor=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 0755 "$work"
install -d -m 0777 "$work/elsewhere with spaces"
install -m 0644 "$lock" "$work/lock"
install -m 0755 "$tool" "$work/tool"

# Another user where there is one to be had: as root, nobody; otherwise ourselves.
as_other=()
if [ "$(id -u)" -eq 0 ]; then as_other=(setpriv --reuid 65534 --regid 65534 --clear-groups); fi

cd "$work/elsewhere with spaces"
umask 0077
echo "second build: other folder, user, umask, TZ, LC_ALL, cold store, --jobs 1"
HOME="$work/elsewhere with spaces" TZ=Pacific/Kiritimati LC_ALL=tr_TR.UTF-8 "${as_other[@]}" \
    "$work/tool" --quiet --base debian --flavor "$flavor" --locked --lock-file "$work/lock" \
    --cache-dir "$work/elsewhere with spaces/cache" --jobs 1 --out "$work/elsewhere with spaces/second"

echo "third build: warm store, --frozen, --jobs 2"
HOME="$work/elsewhere with spaces" TZ=America/St_Johns LC_ALL=C "${as_other[@]}" \
    "$work/tool" --quiet --base debian --flavor "$flavor" --frozen --lock-file "$work/lock" \
    --cache-dir "$work/elsewhere with spaces/cache" --jobs 2 --out "$work/elsewhere with spaces/third"

for other in second third; do
    diff -r "$first" "$work/elsewhere with spaces/$other"
    # Modes are part of an output too.
    diff <(cd "$first" && find . -printf '%P %y %m\n' | LC_ALL=C sort) \
        <(cd "$work/elsewhere with spaces/$other" && find . -printf '%P %y %m\n' | LC_ALL=C sort)
done
echo "identical: $(find "$first" -type f | wc -l) files, SHA256SUMS $(sha256sum <"$first/SHA256SUMS" | cut -c1-16)"
