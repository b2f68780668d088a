#!/usr/bin/env bash
# static.sh OUT [TARGET...]: builds the tool as a static program for each target (default: this machine's own
# architecture) into OUT/TARGET/wifibox-build, and checks that nothing of the host is linked in.
#
# Of this machine's architecture with musl-gcc (Debian's musl-tools); of another one with clang, lld and that
# architecture's musl headers, which are taken from Debian's musl-dev if MUSL_HEADERS does not name them.
# The program resolves names by /etc/resolv.conf and /etc/hosts only: musl knows no /etc/nsswitch.conf.
set -euo pipefail

if [ $# -eq 0 ]; then
    echo "usage: $0 OUT [TARGET...]" >&2
    exit 2
fi
out=$(realpath -m "$1")
shift
cd "$(dirname "$0")/.."
own=$(uname -m)-unknown-linux-musl
[ $# -gt 0 ] || set -- "$own"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# debian_architecture TARGET
debian_architecture() {
    case $1 in
    x86_64-*) echo amd64 ;;
    aarch64-*) echo arm64 ;;
    *)
        echo "$0: $1: x86_64-unknown-linux-musl or aarch64-unknown-linux-musl is expected" >&2
        return 1
        ;;
    esac
}

# Headers of musl for another architecture than this machine's, from Debian: unpacked, not installed, and without
# making that architecture known to this machine's dpkg.
headers() {
    local architecture=$1 machine=$2 package
    mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
    local apt=(apt-get -q -o "APT::Architecture=$architecture" -o "APT::Architectures::=$architecture"
        -o "Dir::State=$work/apt" -o "Dir::State::status=/dev/null" -o "Dir::Cache=$work/apt/cache")
    (cd "$work" && "${apt[@]}" update && "${apt[@]}" download "musl-dev:$architecture") >"$work/log" 2>&1 || true
    package=$(find "$work" -maxdepth 1 -name "musl-dev_*_$architecture.deb")
    if [ -z "$package" ]; then
        cat "$work/log" >&2
        echo "$0: no musl-dev for $architecture to be had: name a folder of musl's headers in MUSL_HEADERS" >&2
        return 1
    fi
    dpkg-deb -x "$package" "$work/$architecture"
    echo "$work/$architecture/usr/include/$machine-linux-musl"
}

for target in "$@"; do
    machine=${target%%-*}
    architecture=$(debian_architecture "$target")
    variable=${target//-/_}
    flags=()
    if [ "$target" = "$own" ]; then
        export "CC_$variable=musl-gcc"
    else
        include=${MUSL_HEADERS:-}
        [ -n "$include" ] || include=$(headers "$architecture" "$machine")
        export "CC_$variable=clang" "AR_$variable=llvm-ar"
        command -v llvm-ar >/dev/null || export "AR_$variable=ar"
        export "CFLAGS_$variable=--target=$machine-linux-musl -nostdlibinc -isystem $include"
        # Rust brings musl's startup files and libc.a itself.
        flags=(-C linker=rust-lld -C linker-flavor=ld.lld -C link-self-contained=yes)
    fi
    # Paths of this machine stay out of the program.
    flags+=("--remap-path-prefix=$PWD=." "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo")
    echo "building $target"
    if command -v rustup >/dev/null && ! rustup target list --installed | grep -qx "$target"; then
        rustup --quiet target add "$target"
    fi
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}") \
        cargo build --release --quiet --target "$target" --bin wifibox-build
    program=${CARGO_TARGET_DIR:-target}/$target/release/wifibox-build
    # An interpreter or a needed library would be another machine's.
    if readelf --program-headers --dynamic "$program" | grep -E 'INTERP|\(NEEDED\)'; then
        echo "$0: $program is not static" >&2
        exit 1
    fi
    install -D -m 0755 "$program" "$out/$target/wifibox-build"
    echo "$target: $(stat -c %s "$out/$target/wifibox-build") bytes"
done
