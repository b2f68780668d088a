#!/usr/bin/env bash
# readme.sh FOLDER [PROGRAM]: the commands of the README in a Debian that has nothing but what the README says it takes, as an
# ordinary user, from a clone of this checkout's last commit. The first must end in a guest that verifies; the second must
# pass. With PROGRAM in the place of `cargo run`, and only the first: that takes a minute instead of an hour.
# Needs root, debootstrap, a Debian mirror in the host's apt configuration, and Rust, which is lent with its crates.
set -euo pipefail
if [ "$(id -u)" -ne 0 ]; then exec sudo -nE env "PATH=$PATH" "$0" "$@"; fi
folder=$(realpath -m "$1") program=${2:+$(realpath "$2")}
cd "$(dirname "$0")/.."
root=$folder/root

# The blocks of commands behind the heading "Two commands", up to the next heading.
mapfile -t commands < <(awk '/^## /{on=($0=="## Two commands")} on&&/^```$/{copy=0} on&&copy; on&&/^```sh$/{copy=1}' README.md)
if [ ${#commands[@]} -ne 2 ]; then
    echo "the README has ${#commands[@]} commands to copy, not two" >&2 && exit 1
fi

mkdir -p "$folder"
# shellcheck disable=SC2016 # apt expands it
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/$')
rm -rf "$root"
debootstrap --variant=minbase --include=ca-certificates,gcc,git,libc6-dev trixie "$root" "$mirror" >"$folder/debootstrap.log" ||
    { tail "$folder/debootstrap.log" && exit 1; }
cp /etc/resolv.conf "$root/etc/resolv.conf"
chroot "$root" useradd --create-home --shell /bin/bash somebody
home=$root/home/somebody
git -c safe.directory="$PWD" -c safe.directory="$PWD/.git" clone --quiet --no-hardlinks . "$home/wifibox-build"
if [ -z "$program" ]; then
    mkdir -p "$root/opt/rust" "$home/.cargo"
    cp -a "$(rustc --print sysroot)/." "$root/opt/rust/"
    # What is there need not be fetched again.
    if [ -d "${CARGO_HOME:-$HOME/.cargo}/registry" ]; then cp -a "${CARGO_HOME:-$HOME/.cargo}/registry" "$home/.cargo/"; fi
else
    install -D -m 0755 "$program" "$root/usr/local/bin/wifibox-build"
    commands=("${commands[0]/#*wifibox-build -- /wifibox-build }")
fi
chroot "$root" chown -R somebody: /home/somebody

# somebody LINE: the line typed by the user in the clone; what it mounts goes with it.
somebody() {
    # shellcheck disable=SC2016 # the inner shell's
    unshare --mount --pid --fork sh -c '
        mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/tmp" &&
        exec chroot --userspec=somebody: "$1" env -i HOME=/home/somebody USER=somebody LANG=C.UTF-8 \
            PATH=/opt/rust/bin:/usr/local/bin:/usr/bin:/bin bash -c "cd ~/wifibox-build && $2"' sh "$root" "$1"
}
for command in "${commands[@]}"; do
    echo "=== $command"
    somebody "$command"
done
guests=("$home"/wifibox-build/out/*/SHA256SUMS)
[ -f "${guests[0]}" ] || { echo "there is no guest" >&2 && exit 1; }
guest=$(basename "$(dirname "${guests[0]}")")
somebody "PATH=target/release:\$PATH wifibox-build verify out/$guest"
[ "$(stat -c %U "${guests[0]}")" != root ]
rm -rf "$root"
echo "${#commands[@]} of 2 commands of the README did what it says"
