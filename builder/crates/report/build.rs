//! Packs the licence texts of SPDX's list: 5 MB of text as 0.4 MB of the program.

use std::path::Path;

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let Some(folder) = std::env::var_os("OUT_DIR") else {
        return Err(std::io::Error::other("Cargo sets OUT_DIR"));
    };
    let texts = spdx::text::LICENSE_TEXTS.iter().map(|(name, text)| (*name, text.as_bytes()));
    std::fs::write(Path::new(&folder).join("licence-texts.xz"), wifibox_packed::pack(texts)?)
}
