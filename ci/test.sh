#!/usr/bin/env bash
# Everything that must hold before a change lands: style, tests, licences, a guest built from real packages, built again
# byte for byte, and booted. Ends with a line that counts what passed and what failed.
# shellcheck disable=SC2317 # functions are called by `step`
set -uo pipefail
cd "$(dirname "$0")/.." || exit
export CI=${CI:-true} CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}

passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# step NAME COMMAND...: runs it, counts it.
step() {
    local name=$1 begin=$SECONDS
    shift
    echo "=== $name"
    if "$@"; then
        passed=$((passed + 1))
        echo "=== ok: $name ($((SECONDS - begin)) s)"
    else
        failed=$((failed + 1))
        echo "=== FAILED: $name ($((SECONDS - begin)) s)"
        return 1
    fi
}

# finish: the closing line, and the exit code.
finish() {
    echo
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

# Runs the tests of the workspace and counts each one.
cargo_tests() {
    local log=$work/cargo-test.log status=0
    cargo test --workspace --no-fail-fast >"$log" 2>&1 || status=$?
    grep -vE '^test .* \.\.\. ok$|^$|^running |^ +Compiling ' "$log"
    passed=$((passed + $(sed -nE 's/^test result: .* ([0-9]+) passed;.*/\1/p' "$log" | awk "{n += \$1} END {print n + 0}")))
    failed=$((failed + $(sed -nE 's/^test result: .* ([0-9]+) failed;.*/\1/p' "$log" | awk "{n += \$1} END {print n + 0}")))
    return "$status"
}

deny() {
    command -v cargo-deny >/dev/null || cargo install --quiet --locked cargo-deny || return
    # The advisory database is a repository of its own: it is read where it can be had.
    cargo deny check --hide-inclusion-graph bans licenses sources
}

step "prepare" ci/prepare.sh || finish
step "cargo fmt" cargo fmt --all --check
step "cargo clippy" cargo clippy --workspace --all-targets --quiet -- -D warnings
step "cargo test" cargo_tests
step "fuzz apk v3 for 20 s" cargo xtask fuzz adb --plain --minutes 0.34
step "shellcheck" ci/shellcheck.sh
step "the samples' packet filters" ci/filter.sh
step "documents" cargo xtask docs-check
step "man pages" ci/man.sh
step "workflows" ci/check-workflows.sh
step "cargo deny" deny

tool=target/release/wifibox-build
step "release build" cargo build --release --quiet --workspace || finish
for flavor in iwlwifi hwsim default; do
    step "build $flavor on Debian" "$tool" --base debian --flavor $flavor --out "$work/$flavor" \
        --lock-file "$work/debian.lock" --cache-dir "${WIFIBOX_BUILD_CACHE:-$work/cache}" || finish
done
step "build the access point" "$tool" --base debian --flavor hwsim --role access-point --out "$work/access-point" \
    --frozen --lock-file "$work/debian.lock" --cache-dir "${WIFIBOX_BUILD_CACHE:-$work/cache}" || finish
step "build hwsim for bhyve" "$tool" --base debian --flavor hwsim --hypervisor bhyve --out "$work/hwsim-bhyve" \
    --frozen --lock-file "$work/debian.lock" --cache-dir "${WIFIBOX_BUILD_CACHE:-$work/cache}" || finish
step "files for hosts" ci/host-files.sh "$tool" "$work/hwsim-bhyve" "$work/hwsim" "$work/access-point"
step "every flavor on Debian" ci/flavors.sh "$tool" "$work/debian.lock" "${WIFIBOX_BUILD_CACHE:-$work/cache}" "$work/flavors"
step "verify" "$tool" verify "$work/iwlwifi"
step "one card" ci/one-card.sh "$tool" "$work/debian.lock" "${WIFIBOX_BUILD_CACHE:-$work/cache}"
step "bills of materials" ci/sbom.sh "$work/iwlwifi" "$work/hwsim"
step "remote cache" ci/remote-cache.sh
step "FreeBSD port" ci/freebsd-port-test.sh "$tool" "$work/debian.lock" "${WIFIBOX_BUILD_CACHE:-$work/cache}" "$work/iwlwifi"
step "build for L4Re" "$tool" --base debian --flavor hwsim --hypervisor l4re --compression lz4 --out "$work/l4re" \
    --frozen --lock-file "$work/debian.lock" --cache-dir "${WIFIBOX_BUILD_CACHE:-$work/cache}" &&
    step "files for L4Re" ci/l4re-check.sh "$tool" "$work/l4re" &&
    step "boot: as under L4Re" ci/l4re-boot.sh "$tool" "$work/l4re"
step "reproducible" ci/reproducible.sh "$tool" "$work/hwsim" "$work/debian.lock" hwsim
release_test() {
    install -D -m 0644 "$work/debian.lock" "$work/locks/debian-trixie-amd64.lock" &&
        ci/release-test.sh "$tool" target/release/xtask "$work/locks" "${WIFIBOX_BUILD_CACHE:-$work/cache}"
}
step "release: signed, and refused after one byte" release_test

boot_test() { cargo run --release --quiet --package xtask -- boot-test "$@"; }
step "boot: station, direct" boot_test "$work/hwsim"
step "boot: station, virtio-net" boot_test "$work/hwsim" --nic virtio-net
step "build on Debian 12" "$tool" --base debian --release bookworm --flavor hwsim --out "$work/bookworm" \
    --lock-file "$work/bookworm.lock" --cache-dir "${WIFIBOX_BUILD_CACHE:-$work/cache}" &&
    step "boot: station, Debian 12" boot_test "$work/bookworm"
step "boot: every module of all chipsets loads" boot_test "$work/default" --load-modules --memory 512
step "boot: station, UEFI" boot_test "$work/hwsim" --uefi
step "boot: station, QEMU dressed as bhyve" boot_test "$work/hwsim-bhyve" --as-bhyve
step "boot: access point, direct" boot_test "$work/access-point"
step "boot: station, configuration on a disk" boot_test "$work/hwsim" --config-disk
step "boot: station, direct, smallest memory" boot_test "$work/hwsim" --smallest-memory 88..96 --timeout 120
step "boot: OpenWrt from generated feeds, opkg and apk v3" ci/openwrt-boot.sh "$tool" "$work/debian.lock" \
    "${WIFIBOX_BUILD_CACHE:-$work/cache}" "$work/openwrt"
step "Xen: the real xl, a driver domain, a domain behind it" ci/xen.sh "$tool" "$work/debian.lock" \
    "${WIFIBOX_BUILD_CACHE:-$work/cache}" "$work/xen"
finish
