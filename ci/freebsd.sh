#!/usr/bin/env bash
# freebsd.sh check [TARGET...]: everything compiles for these systems (default: FreeBSD on x86_64 and aarch64, macOS on
#                               aarch64); nothing is linked, and of C only what FreeBSD is known to refuse is compiled.
# freebsd.sh link OUT:          the program as it is released, for FreeBSD on x86_64, into OUT/TARGET/wifibox-build.
#
# No machine of those systems is needed. The compiler is Debian sid's, because it comes with the sources of its standard
# library, from which that of any system is built; it is unpacked into a folder of its own, and runs on any Linux by its
# own libc. For C, zig of PyPI's package ziglang has FreeBSD's headers. Both stay in the cache folder (WIFIBOX_CROSS, by
# default ~/.cache/wifibox-build-cross), about 900 MB, and are installed again only when that is gone.
set -euo pipefail
cd "$(dirname "$0")/.."
kit=${WIFIBOX_CROSS:-${XDG_CACHE_HOME:-$HOME/.cache}/wifibox-build-cross}
zig_version=0.17.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "freebsd.sh: $*" >&2
    exit 1
}

# The Rust of sid with its sources, without the C compiler that it would be installed with.
install_rust() {
    [ ! -x "$kit/rust/usr/bin/rustc" ] || return 0
    echo "taking Rust from Debian sid"
    mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/rust"
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg name deb
    [ -r "$keyring" ] || fail "$keyring is missing (Debian's package debian-archive-keyring)"
    echo "deb [signed-by=$keyring] ${DEBIAN_MIRROR:-http://deb.debian.org/debian} sid main" >"$work/apt/sources"
    for name in gcc libc-dev libc6-dev binutils; do
        printf 'Package: %s\nStatus: install ok installed\nVersion: 99\nArchitecture: amd64\nMaintainer: nobody\n' "$name"
        printf 'Description: stands for that of this machine\n\n'
    done >"$work/apt/status"
    local apt=(apt-get -q -y -o "APT::Architecture=amd64" -o "APT::Architectures::=amd64" -o "Dir::State=$work/apt"
        -o "Dir::State::status=$work/apt/status" -o "Dir::Cache=$work/apt/cache" -o "Dir::Etc::sourceparts=-"
        -o "Dir::Etc::sourcelist=$work/apt/sources" -o "APT::Install-Recommends=false" -o "Debug::NoLocking=true"
        -o "APT::Sandbox::User=$(id -un)")
    if ! { "${apt[@]}" update && "${apt[@]}" install --download-only rustc cargo rust-src; } >"$work/log" 2>&1; then
        cat "$work/log" >&2
        fail "no Rust of Debian sid to be had (another mirror: DEBIAN_MIRROR)"
    fi
    mkdir -p "$work/rust"/usr/{bin,lib,lib64,sbin}
    for name in bin lib lib64 sbin; do ln -s "usr/$name" "$work/rust/$name"; done
    for deb in "$work"/apt/cache/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/rust" --keep-directory-symlink --no-same-owner \
            --exclude './usr/share/doc' --exclude './usr/share/man'
    done
    mkdir -p "$kit"
    rm -rf "$kit/rust"
    mv "$work/rust" "$kit/rust"
}

install_zig() {
    [ ! -x "$kit/zig-$zig_version/zig" ] || return 0
    echo "taking zig $zig_version from PyPI"
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check "ziglang==$zig_version"
    rm -rf "$kit/zig-$zig_version"
    mv "$work"/venv/lib/python3.*/site-packages/ziglang "$kit/zig-$zig_version"
}

# program NAME: a script that runs the program NAME of sid by sid's libc.
program() {
    local sysroot=''
    [ "$1" = cargo ] || sysroot="--sysroot '$kit/rust/usr'"
    cat >"$kit/bin/$1" <<SCRIPT
#!/bin/sh
exec '$kit/rust/lib64/ld-linux-x86-64.so.2' --argv0 '$1' --library-path '$kit/rust/usr/lib/x86_64-linux-gnu' \\
    '$kit/rust/usr/bin/$1' $sysroot "\$@"
SCRIPT
    chmod +x "$kit/bin/$1"
}

# cargo VERB ARGUMENT...: sid's, which builds the standard library, too.
cross() {
    local verb=$1
    shift
    RUSTC="$kit/bin/rustc" RUSTDOC=/bin/false RUSTC_BOOTSTRAP=1 CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$target_dir" \
        "$kit/bin/cargo" "$verb" --locked --quiet -Zbuild-std=std,panic_abort,panic_unwind "$@"
}

