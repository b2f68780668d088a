#!/usr/bin/env bash
# Everything that must hold before a change lands: style, tests, licences, guests built from real packages, built again
# byte for byte, and booted.
#
#   ci/test.sh            all of it, with what it needs installed first: what continuous integration runs
#   ci/test.sh --quick    what a change needs first: no guest is built or booted, nothing is installed, and a step whose
#                         program is not there is skipped, by name
#   ci/test.sh --long     what takes too long for every change
#
# Steps run side by side (ci/lib/steps.sh). Ends with a line that counts what passed, failed and was skipped.
# shellcheck disable=SC2317 # functions are called by `step`
set -uo pipefail
cd "$(dirname "$0")/.." || exit

usage() {
    sed -n '5,/^#$/s/^# \{0,3\}//p' "$0"
    exit "$1"
}
mode=full
case ${1:-} in
'') ;;
--quick | --long) mode=${1#--} ;;
-h | --help) usage 0 ;;
*) usage 2 >&2 ;;
esac
[ $# -le 1 ] || usage 2 >&2
# shellcheck source=ci/lib/steps.sh
source ci/lib/steps.sh

export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
target=${CARGO_TARGET_DIR:-target}
# The chores are built with the tests, the program as it is released.
tool=$target/release/wifibox-build
export XTASK=$target/debug/xtask
[[ $XTASK == /* ]] || XTASK=$PWD/$XTASK
cache=${WIFIBOX_BUILD_CACHE:-$work/cache} lock=$work/debian.lock

# Runs the tests of the workspace and counts each one. A test that needs what is not there prints a line that begins
# with `skipped: `; where CI is set it fails.
cargo_tests() {
    local log=$work/cargo-test.log status=0
    # As it goes: of what hangs, the last line says its name.
    cargo test --workspace --no-fail-fast -- --show-output 2>&1 | tee "$log" | awk -f ci/lib/cargo-test.awk || status=$?
    # shellcheck disable=SC2046 # three numbers
    counted $(awk -v count=yes -f ci/lib/cargo-test.awk "$log")
    return "$status"
}

# What needs no guest of real packages.
checks() {
    lane rust
    step "cargo fmt" cargo fmt --all --check
    step "cargo clippy" cargo clippy --workspace --all-targets --quiet -- -D warnings
    needs python3
    step "declared version of Rust" ci/rust-version.sh
    [ "$mode" = quick ] || step "without default features" cargo check --package wifibox-build --no-default-features --quiet
    step "cargo doc" env RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
    step "build tests and chores" cargo build --workspace --bins --tests --quiet
    after "build tests and chores"
    step "cargo test" cargo_tests
    lane
    light
    needs python3
    step "the runner of these steps" ci/steps-test.sh
    light
    needs minisign
    step "kernels are gathered, signed and published" ci/kernel-test.sh
    needs shellcheck
    step "shellcheck" ci/shellcheck.sh
    light
    needs iptables-restore
    step "the samples' packet filters" ci/filter.sh
    light
    needs python3
    step "workflows" ci/check-workflows.sh
    light
    needs python3
    step "cargo deny" ci/deny.sh
    after "build tests and chores"
    step "documents" "$XTASK" docs-check
    after "build tests and chores"
    needs mandoc
    step "man pages" ci/man.sh
    after "build tests and chores"
    [ "$(uname)" != Linux ] || step "faults: every 50th call fails" "$XTASK" faults --every 50 --first 7 --jobs 1
    after "build tests and chores"
    local seconds=5
    [ "$mode" != quick ] || seconds=1
    step "fuzz every reader for $seconds s" "$XTASK" fuzz all --seconds "$seconds" --jobs 2 --slowest 20
}

# debian NAME ARGUMENT...: a guest of Debian's packages in the folder NAME.
debian() {
    local name=$1
    shift
    "$tool" --base debian --out "$work/$name" --lock-file "$lock" --cache-dir "$cache" "$@"
}
# keeps NAME MODULE: the guest in the folder NAME has the kernel module.
keeps() {
    python3 - "$work/$1/manifest.json" "$2" <<'PYTHON'
import json, sys

names = sorted(module["name"] for module in json.load(open(sys.argv[1]))["modules"])
print(*names)
sys.exit(sys.argv[2] not in names)
PYTHON
}
release_test() {
    install -D -m 0644 "$lock" "$work/locks/debian-trixie-amd64.lock" &&
        ci/release-test.sh "$tool" "$XTASK" "$work/locks" "$cache"
}

# Guests of real packages, and what is done with them.
guests() {
    lane guests
    # Tests run meanwhile, and some give a server less than a second.
    step "release build" nice -n 5 cargo build --release --quiet --package wifibox-build
    after "release build"
    step "build hwsim on Debian" debian hwsim --flavor hwsim
    for flavor in iwlwifi default; do
        after "build hwsim on Debian"
        step "build $flavor on Debian" debian $flavor --flavor $flavor
    done
    for flavor in hwsim ath12k; do
        after "build hwsim on Debian"
        step "build $flavor with the kernel of backports" debian $flavor-backports --flavor $flavor --kernel backports
    done
    after "build ath12k with the kernel of backports"
    step "ath12k with the kernel of backports drives its cards" keeps ath12k-backports ath12k_wifi7
    after "build hwsim on Debian"
    step "the kernel is today's, security updates included" ci/newest-kernel.sh "$work/hwsim"
    after "build hwsim on Debian"
    step "build the access point" debian access-point --flavor hwsim --role access-point --frozen
    after "build hwsim on Debian"
    step "build hwsim for bhyve" debian hwsim-bhyve --flavor hwsim --hypervisor bhyve --frozen
    after "build hwsim on Debian"
    step "build on Debian 12" "$tool" --base debian --release bookworm --flavor hwsim --out "$work/bookworm" \
        --lock-file "$work/bookworm.lock" --cache-dir "$cache"
    after "build hwsim on Debian"
    step "build for L4Re" debian l4re --flavor hwsim --hypervisor l4re --compression lz4 --frozen

    lane
    after "build tests and chores" "build hwsim on Debian"
    step "Xen: the real xl, a driver domain, a domain behind it" ci/xen.sh "$tool" "$lock" "$cache" "$work/xen"
    after "build tests and chores" "build hwsim on Debian"
    step "the kernel slim can be configured as it is asked for" ci/slim-config.sh "$cache" "$work/slim"
    after "build tests and chores" "build hwsim on Debian"
    step "64-bit Arm: built, its files for hosts, booted" ci/arm.sh "$tool" "$cache" "$work/arm"
    after "build tests and chores" "build the access point"
    step "boot: an access point whose image pins what it does on the air" ci/pinned.sh "$tool" "$lock" "$cache" "$work/pinned"
    after "build tests and chores" "build hwsim on Debian"
    step "boot: Alpine from real packages, its scripts understood" ci/alpine-boot.sh "$tool" "$lock" "$cache" "$work/alpine"
    after "build tests and chores" "build hwsim on Debian"
    step "boot: OpenWrt from generated feeds, opkg and apk v3" ci/openwrt-boot.sh "$tool" "$lock" "$cache" "$work/openwrt"
    after "build hwsim on Debian"
    step "every flavor on Debian" ci/flavors.sh "$tool" "$lock" "$cache" "$work/flavors"
    after "build iwlwifi on Debian"
    step "FreeBSD port" ci/freebsd-port-test.sh "$tool" "$lock" "$cache" "$work/iwlwifi"
    after "build tests and chores" "build hwsim on Debian"
    step "release: signed, and refused after one byte" release_test
    after "build hwsim on Debian"
    step "reproducible" ci/reproducible.sh "$tool" "$work/hwsim" "$lock" hwsim
    after "build hwsim on Debian" "build the access point" "build hwsim for bhyve"
    step "files for hosts" ci/host-files.sh "$tool" "$work/hwsim-bhyve" "$work/hwsim" "$work/access-point"
    after "build hwsim on Debian"
    step "the book's commands on hosts with Xen, libvirt and L4Re" ci/book-hosts.sh "$tool" "$lock" "$cache"
    after "release build"
    step "lint: files that others take" ci/lint/corpus.sh "$tool"
    after "build for L4Re"
    step "files for L4Re" ci/l4re-check.sh "$tool" "$work/l4re"
    after "build iwlwifi on Debian"
    step "pages in Chromium" ci/pages.sh "$tool" "$work/iwlwifi"
    after "build iwlwifi on Debian"
    step "verify" "$tool" verify "$work/iwlwifi"
    after "build tests and chores" "build hwsim on Debian"
    step "a project: twice, booted" ci/project.sh "$tool" "$XTASK" "$lock" "$cache" "$work/project"
    after "build tests and chores" "build hwsim on Debian"
    step "guests in a registry" ci/registry.sh "$tool" "$XTASK" "$work/hwsim" "$lock" "$cache"
    after "build hwsim on Debian"
    step "one card" ci/one-card.sh "$tool" "$lock" "$cache"
    after "build iwlwifi on Debian" "build hwsim on Debian"
    step "bills of materials" ci/sbom.sh "$work/iwlwifi" "$work/hwsim"
    after "cargo test"
    step "remote cache" ci/remote-cache.sh
}

# boot NAME AFTER GUEST ARGUMENT...: when the step AFTER has built the guest.
boot() {
    local name=$1 built=$2 guest=$3
    shift 3
    after "build tests and chores" "$built"
    step "boot: $name" "$XTASK" boot-test "$work/$guest" "$@"
}
boots() {
    lane
    boot "station, direct" "build hwsim on Debian" hwsim
    boot "station, virtio-net" "build hwsim on Debian" hwsim --nic virtio-net
    boot "station, Debian 12" "build on Debian 12" bookworm
    boot "every module of all chipsets loads" "build default on Debian" default --load-modules --memory 512
    boot "station, UEFI" "build hwsim on Debian" hwsim --uefi
    boot "station, kernel of backports" "build hwsim with the kernel of backports" hwsim-backports
    # The machine that it makes is that of wifibox.config: boot-test --as-bhyve would boot the same again.
    after "build tests and chores" "build hwsim for bhyve"
    step "boot: as wifibox-core starts it, QEMU dressed as bhyve" ci/wifibox-core-replay.sh "$work/hwsim-bhyve" --boot
    after "build tests and chores" "build hwsim for bhyve"
    step "the book's commands on a FreeBSD host" ci/book-freebsd.sh "$tool" "$work/hwsim-bhyve" --boot
    boot "access point, direct" "build the access point" access-point
    boot "station, what happens to guests in the world" "build hwsim on Debian" hwsim --trials
    boot "station, what is in guests' way" "build hwsim on Debian" hwsim --mishaps
    boot "station, a card that comes late" "build hwsim on Debian" hwsim --late-card
    boot "station, configuration on a disk" "build hwsim on Debian" hwsim --config-disk
    boot "station, direct, in the memory that is promised" "build hwsim on Debian" hwsim --memory 96
    after "build for L4Re"
    step "boot: as under L4Re" ci/l4re-boot.sh "$tool" "$work/l4re"
}

# Other systems than this: the main users have FreeBSD.
others() {
    lane
    # A standard library of its own for each: processor time that the guests do not wait for.
    step "compiles for FreeBSD" ci/freebsd.sh check x86_64-unknown-freebsd
}

# What does not fit: more damaged packages than in 20 s, the program as releases have it, and other systems than this.
long() {
    lane rust
    step "build the chores" cargo build --quiet --workspace --bins
    step "static program" ci/static.sh "$work/static"
    step "compiles for FreeBSD on Arm and for macOS" ci/freebsd.sh check aarch64-unknown-freebsd aarch64-apple-darwin
    after "compiles for FreeBSD on Arm and for macOS"
    step "program for FreeBSD" ci/freebsd.sh link "$work/freebsd"
    lane
    after "build the chores"
    step "fuzz apk v3 for 10 min" "$XTASK" fuzz adb --minutes 10 --seed "$RANDOM"
    lane
    needs debootstrap
    step "the README's commands in a Debian with nothing else" ci/readme.sh "$work/readme"
    needs python3
    step "the book as it is built: links" ci/book.sh "$work/book"
    lane
    after "build the chores"
    needs apt-get
    step "choose as apt does, from four archives" "$XTASK" apt-compare --worlds 200 --seed "$RANDOM"
    after "build the chores"
    step "fuzz maintainer scripts for 10 min" "$XTASK" fuzz script --minutes 10 --seed "$RANDOM"
    after "build the chores"
    step "faults: every call fails" "$XTASK" faults --jobs 2
    after "build the chores"
    step "fuzz every reader for 90 s" "$XTASK" fuzz all --seconds 90 --jobs 2 --seed "$RANDOM"
    after "build the chores"
    needs debootstrap
    step "maintainer scripts of 500 packages against dpkg" ci/dpkg-sample.sh "$work/dpkg"
    step "build the program" cargo build --release --quiet --package wifibox-build
    after "build the program"
    step "maintainer scripts of every flavor" ci/scripts-report.py "$tool" "$cache" "$work/scripts"
    after "build the program"
    step "build hwsim on Debian" debian hwsim --flavor hwsim
    after "build the chores" "build hwsim on Debian"
    step "the kernel slim: compiled, both roles booted" ci/slim.sh "$tool" "$lock" "$cache" "$work/slim" "$work/hwsim"
    after "build the chores" "build the program"
    step "the kernel slim for 64-bit Arm: compiled, booted" ci/slim-arm.sh "$tool" "$cache" "$work/slim-arm"
    after "build the chores" "build hwsim on Debian"
    step "what the way through a guest costs" "$XTASK" boot-test "$work/hwsim" --throughput
    after "build the program"
    step "the kernel slim: the same bytes twice, with every driver" ci/slim-long.sh "$tool" "$work/slim"
    after "build the chores" "build the program"
    step "64-bit Arm: by UEFI" ci/arm.sh "$tool" "$cache" "$work/arm" --long
    after "build the chores" "build the program"
    step "Xen: two driver domains and a firewall between them" ci/xen-house.sh "$tool" "$lock" "$cache" "$work/xen-house"
    after "build the program"
    needs ip
    step "a release of three machines is that of one" ci/release-shards.sh "$tool" "$XTASK" "$lock" "$cache"
}

case $mode in
quick)
    # Programs that are not there are no failures, in the tests neither.
    skip_missing=yes
    unset CI
    checks
    ;;
full | long)
    # Nothing here is built twice: what the compiler keeps for that costs more than it brings.
    export CI=${CI:-true} CARGO_INCREMENTAL=0
    more=()
    # The kernel for Arm.
    [ "$mode" = full ] || more=(gcc-aarch64-linux-gnu bsdextrautils)
    step "prepare" ci/prepare.sh "${more[@]}"
    all_after "prepare"
    if [ "$mode" = long ]; then
        long
    else
        checks
        guests
        boots
        others
    fi
    ;;
esac
# A step has a core, and 3 GiB of memory.
room=$(nproc 2>/dev/null || sysctl -n hw.ncpu)
if [ -r /proc/meminfo ]; then
    fit=$(awk '/^MemAvailable:/ { print int($2 / 1024 / 1024 / 3) }' /proc/meminfo)
    ((fit >= room)) || room=$((fit > 0 ? fit : 1))
fi
run_steps "$room"
