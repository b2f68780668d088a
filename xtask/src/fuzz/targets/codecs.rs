//! What unpacks compressed files.

use std::io::{self, Read, Write as _};
use std::num::NonZeroUsize;

use wifibox_ground::codec::{Compression, Limits, raw_deflate, read_unpacked};
use wifibox_testkit::tarball::pack;

/// As large as an unpacked input may be.
const LIMITS: Limits = Limits { size: 8 << 20, ratio: 1000 };

/// Texts, noise and zeros: a codec has another kind of block for each.
fn contents() -> Vec<Vec<u8>> {
    let text = "all work and no play ".repeat(200);
    let noise = wifibox_testkit::guest::noise(3000);
    vec![
        Vec::new(),
        text.clone().into(),
        noise.clone(),
        [text.as_bytes(), &noise, &[0; 9000]].concat(),
    ]
}

fn packed(compression: Compression) -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = contents().iter().map(|bytes| pack(compression, bytes)).collect();
    // Several files are one.
    seeds.push(seeds.concat());
    seeds
}

/// No more comes out than may.
fn drain(reader: io::Result<impl Read>) -> bool {
    let Ok(mut reader) = reader else { return false };
    let (mut given, mut piece) = (0, [0; 4096]);
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return true,
            Ok(got) => given += got as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
        assert!(given <= LIMITS.size, "{given} bytes");
    }
}

fn unpack(compression: Compression, bytes: &[u8]) -> bool {
    if Compression::of_content(bytes) == compression {
        let whole = read_unpacked(bytes, LIMITS.size);
        assert!(whole.is_err() || whole.is_ok_and(|whole| whole.len() as u64 <= LIMITS.size));
    }
    drain(compression.reader(bytes, LIMITS))
}

pub fn gzips() -> Vec<Vec<u8>> {
    packed(Compression::Gzip)
}

pub fn gzip(bytes: &[u8]) -> bool {
    unpack(Compression::Gzip, bytes)
}

pub fn xzs() -> Vec<Vec<u8>> {
    packed(Compression::Xz)
}

pub fn xz(bytes: &[u8]) -> bool {
    unpack(Compression::Xz, bytes)
}

/// In blocks that say how long they are, as dpkg-deb packs.
pub fn blocks() -> Vec<Vec<u8>> {
    let mut seeds = packed(Compression::Xz);
    for bytes in contents() {
        let mut builder = liblzma::stream::MtStreamBuilder::new();
        builder.threads(2).block_size(4096).preset(0);
        let Ok(stream) = builder.encoder() else { continue };
        let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
        seeds.extend(encoder.write_all(&bytes).and_then(|()| encoder.finish()));
    }
    seeds
}

/// By two threads; what one thread unpacks is the same.
pub fn xz_threads(bytes: &[u8]) -> bool {
    let two = NonZeroUsize::MIN.saturating_add(1);
    let several = drain(Compression::Xz.reader_by(two, bytes, LIMITS));
    let one = drain(Compression::Xz.reader(bytes, LIMITS));
    assert_eq!(several, one, "by several threads, and by one");
    one
}

pub fn zstds() -> Vec<Vec<u8>> {
    packed(Compression::Zstd)
}

pub fn zstd(bytes: &[u8]) -> bool {
    unpack(Compression::Zstd, bytes)
}

pub fn deflates() -> Vec<Vec<u8>> {
    let pack = |bytes: Vec<u8>| {
        let level = flate2::Compression::best();
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
        encoder.write_all(&bytes).and_then(|()| encoder.finish()).unwrap_or_default()
    };
    contents().into_iter().map(pack).collect()
}

pub fn deflate(bytes: &[u8]) -> bool {
    drain(Ok(raw_deflate(bytes, LIMITS)))
}
