//! Inputs for the fuzzer to begin with: files that are right, in every form, and their parts.

use wifibox_testkit::adbwriter::{
    self, ADB, DATA, PACKINGS, SIG, V, block, data, file, full_index, info, long_block, object,
    pack, payload, plain, sample_package,
};

/// The id of the key that the target trusts, so that signatures are looked at.
const KEY_ID: [u8; 16] = [
    0x0c, 0x0c, 0x25, 0xea, 0x98, 0x5c, 0x73, 0x95, 0xd8, 0x07, 0xff, 0x8b, 0x11, 0x19, 0xee, 0xee,
];

/// Files and metadata.
pub fn all() -> Vec<Vec<u8>> {
    let (index, (package, contents)) = (full_index(), sample_package());
    let signature = [&[0, 4][..], &KEY_ID, &[0x30, 6, 2, 1, 1, 2, 1, 1]].concat();
    let mut seeds = vec![payload(&index), payload(&package)];
    for (schema, root, more) in [(b"indx", &index, &[][..]), (b"pckg", &package, &contents)] {
        for make in [block, long_block] {
            let mut blocks = vec![make(ADB, &payload(root)), make(SIG, &signature)];
            blocks.extend_from_slice(more);
            let plain = plain(schema, &blocks);
            seeds.extend(PACKINGS.iter().map(|packing| pack(*packing, &plain)));
        }
    }
    // A package in which a value is shared by itself, and one whose only file is long.
    let row = V::Array(vec![V::Raw(0xd000_0008); 100]);
    seeds.push(payload(&object([(1, V::Object(info("a", "1"))), (2, row)])));
    let long = vec![0x5a; 100_000];
    let paths = V::Array(vec![adbwriter::directory("lib", vec![file("long", &long)])]);
    let root = object([(1, V::Object(info("long", "1"))), (2, paths)]);
    let blocks = [block(ADB, &payload(&root)), data(1, 1, &long), block(DATA, b"12345678")];
    seeds.push(pack(PACKINGS[1], &plain(b"pckg", &blocks)));
    seeds
}
