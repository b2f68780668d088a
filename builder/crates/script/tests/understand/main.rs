//! Whole scripts: those understood, with their effects on the tree, and those refused.

#![allow(clippy::expect_used)]

mod alpine;
mod bounds;
mod debian;
mod hostile;
mod openwrt;
mod refused;
mod shell;

use wifibox_script::{Ecosystem, MemoryFiles, Refused, Script, Understood, World, understand};

/// A small root with accounts.
fn root() -> MemoryFiles {
    MemoryFiles::new()
        .with_directory("/tmp")
        .with_file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0o644)
        .with_file("/etc/group", "root:x:0:\nusers:x:100:\nnogroup:x:65534:\n", 0o644)
        .with_file("/etc/shadow", "root:*:20000:0:99999:7:::\n", 0o640)
}

/// Evaluates a postinst of Debian.
fn debian(text: &str, files: &mut MemoryFiles) -> Result<Understood, Refused> {
    run(Ecosystem::Debian, "postinst", text, files)
}

fn run(
    ecosystem: Ecosystem,
    name: &str,
    text: &str,
    files: &mut MemoryFiles,
) -> Result<Understood, Refused> {
    let mut world = World::new(ecosystem, "amd64");
    world.day = 20_000;
    understand(&Script::new("pkg", "1.0-1", name, text.as_bytes()), &world, files)
}

/// The output of a `/bin/sh` script.
fn said(text: &str) -> String {
    debian(text, &mut root()).expect("understood").said
}
