# Guests of the base openwrt, from feeds that are generated here. Uses tool, lock, cache, folder.
# shellcheck shell=bash disable=SC2154

# openwrt_lender: the guest on Debian that lends its programs has two packages more than others.
openwrt_lender() {
    mkdir -p "$folder/lender-recipes"
    cp -r recipes overlays kernels firmware-blobs "$folder/lender-recipes"
    cp ci/openwrt-lender.yaml "$folder/lender-recipes/recipes/features/lender.yaml"
    cp "$lock" "$folder/lender.lock"
    "$tool" --quiet --recipes "$folder/lender-recipes" --base debian --flavor hwsim --with lender \
        --lock-file "$folder/lender.lock" --cache-dir "$cache" --out "$folder/lender"
}

# openwrt_feed FORMAT: a feed, recipes beside it that pin its keys not yet, and the lock of the kernel.
openwrt_feed() {
    local place=$folder/$1
    xtask openwrt-feed "$place" --format "$1" --from "$folder/lender"
    # The kernel's lock lies beside the guest's.
    mkdir "$place/lock" "$place/recipes"
    cp "$lock" "$place/lock/debian-trixie-amd64.lock"
    cp -r recipes overlays kernels firmware-blobs "$place/recipes"
}

# openwrt_pin FORMAT: the recipe's keys are those of the feed.
openwrt_pin() {
    sed -i "/^    keys:\$/r $folder/$1/keys.yaml" "$folder/$1/recipes/recipes/bases/openwrt.yaml"
}

# openwrt_guest FORMAT RELEASE ROLE OUTPUT [OPTION...]: of the flavor in `flavor`, if that is set, or else hwsim.
openwrt_guest() {
    local place=$folder/$1 release=$2 role=$3 output=$4 keys
    shift 4
    keys=(--trust-key "$place/usign.pub")
    [ ! -f "$place/apk.pem" ] || keys+=(--trust-key "$place/apk.pem")
    "$tool" --quiet --recipes "$place/recipes" --base openwrt --release "$release" --kernel debian --flavor "${flavor:-hwsim}" --role "$role" \
        --mirror "openwrt=file://$(realpath "$place/mirror")" --lock-file "$place/lock/openwrt.lock" --cache-dir "$cache" \
        "${keys[@]}" --out "$output" "$@"
}
