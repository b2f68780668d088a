#!/usr/bin/env bash
# What maintainer scripts do, as the builder understands them, held against dpkg: each of the 500 packages of
# ci/dpkg-sample.txt is installed by dpkg into a root of Debian 13 of its own, and unpacked and evaluated by the builder over the same
# root in memory. Whatever is understood must come out the same: files, contents, owners, modes, links, accounts.
# Needs root, a Debian mirror in the host's apt configuration, and debootstrap. Nothing of it is kept.
# dpkg-sample.sh FOLDER [SAMPLE]: downloads go to FOLDER, and what is there already is not fetched again.
set -euo pipefail
folder=$1 sample=${2:-ci/dpkg-sample.txt}

# shellcheck source=ci/lib/xtask.sh
source "$(dirname "$0")/lib/xtask.sh"

mkdir -p "$folder/packages"
base=$folder/base
if [ ! -d "$base" ]; then
    # shellcheck disable=SC2016 # apt expands it
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/$')
    rm -rf "$base.new"
    debootstrap --variant=minbase --include=adduser,dbus,openssl,perl,python3,systemd,ucf,udev \
        trixie "$base.new" "$mirror" >"$folder/debootstrap.log" || { cat "$folder/debootstrap.log" && exit 1; }
    # Nothing is started in it.
    printf '#!/bin/sh\nexit 101\n' >"$base.new/usr/sbin/policy-rc.d"
    chmod 755 "$base.new/usr/sbin/policy-rc.d"
    mv "$base.new" "$base"
fi
mapfile -t names < <(grep -v '^#' "$sample")
missing=()
for name in "${names[@]}"; do
    [ -n "$(compgen -G "$folder/packages/${name}_*.deb")" ] || missing+=("$name")
done
if [ ${#missing[@]} -gt 0 ]; then
    cp /etc/resolv.conf "$base/etc/resolv.conf" 2>/dev/null || true
    chroot "$base" apt-get -q update >"$folder/apt.log"
    # What has left the archive since the list was made is left out, and counted below.
    chroot "$base" apt-cache pkgnames | LC_ALL=C sort >"$folder/known"
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | LC_ALL=C sort | LC_ALL=C join - "$folder/known")
    mkdir -p "$base/tmp/packages"
    chroot "$base" env -C /tmp/packages apt-get -q download "${missing[@]}" >>"$folder/apt.log" 2>&1
    find "$base/tmp/packages" -name '*.deb' -exec mv -t "$folder/packages" {} +
    rm -rf "$base/tmp/packages"
fi
packages=()
for name in "${names[@]}"; do
    while IFS= read -r file; do packages+=("$file"); done < <(compgen -G "$folder/packages/${name}_*.deb" || true)
done
xtask dpkg-compare --root "$base" --work "$folder/work" --allow ci/dpkg-sample.allow "${packages[@]}"
