#!/usr/bin/env bash
# Installs what the tests need on Debian and its derivatives: QEMU with UEFI firmware, and the programs that the
# images are compared with. Needs root, or sudo without a password. Elsewhere: install the same programs by hand.
# prepare.sh [PACKAGE...]: these, too.
set -euo pipefail

packages=(
    qemu-system-x86 ovmf     # boot tests
    qemu-system-arm qemu-efi-aarch64 u-boot-qemu # of guests for 64-bit Arm
    squashfs-tools cpio      # root.img and the initramfs read by others' programs
    squashfs-tools-ng        # tar2sqfs: benchmarks
    dosfstools mtools fdisk  # esp.img, likewise
    binutils                 # objdump: the unified kernel image
    kmod                     # depmod, modprobe: module indexes and closure
    shellcheck busybox-static # the guest's scripts
    iptables iproute2        # the samples' packet filters
    openssl                  # the certificate of a simulated 802.1X server
    libvirt-clients libxml2-utils # virt-xml-validate: domains of libvirt
    python3-venv             # validators of bills of materials
    bmake curl               # the FreeBSD port
    lua5.3 device-tree-compiler  # files for L4Re
    gcc libc6-dev            # crates that build C
    minisign                 # signatures over releases
    docker-registry apache2-utils # guests in a registry; htpasswd, for its login
    mandoc                   # man pages
    zsh fish                 # completion in the shells
    musl-tools               # static programs
    debootstrap              # maintainer scripts, held against dpkg
    e2fsprogs                # debugfs: the disk of an installed Alpine
    debian-archive-keyring   # the base debian, where the host is another distribution
    chromium                 # the pages for people
    flex bison bc libelf-dev libssl-dev zstd make # the kernel slim
    xen-utils-common libxen-dev  # xl's examples, and its own reader
)
packages+=("$@")
# xl itself has Xen's version in its name.
# shellcheck disable=SC1091 # a file of the host
case $(. /etc/os-release && echo "${VERSION_CODENAME:-}") in
bookworm) packages+=(xen-utils-4.17) ;;
trixie) packages+=(xen-utils-4.20) ;;
esac

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
# The order of versions is compared with dpkg's on the package lists of apt.
lists() { find /var/lib/apt/lists -name '*_Packages' 2>/dev/null | grep -q .; }
if [ ${#missing[@]} -eq 0 ] && lists; then exit 0; fi

if ! command -v apt-get >/dev/null; then
    echo "ci/prepare.sh: no apt-get here; install by hand: ${missing[*]}" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
"${as_root[@]}" apt-get update -q >/dev/null
[ ${#missing[@]} -gt 0 ] || exit 0
echo "installing ${missing[*]}"
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}" >/dev/null
