#!/usr/bin/env bash
# l4re-boot.sh TOOL OUTPUT: a guest that was built with --hypervisor l4re (flavor hwsim, station) on a machine that has what
# uvmm has on x86-64, and nothing else: the kernel loaded directly, root.img and the configuration disk as virtio disks on
# PCI, a virtio network card, a serial port, a virtio key for the power button, no 9P. It must come up, be reached by its
# network card, and power off by the key. QEMU plays uvmm: no L4Re runs here.
set -euo pipefail
tool=$(realpath "$1") output=$(realpath "$2")
work=$(mktemp -d)
qemu=
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true; rm -rf "$work"' EXIT

fail() {
    echo "l4re-boot.sh: $*; the console's last lines:" >&2
    tail -n 30 "$work/console" >&2 || true
    exit 1
}
# console PATTERN: waits until the console has it.
console() {
    local waited
    for ((waited = 0; waited < 240; waited++)); do
        if grep -qE "$1" "$work/console"; then return; fi
        kill -0 "$qemu" 2>/dev/null || fail "QEMU ended before the console had $1"
        sleep 1
    done
    fail "the console never had $1"
}

"$tool" config-disk --from "$output" --out "$work/config.img" >/dev/null
for file in vmlinuz initramfs.img cmdline root.img; do ln -s "$output/$file" "$work/$file"; done

# boot: starts, looks, and powers off.
boot() {
    local begin=$SECONDS port waited
    : >"$work/console"
    port=$((20000 + RANDOM % 20000))
    qemu-system-x86_64 -machine q35 -cpu max -accel tcg,tb-size=128 -m 192 -nodefaults -no-reboot -display none \
        -kernel "$work/vmlinuz" -initrd "$work/initramfs.img" -append "$(cat "$work/cmdline")" \
        -drive "if=none,id=root,format=raw,readonly=on,file=$work/root.img" -device "virtio-blk-pci,drive=root" \
        -drive "if=none,id=config,format=raw,readonly=on,file=$work/config.img" -device "virtio-blk-pci,drive=config" \
        -netdev "user,id=net,net=10.0.0.0/24,host=10.0.0.9,restrict=on,hostfwd=tcp:127.0.0.1:$port-10.0.0.1:1200" \
        -device "virtio-net-pci,netdev=net" -device "virtio-keyboard-pci" \
        -serial "file:$work/console" -qmp "unix:$work/qmp,server=on,wait=off" &
    qemu=$!
    console 'configuration from the disk /dev/vdb \(ro\)'
    console 'login:'
    # The control socket of wpa_supplicant is passed through on the network card's address.
    python3 - "$port" <<'PYTHON' || fail "nothing answers behind the network card"
import socket, sys, time
for attempt in range(60):
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) as connection:
            connection.settimeout(5)
            connection.sendall(b"PING")
            if connection.recv(16).startswith(b"PONG"):
                sys.exit(0)
    except OSError:
        pass
    time.sleep(2)
sys.exit(1)
PYTHON
    python3 - "$work/qmp" <<'PYTHON'
import json, socket, sys
with socket.socket(socket.AF_UNIX) as monitor:
    monitor.connect(sys.argv[1])
    lines = monitor.makefile()
    lines.readline()
    keys = {"keys": [{"type": "qcode", "data": "power"}]}
    for command in ({"execute": "qmp_capabilities"}, {"execute": "send-key", "arguments": keys}):
        monitor.sendall(json.dumps(command).encode())
        while "return" not in (answer := json.loads(lines.readline())):
            assert "error" not in answer, answer
PYTHON
    for ((waited = 0; waited < 90; waited++)); do
        kill -0 "$qemu" 2>/dev/null || break
        sleep 1
    done
    if kill -0 "$qemu" 2>/dev/null; then fail "the power button does nothing"; fi
    wait "$qemu" || fail "QEMU failed"
    qemu=
    echo "up from its disks, reached by its network card, off by its button ($((SECONDS - begin)) s)"
}
boot
