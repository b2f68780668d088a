#!/usr/bin/env python3
"""qcow2.py IMAGE RAW: writes the disk of a qcow2 image (QEMU's docs/interop/qcow2.rst), without a backing file and
without encryption, as a raw one. Its clusters may be compressed by zlib."""

import struct
import sys
import zlib

HEADER = ">4sIQIIQIIQIIQ"
OFFSET = 0x00FF_FFFF_FFFF_FE00
COMPRESSED = 1 << 62


def main(image, raw):
    with open(image, "rb") as source, open(raw, "wb") as disk:
        header = struct.unpack(HEADER, source.read(struct.calcsize(HEADER)))
        magic, version, backing, _, bits, size, encryption, entries, table = header[:9]
        if magic != b"QFI\xfb" or version not in (2, 3) or backing or encryption:
            sys.exit(f"{image}: no qcow2 image of its own")
        cluster = 1 << bits
        disk.truncate(size)

        def read(at, length):
            source.seek(at)
            return source.read(length)

        def addresses(at, count):
            return struct.unpack(f">{count}Q", read(at, 8 * count))

        for first, second in enumerate(addresses(table, entries)):
            if not second & OFFSET:
                continue
            for number, entry in enumerate(addresses(second & OFFSET, cluster // 8)):
                if entry & COMPRESSED:
                    shift = 62 - (bits - 8)
                    at = entry & ((1 << shift) - 1)
                    sectors = (entry >> shift) & ((1 << (62 - shift)) - 1)
                    packed = read(at, (sectors + 1) * 512 - at % 512)
                    content = zlib.decompressobj(-15).decompress(packed, cluster)
                elif entry & OFFSET and not entry & 1:
                    content = read(entry & OFFSET, cluster)
                else:
                    continue
                at = (first * (cluster // 8) + number) * cluster
                disk.seek(at)
                disk.write(content[: size - at])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
