//! What is in an image, and where its bytes are.

use std::fmt::Write as _;

use super::table::{grouped, percent};
use wifibox_report::Manifest;
use wifibox_report::inspect::{ImageSizes, Row};

/// Prints the parts of an output.
pub fn overview(text: &mut String, manifest: &Manifest) {
    let recipe = &manifest.recipe;
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<13}{value}");
        }
    };
    line("guest", &format!("{} as {}", recipe.flavor, recipe.role));
    line("base", &format!("{} {} {}", recipe.base, recipe.release, recipe.architecture));
    line("features", &recipe.features.join(" "));
    line("services", &recipe.services.join(" "));
    line("hypervisor", &recipe.hypervisor);
    line("kernel", &format!("{} ({})", manifest.kernel.release, manifest.kernel.package));
    line("command line", &manifest.kernel.cmdline);
    line("build id", &manifest.build_id);
    line("builder", &manifest.builder);
    let mut files: Vec<&str> =
        manifest.firmware.iter().filter_map(|line| line.file.as_deref()).collect();
    files.sort_unstable();
    files.dedup();
    let modules = manifest.modules.len();
    line("holds", &format!("{modules} modules, {} firmware files", files.len()));
    let _ = writeln!(text, "\npackages ({}):", manifest.packages.len());
    let width = manifest.packages.iter().map(|package| package.name.len()).max().unwrap_or(0);
    let versions = manifest.packages.iter().map(|package| package.version.len()).max().unwrap_or(0);
    for package in &manifest.packages {
        let licence = shortened(package.licence.as_deref().unwrap_or("licence not known"), 60);
        let (name, version) = (&package.name, &package.version);
        let _ = writeln!(text, "  {name:width$}  {version:versions$}  {licence}");
    }
    let _ = writeln!(text, "\nfiles:");
    for output in manifest.outputs.iter().filter(|output| !output.path.starts_with("licenses/")) {
        let _ = writeln!(text, "  {:>14}  {}", grouped(output.size), output.path);
    }
    for link in &manifest.links {
        let _ = writeln!(text, "  {:>14}  {} -> {}", "", link.path, link.target);
    }
    let texts = manifest.outputs.iter().filter(|output| output.path.starts_with("licenses/"));
    let _ = writeln!(text, "  {:>14}  licenses/", grouped(texts.map(|output| output.size).sum()));
}

fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let cut: String = text.chars().take(width).collect();
    format!("{} ...", cut.rsplit_once(' ').map_or(cut.as_str(), |(whole, _)| whole))
}

/// Where the bytes of an image are.
pub fn tables(text: &mut String, sizes: &ImageSizes, top: usize) {
    let _ = writeln!(
        text,
        "{} bytes, {} in blocks of {} KiB; {} bytes of contents become {}, and {} are tables",
        grouped(sizes.length),
        sizes.compression,
        sizes.block_size / 1024,
        grouped(sizes.contents.bytes),
        grouped(sizes.contents.stored),
        grouped(sizes.tables.total()),
    );
    table(text, "part", &sizes.parts, sizes.length, usize::MAX);
    let tables = [
        ("superblock", sizes.tables.superblock),
        ("inodes", sizes.tables.inodes),
        ("directories", sizes.tables.directories),
        ("gaps", sizes.tables.gaps),
        ("padding", sizes.tables.padding),
    ];
    for (name, stored) in tables.into_iter().filter(|(_, stored)| *stored > 0) {
        line(text, name, None, stored, sizes.length);
    }
    line(
        text,
        "all",
        Some((sizes.contents.files, sizes.contents.bytes)),
        sizes.length,
        sizes.length,
    );
    if !sizes.origins.is_empty() {
        table(text, "where from", &sizes.origins, sizes.length, top);
    }
    table(text, "folder", &sizes.folders, sizes.length, top);
    table(text, "largest files", &sizes.files, sizes.length, top);
}

fn table(text: &mut String, title: &str, rows: &[Row], length: u64, top: usize) {
    let _ = writeln!(
        text,
        "\n{title:<52} {:>6} {:>13} {:>13} {:>7}",
        "files", "bytes", "in image", "share"
    );
    for row in rows.iter().take(top) {
        line(text, &row.name, Some((row.files, row.bytes)), row.stored, length);
    }
    if let Some(rest) = rows.get(top..).filter(|rest| !rest.is_empty()) {
        let files = rest.iter().map(|row| row.files).sum();
        let bytes = rest.iter().map(|row| row.bytes).sum();
        let stored = rest.iter().map(|row| row.stored).sum();
        let name = format!("{} more (--top N shows N)", rest.len());
        line(text, &name, Some((files, bytes)), stored, length);
    }
}

fn line(text: &mut String, name: &str, before: Option<(u64, u64)>, stored: u64, length: u64) {
    let (files, bytes) = match before {
        Some((files, bytes)) => (files.to_string(), grouped(bytes)),
        None => (String::new(), String::new()),
    };
    let share = percent(stored, length);
    let stored = grouped(stored);
    let _ = writeln!(text, "  {name:<50} {files:>6} {bytes:>13} {stored:>13} {share:>7}");
}
