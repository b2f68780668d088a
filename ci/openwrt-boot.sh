#!/usr/bin/env bash
# Guests of the base openwrt from feeds that are generated here, in both formats (opkg and apk v3), with Debian's kernel and
# Debian's busybox, dnsmasq, hostapd, mke2fs, nft and wpa_supplicant in the packages: they boot and pass the Wi-Fi test,
# and one keeps its settings when the power fails.
# openwrt-boot.sh TOOL LOCK CACHE FOLDER: LOCK is that of Debian, outputs go to FOLDER.
set -euo pipefail
tool=$1 lock=$2 cache=$3 folder=$4

# shellcheck source=ci/lib/xtask.sh
source "$(dirname "$0")/lib/xtask.sh"

# The guest that lends its programs has two packages more than others.
mkdir -p "$folder/lender-recipes"
cp -r recipes overlays kernels firmware-blobs "$folder/lender-recipes"
cp ci/openwrt-lender.yaml "$folder/lender-recipes/recipes/features/lender.yaml"
cp "$lock" "$folder/lender.lock"
"$tool" --quiet --recipes "$folder/lender-recipes" --base debian --flavor hwsim --with lender --lock-file "$folder/lender.lock" \
    --cache-dir "$cache" --out "$folder/lender"

# build FORMAT RELEASE RECIPES ROLE [OPTION...]
build() {
    local place=$folder/$1 release=$2 recipes=$3 role=$4
    shift 4
    "$tool" --quiet --recipes "$recipes" --base openwrt --release "$release" --kernel debian --flavor hwsim --role "$role" \
        --mirror "openwrt=file://$(realpath "$place/mirror")" --lock-file "$place/lock/openwrt.lock" --cache-dir "$cache" \
        --out "$place/${output:-$role}" "$@"
}
for feed in opkg:24.10 adb:25.12; do
    format=${feed%:*} release=${feed#*:}
    place=$folder/$format
    xtask openwrt-feed "$place" --format "$format" --from "$folder/lender"
    # The kernel's lock lies beside the guest's.
    mkdir "$place/lock" "$place/recipes"
    cp "$lock" "$place/lock/debian-trixie-amd64.lock"
    keys=(--trust-key "$place/usign.pub")
    [ ! -f "$place/apk.pem" ] || keys+=(--trust-key "$place/apk.pem")
    cp -r recipes overlays kernels firmware-blobs "$place/recipes"
    # A key in a file is not enough: the recipe pins fingerprints.
    if build "$format" "$release" "$place/recipes" station "${keys[@]}" 2>"$place/refusal"; then
        echo "openwrt-boot.sh: a feed was taken whose key no recipe pins" >&2
        exit 1
    fi
    grep -E 'is signed by key|none of its signing keys' "$place/refusal"
    sed -i "/^    keys:\$/r $place/keys.yaml" "$place/recipes/recipes/bases/openwrt.yaml"
    for role in station access-point; do
        build "$format" "$release" "$place/recipes" "$role" "${keys[@]}"
        xtask boot-test "$place/$role" --timeout 120
    done
done

# Settings outlive the power: the disk that a guest formats at its first boot is recovered at the next.
place=$folder/opkg
output=persistent build opkg 24.10 "$place/recipes" station --persistent --trust-key "$place/usign.pub"
xtask boot-test "$place/persistent" --timeout 120 --power-cut
