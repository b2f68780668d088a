#!/usr/bin/env bash
# host-files.sh TOOL OUTPUT...: the files for hosts in built outputs, and those that `wifibox-build host` writes for every
# way of running them, read by others' programs: virt-xml-validate, sh, shellcheck; and by the linter for bhyve's. Each of
# these must refuse its negative cases: copies of the same files with one fault each.
set -euo pipefail
tool=$(realpath "$1")
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

files=0 refused=0

# check FOLDER: every file below it, by the program that knows its kind; fails if one is unsound or of no known kind.
check() {
    local file
    while IFS= read -r file; do
        check_file "$file" || { echo "unsound: $file" && return 1; }
        files=$((files + 1))
    done < <(find "$1" -type f | LC_ALL=C sort)
}

check_file() {
    case $1 in
    *.xml) virt-xml-validate "$1" >"$work/log" 2>&1 ;;
    *.sh | */rc.local) sh -n "$1" 2>"$work/log" && shellcheck --shell=sh "$1" >"$work/log" ;;
    # A warning ends nothing, but our files give no cause for one.
    */bhyve/*) "$tool" lint "$1" >"$work/log" 2>&1 && ! grep -qv ': sound (' "$work/log" ;;
    # Those of other hypervisors have checks of their own.
    */xen/* | */l4re/*) ;;
    *) echo "nothing checks $1" >"$work/log" && false ;;
    esac || { cat "$work/log" && return 1; }
}

# refuse FILE OLD NEW: the same file with a fault must not pass.
refuse() {
    local copy
    copy=$work/negative/$(basename "$(dirname "$1")")/$(basename "$1")
    mkdir -p "$(dirname "$copy")"
    python3 - "$1" "$copy" "$2" "$3" <<'PYTHON'
import sys

source, copy, old, new = sys.argv[1:]
text = open(source).read()
assert old in text, f"{source} has no {old!r}"
open(copy, "w").write(text.replace(old, new, 1))
PYTHON
    if check_file "$copy" >/dev/null; then
        echo "passed although it is wrong: $1 with $2 -> $3"
        return 1
    fi
    refused=$((refused + 1))
}

for output in "$@"; do
    [ -f "$output/host/bhyve/wifibox.config" ] || { echo "$output has no files for bhyve" && exit 1; }
    check "$output/host"
    number=0
    while IFS= read -r options; do
        number=$((number + 1))
        # shellcheck disable=SC2086 # words
        "$tool" host --quiet $options --out "$work/$number" "$output" >/dev/null
        check "$work/$number"
    done <<'OPTIONS'
--passthru 3/0/0
--passthru 0000:0a:14.3 --passthru pci0:10:20:0 --memory 512 --vcpus 4
--config-disk
--persistent
--config-disk --persistent --passthru 03:00.0
--uplink br0 --name wifi-2 --folder /srv/wifi
OPTIONS
    # What a negative case breaks is sound in this folder.
    sound=$work/1

    config=$sound/bhyve/wifibox.config
    refuse "$config" 'cpus=1' 'cpus = 1'
    refuse "$config" 'memory.size=' 'memory.sise='
    refuse "$config" 'memory.wired=true' 'memory.wired=false'
    refuse "$config" 'pci.0.4.1.device' 'pci.0.4.0.device'
    refuse "$config" 'pci.0.5.0.device' 'pci.0.32.0.device'
    refuse "$config" 'device=e1000' 'device=e1001'
    refuse "$config" 'pci.0.6.0.func=0' 'pci.0.6.0.function=0'
    refuse "$config" 'pci.0.0.0.device=hostbridge' '#'
    refuse "$config" 'lpc.com1.path=stdio' 'lpc.com1=stdio'
    refuse "$config" 'name=wifibox' 'name=%(vm)'
    refuse "$sound/bhyve/bhyve.conf" 'cpus=1' 'cpus = 1'
    refuse "$sound/bhyve/bhyve.conf" 'passthru="3/0/0"' 'passthru="3:0:0"'
    refuse "$sound/bhyve/core.conf" 'loglevel=warn' 'loglevel=loud'
    refuse "$sound/bhyve/vm-bhyve.conf" '-s 24:0' '-s 4:0'
    refuse "$sound/bhyve/vm-bhyve.conf" '-s 24:0' '-s 24:1'
    refuse "$sound/bhyve/vm-bhyve.conf" 'esp.img' '#esp.img'
    refuse "$sound/bhyve/vm-bhyve.conf" 'wired_memory' 'wire_memory'
    refuse "$sound/bhyve/loader.conf" 'pptdevs="3/0/0"' 'pptdevs="3:0:0"'
    refuse "$sound/bhyve/loader.conf" 'vmm_load="YES"' 'vmm_load = "YES"'
    refuse "$sound/bhyve/rc.conf" '_enable="YES"' '_enable="JA"'
    refuse "$sound/bhyve/devd.conf" '};' '}'
    refuse "$sound/bhyve/run.sh" 'done' 'end'
    refuse "$sound/bhyve/rc.local" '/usr/sbin/daemon' '(/usr/sbin/daemon'
    refuse "$sound/qemu.sh" 'esac' 'end'
    # shellcheck disable=SC2016 # a variable without its quotation marks
    refuse "$sound/qemu.sh" '[ -d "$device" ]' '[ -d $device ]'
    refuse "$sound/libvirt/wifibox.xml" '</domain>' ''
    refuse "$sound/libvirt/wifibox.xml" "unit='MiB'" "unit='mebi'"
    refuse "$sound/libvirt/wifibox.xml" "<hostdev mode='subsystem'" "<hostdev mode='system'"
    refuse "$sound/libvirt/wifibox.xml" "bus='0x03'" "bus='three'"
    refuse "$sound/libvirt/wifibox-direct.xml" '<kernel>' '<kernal>'
    refuse "$sound/libvirt/network.xml" '<bridge' '<brigde'
    rm -rf "${work:?}"/[0-9]* "$work/negative"
done
echo "$files files of $# outputs are sound, $refused faults were refused"
