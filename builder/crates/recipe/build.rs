//! Packs the four folders of data into the program; a user's own firmware, `firmware-blobs/local`, stays the user's.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let Some(out) = std::env::var_os("OUT_DIR") else {
        return Err(std::io::Error::other("Cargo sets OUT_DIR"));
    };
    let mut files = Vec::new();
    for top in ["recipes", "overlays", "kernels", "firmware-blobs"] {
        let folder = format!("../../../{top}");
        println!("cargo::rerun-if-changed={folder}");
        let below = wifibox_packed::files_below(Path::new(&folder))?;
        files.extend(below.into_iter().map(|(path, bytes)| (format!("{top}/{path}"), bytes)));
    }
    files.retain(|(path, _)| !path.starts_with("firmware-blobs/local/"));
    let packed =
        wifibox_packed::pack(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())))?;
    std::fs::write(Path::new(&out).join("recipes.xz"), packed)
}
