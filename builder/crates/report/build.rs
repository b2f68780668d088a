//! Packs the licence texts of SPDX's list: 4 MB of text as 0.9 MB of the program.

use std::io::Write as _;
use std::path::Path;

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let Some(folder) = std::env::var_os("OUT_DIR") else {
        return Err(std::io::Error::other("Cargo sets OUT_DIR"));
    };
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    for (name, text) in spdx::text::LICENSE_TEXTS {
        // A line with the name and the length of the text, and the text.
        write!(packed, "{name} {}\n{text}", text.len())?;
    }
    std::fs::write(Path::new(&folder).join("licence-texts.deflate"), packed.finish()?)
}
