#!/usr/bin/env python3
"""bhyve.py ARGUMENT...: stands for bhyve(8) of FreeBSD.

Takes the options that net/wifibox-core gives and no others, and checks what bhyve checks before a guest runs: each slot
has one device, images, firmware and folders are there, memory is wired where a card is passed through. What bhyve ends
at ends this, with its words where they are known. Otherwise the machine is written to the file BHYVE_MACHINE, in the
variables of bhyve_config(5), for QEMU to be dressed so (cargo xtask boot-test --as-bhyve --machine FILE), and the
arguments to BHYVE_ARGUMENTS. TAPS and PPTS list the interfaces and cards that the host is said to have.
"""

import os
import re
import sys

FLAGS = {
    "A": ("acpi_tables", "true"),
    "H": ("x86.vmexit_on_hlt", "true"),
    "P": ("x86.vmexit_on_pause", "true"),
    "S": ("memory.wired", "true"),
    "u": ("rtc.use_localtime", "false"),
    "w": ("x86.strictmsr", "false"),
}
MODELS = ["ahci", "e1000", "fbuf", "hostbridge", "lpc", "nvme", "passthru", "virtio-9p", "virtio-blk", "virtio-net"]


def refuse(why):
    # 4: an error; wifibox-core takes it for a crash and starts the guest again, for ever.
    print(f"bhyve: {why}", file=sys.stderr)
    sys.exit(4)


def number(text, most, what):
    if not re.fullmatch("[0-9]+", text) or int(text) > most:
        refuse(f"invalid {what}: {text}")
    return int(text)


def megabytes(text):
    match = re.fullmatch("([0-9]+)([KMGTkmgt]?)", text)
    if not match:
        refuse(f"invalid memsize '{text}'")
    size = int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}[match[2].lower()]
    # Less than a megabyte is a number of them.
    return size if size < 1 << 20 else size >> 20


def place(text):
    """[[bus:]slot[:function]]: two numbers are slot and function."""
    numbers = text.split(":")
    if len(numbers) > 3:
        refuse(f"invalid PCI slot: {text}")
    bus = numbers.pop(0) if len(numbers) == 3 else "0"
    slot, function = (numbers + ["0"])[:2]
    return number(bus, 255, "bus"), number(slot, 31, "slot"), number(function, 7, "function")


def block(options):
    path, *more = options
    if more:
        refuse(f"virtio-blk: options that wifibox-core never gives: {','.join(more)}")
    if not os.path.isfile(path):
        refuse(f"Could not open backing file: {path}")
    return [("path", path)]


def share(options):
    named, read_only = [word for word in options if "=" in word], "ro" in options
    for word in options:
        if "=" not in word and word != "ro":
            refuse(f"virtio-9p: invalid option '{word}'")
    if len(named) != 1:
        refuse("virtio-9p: one share name is expected")
    name, path = named[0].split("=", 1)
    try:
        os.close(os.open(path, os.O_DIRECTORY))
    except OSError as error:
        refuse(f"virtio-9p: failed to open {path}: {error.strerror}")
    return [("sharename", name), ("path", path)] + [("ro", "true")] * read_only


def network(options):
    if len(options) != 1 or options[0] not in os.environ.get("TAPS", "").split():
        refuse(f"open of tap device {','.join(options)} failed")
    return [("backend", options[0])]


def card(options):
    if len(options) != 1 or options[0] not in os.environ.get("PPTS", "").split():
        refuse(f"PCI device at {','.join(options)} is not using the ppt(4) driver")
    return list(zip(("bus", "slot", "func"), options[0].split("/")))


DEVICES = {
    "hostbridge": lambda options: [],
    "lpc": lambda options: [],
    "virtio-blk": block,
    "virtio-9p": share,
    "e1000": network,
    "passthru": card,
}


def devices(slots):
    """Checks each device; gives the variables of all."""
    taken, models, lines = set(), set(), []
    for text in slots:
        where, _, rest = text.partition(",")
        at, (model, *options) = place(where), rest.split(",")
        if at in taken:
            refuse(f"pci slot {at[0]}:{at[1]}:{at[2]} already occupied!")
        taken.add(at)
        if model not in DEVICES:
            refuse(f"{text}: unknown device, or one that wifibox-core never gives")
        if not options and model not in ("hostbridge", "lpc"):
            refuse(f"{model}: nothing behind it")
        node = "pci.{}.{}.{}".format(*at)
        models.add(model)
        lines += [(f"{node}.device", model)] + [(f"{node}.{key}", value) for key, value in DEVICES[model](options)]
    return models, lines


def main(arguments):
    if arguments == ["-s", "help"]:
        print("\n".join(MODELS))
        return
    variables, slots, names = {}, [], []
    words = iter(arguments)
    for word in words:
        if not word.startswith("-"):
            names.append(word)
        elif names:
            refuse(f"{word} behind the name of the guest")
        elif word in ("-c", "-m", "-l", "-s"):
            value = next(words, None) or refuse(f"{word}: nothing behind it")
            if word == "-s":
                slots.append(value)
            elif word == "-c":
                variables["cpus"] = number(value, int(os.environ.get("MAXCPU", "16")), "cpus")
            elif word == "-m":
                variables["memory.size"] = f"{megabytes(value)}M"
            else:
                what, _, path = value.partition(",")
                if what not in ("com1", "bootrom") or not path:
                    refuse(f"invalid lpc device configuration '{value}'")
                variables["lpc.bootrom" if what == "bootrom" else "lpc.com1.path"] = path
        else:
            for letter in word[1:]:
                if letter not in FLAGS:
                    refuse(f"-{letter}: unknown, or never given by wifibox-core")
                variables.update([FLAGS[letter]])
    if len(names) != 1:
        refuse(f"one name of a guest is expected, not {len(names)}: {' '.join(names)}")
    models, lines = devices(slots)
    for model in ("hostbridge", "lpc"):
        if model not in models:
            refuse(f"no {model}")
    if "passthru" in models and "memory.wired" not in variables:
        refuse("passthru requires guest memory to be wired")
    if not os.path.isfile(variables.get("lpc.bootrom", "")):
        refuse(f"Error opening bootrom \"{variables.get('lpc.bootrom', '')}\": No such file or directory")
    # This side of the null modem is the terminal.
    if variables.get("lpc.com1.path", "").startswith("/dev/nmdm"):
        variables["lpc.com1.path"] = "stdio"
    with open(os.environ["BHYVE_MACHINE"], "w", encoding="utf-8") as file:
        for key, value in [("name", names[0]), *variables.items(), *lines]:
            print(f"{key}={value}", file=file)
    with open(os.environ["BHYVE_ARGUMENTS"], "w", encoding="utf-8") as file:
        print(" ".join(arguments), file=file)


main(sys.argv[1:])
