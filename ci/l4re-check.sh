#!/usr/bin/env bash
# l4re-check.sh TOOL OUTPUT: the files for L4Re of an output that was built with --hypervisor l4re, for every machine that
# uvmm runs on: Lua by luac, the device tree by dtc (a warning is an error), modules.list by the tool's own linter, and
# what one file names must be in another. What is broken must be refused.
set -euo pipefail
tool=$(realpath "$1") output=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "l4re-check.sh: $*" >&2
    exit 1
}
luac=$(command -v luac5.4 luac5.3 luac | head -n 1) || fail "no luac"

# check FOLDER: whether the files in it are sound.
check() {
    local folder=$1 file name said
    for file in "$folder"/*.ned "$folder"/*.vbus "$folder/io.cfg"; do
        "$luac" -p "$file" || return
    done
    # uvmm wants a reg of a PC's old devices, which have no address.
    said=$(dtc -W no-unit_address_vs_reg -I dts -O dtb -o "$folder/wifibox.dtb" "$folder/wifibox.dts" 2>&1) || { echo "$said"; return 1; }
    [ -z "$said" ] || { echo "$said"; return 1; }
    said=$("$tool" lint "$folder/modules.list" 2>&1) || { echo "$said"; return 1; }
    # Boot modules that the script uses.
    while read -r name; do
        grep -qE "^module(\[[a-z]+\])? (.*/)?$name\$" "$folder/modules.list" || { echo "no module $name"; return 1; }
    done < <(grep -v '^ *--' "$folder/wifibox.ned" | grep -oE '"rom/[A-Za-z0-9._-]+"' | sed 's,"rom/\(.*\)",\1,' | sort -u)
    # Capabilities that the device tree asks for, as the translated tree has them.
    while read -r name; do
        [ "$name" = net ] || grep -q "^    $name = " "$folder/wifibox.ned" || { echo "no capability $name"; return 1; }
    done < <(dtc -I dtb -O dts "$folder/wifibox.dtb" 2>/dev/null | sed -n 's/.*l4vmm,v\(irtiocap\|con_cap\) = "\(.*\)";/\2/p')
    # Each says in its first lines what it is and where it goes.
    for file in "$folder"/*; do
        [ "${file##*.}" = dtb ] || head -n 6 "$file" | grep -q "${file##*/}" || { echo "$file does not say what it is"; return 1; }
    done
}

# machine ARCHITECTURE CONSOLE: the output's description as if it were for that machine.
machine() {
    local folder=$work/$1
    mkdir -p "$folder/output"
    cp -r "$output/." "$folder/output"
    python3 - "$folder/output/manifest.json" "$1" "$2" <<'PYTHON'
import json, sys
path, architecture, console = sys.argv[1:]
manifest = json.load(open(path))
manifest["guest"]["architecture"], manifest["guest"]["console"] = architecture, console
json.dump(manifest, open(path, "w"))
PYTHON
    "$tool" host "$folder/output" --hypervisor l4re --out "$folder/host" --quiet --passthru 03:00.0 --persistent >/dev/null
    check "$folder/host/l4re" || fail "$1: refused"
    echo "$1: $(find "$folder/host/l4re" -type f ! -name '*.dtb' | wc -l) files are sound"
}

check "$output/host/l4re" || fail "the output's own files: refused"
machine x86_64 ttyS0
machine aarch64 ttyAMA0
machine mips hvc0

# broken FILE SED PATTERN: the files with this change are refused, for this reason.
refused=0
broken() {
    local said
    rm -rf "$work/broken"
    cp -r "$work/x86_64/host/l4re" "$work/broken"
    sed -i "$2" "$work/broken/$1"
    ! cmp -s "$work/broken/$1" "$work/x86_64/host/l4re/$1" || fail "$1: $2 changes nothing"
    if said=$(check "$work/broken" 2>&1); then fail "$1: $2 is not refused"; fi
    grep -qE "$3" <<<"$said" || fail "$1: $2 is refused for another reason than $3: $said"
    refused=$((refused + 1))
}
broken wifibox.ned 's/vmm.start_vm({/vmm.start_vm({{/' 'wifibox.ned:[0-9]+: '
broken wifi.vbus 's/function ()/function (/' 'wifi.vbus:[0-9]+: '
broken io.cfg '1a Io.Dt.add_children(' 'io.cfg:[0-9]+: '
broken wifibox.dts 's/msi: msictrl/msictrl/' 'msi'
broken wifibox.dts 's/virtio_blk@1 {/virtio_blk@9 {/' 'unit address|unit_address|pci'
broken wifibox.dts 's/"disk_config"/"disk_nosuch"/' 'no capability disk_nosuch'
broken modules.list 's/^module uvmm/modul uvmm/' 'did you mean module'
broken modules.list '/^module nvme-drv/d' 'no module nvme-drv'
broken modules.list '/^module wifibox.ned/d' 'rom/wifibox.ned is started'
broken storage.vbus 1,3d 'does not say what it is'
echo "$refused of $refused refused, each for its reason"
