//! Rebuilds the crate when a file comes into, or leaves, one of the folders that it embeds.

fn main() {
    for folder in ["recipes", "overlays", "kernels", "firmware-blobs"] {
        println!("cargo::rerun-if-changed=../../../{folder}");
    }
}