# The file of liblzma-sys that clang refuses for FreeBSD is compiled with the flags of .cargo/config.toml, which the port
# must have, too.
liblzma() {
    local flags folder name
    install_zig
    flags=$(sed -n 's/^CFLAGS_x86_64_unknown_freebsd = "\(.*\)"$/\1/p' .cargo/config.toml)
    grep -qxF "CFLAGS+=	$flags" ci/freebsd-port/sysutils/wifibox-build/Makefile ||
        fail "the port has other flags for liblzma-sys than .cargo/config.toml: $flags"
    folder=$(cargo metadata --locked --format-version 1 | python3 -c 'import json, os, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "liblzma-sys":
        print(os.path.dirname(package["manifest_path"]))')
    local include=("-I$folder" "-I$folder/xz/src/common")
    for name in api lzma lz check simple delta common rangecoder; do include+=("-I$folder/xz/src/liblzma/$name"); done
    # shellcheck disable=SC2086 # words
    "$kit/zig-$zig_version/zig" cc -target x86_64-freebsd -std=c99 -pthread -DHAVE_CONFIG_H=1 -DLZMA_SYS_ENABLE_THREADS=1 \
        "${include[@]}" $flags -c "$folder/xz/src/liblzma/common/stream_encoder_mt.c" -o "$work/lzma.o"
    echo "x86_64-unknown-freebsd: the C of ${folder##*/} compiles with $flags"
}

check() {
    # Makes empty files: what is only checked is not linked.
    cat >"$kit/bin/no-cc" <<'SCRIPT'
#!/bin/sh
# What crates ask: it is a clang, and not Microsoft's.
case $1 in
-E) echo clang ;;
-[?]) exit 1 ;;
esac
while [ $# -gt 0 ]; do
    if [ "$1" = -o ]; then : >"$2"; fi
    shift
done
SCRIPT
    chmod +x "$kit/bin/no-cc"
    local target variable
    for target; do
        variable=${target//-/_}
        export "CC_$variable=$kit/bin/no-cc" "AR_$variable=ar"
        # Of Apple's tools only the folder of headers is asked for.
        SDKROOT=$kit cross check --target "$target" --workspace --bins
        echo "$target: all crates compile"
    done
}

# link OUT: the program, with zig as C compiler and linker.
link() {
    local out target=x86_64-unknown-freebsd variable=X86_64_UNKNOWN_FREEBSD program needed
    out=$(realpath -m "$1")
    install_zig
    # What rustc asks for by the names that FreeBSD's own compiler knows.
    cat >"$kit/bin/zig-cc" <<SCRIPT
#!/usr/bin/env bash
arguments=()
for argument; do
    case \$argument in
    --target=*) ;;
    -lgcc | -lgcc_s) arguments+=(-lunwind) ;;
    -lkvm | -lmemstat | -lprocstat | -ldevstat) ;;
    *) arguments+=("\$argument") ;;
    esac
done
exec '$kit/zig-$zig_version/zig' cc -target x86_64-freebsd "\${arguments[@]}"
SCRIPT
    printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$kit/zig-$zig_version/zig" >"$kit/bin/zig-ar"
    chmod +x "$kit/bin/zig-cc" "$kit/bin/zig-ar"
    export "CC_${variable,,}=$kit/bin/zig-cc" "AR_${variable,,}=$kit/bin/zig-ar"
    export "CARGO_TARGET_${variable}_LINKER=$kit/bin/zig-cc"
    # Paths of this machine stay out of the program.
    CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$PWD=."$'\x1f'"--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo" \
        cross build --release --target "$target" --package wifibox-build --bin wifibox-build
    program=$target_dir/$target/release/wifibox-build
    # The kernel knows its programs by this note, or by a number in the header that lld does not set.
    readelf --notes "$program" | grep -q 'FreeBSD .*NT_VERSION' || fail "$program is not for FreeBSD"
    needed=$(readelf --dynamic "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | LC_ALL=C sort | paste -s -d ' ')
    [ "$needed" = "libc.so.7 libm.so.5 libthr.so.3" ] || fail "$program needs other libraries than those of every FreeBSD: $needed"
    install -D -m 0755 "$program" "$out/$target/wifibox-build"
    echo "$target: $(stat -c %s "$out/$target/wifibox-build") bytes, needs $needed"
}

usage() {
    sed -n '2,/^#$/s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
[ $# -ge 1 ] || usage
verb=$1
shift
mkdir -p "$kit/bin"
install_rust
program rustc
program cargo
target_dir=${CARGO_TARGET_DIR:-target}/cross
case $verb in
check)
    [ $# -gt 0 ] || set -- x86_64-unknown-freebsd aarch64-unknown-freebsd aarch64-apple-darwin
    liblzma
    check "$@"
    ;;
link)
    [ $# -eq 1 ] || usage
    link "$1"
    ;;
*) usage ;;
esac
