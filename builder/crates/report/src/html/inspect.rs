//! What is in an image, as a page: sizes as treemaps, packages with licences and reasons, firmware, the cards
//! that its drivers know, every file.

use std::collections::BTreeMap;

use super::page::{Page, facts, size};
use super::table::{Cell, folded, table};
use super::treemap::{Item, svg};
use crate::Manifest;
use crate::inspect::{ImageSizes, Row};

/// A driver and the cards that it knows, as the table of devices has them.
#[derive(Debug, Clone)]
pub struct Driven {
    /// The module.
    pub driver: String,
    /// Ids, such as `8086:2725`.
    pub cards: Vec<String>,
}

/// The page; `name` is that of the image or of its folder.
#[must_use]
pub fn inspect(
    name: &str,
    manifest: Option<&Manifest>,
    sizes: &ImageSizes,
    driven: &[Driven],
) -> String {
    let lead = match manifest {
        Some(manifest) => {
            let recipe = &manifest.recipe;
            format!(
                "A guest of {} {} for the flavor {}, as {}",
                recipe.base, recipe.release, recipe.flavor, recipe.role
            )
        }
        None => "An image without the manifest of its build".to_owned(),
    };
    let mut page = Page::new(name, &lead);
    page.add(&overview(manifest, sizes));
    page.part("sizes", "Sizes", &pictures(manifest, sizes));
    if let Some(manifest) = manifest {
        page.part("packages", "Packages", &packages(manifest, &sizes.origins));
        page.part("firmware", "Firmware", &firmware(manifest, sizes));
        page.part("cards", "Cards", &cards(driven));
        page.part("modules", "Kernel modules", &modules(manifest, sizes));
        page.part("outputs", "Output files", &outputs(manifest));
    }
    page.part("files", "Files", &files(manifest, sizes));
    page.finish()
}

fn overview(manifest: Option<&Manifest>, sizes: &ImageSizes) -> String {
    let mut list = vec![
        ("root image", size(sizes.length)),
        ("before compression", size(sizes.contents.bytes)),
        ("compression", sizes.compression.clone()),
        ("files", sizes.contents.files.to_string()),
    ];
    if let Some(manifest) = manifest {
        list.extend([
            ("packages", manifest.packages.len().to_string()),
            ("kernel", manifest.kernel.release.clone()),
            ("hypervisor", manifest.recipe.hypervisor.clone()),
            ("features", manifest.recipe.features.join(", ")),
            ("card", manifest.recipe.device.map(|id| id.to_string()).unwrap_or_default()),
            (
                "memory",
                manifest.guest.as_ref().map(|g| format!("{} MiB", g.memory)).unwrap_or_default(),
            ),
            ("architecture", manifest.recipe.architecture.clone()),
            ("builder", manifest.builder.clone()),
            ("build id", manifest.build_id.chars().take(16).collect()),
        ]);
    }
    facts(&list)
}

/// Who put a file there, by its absolute path.
fn origins(manifest: Option<&Manifest>) -> BTreeMap<String, &str> {
    let files = manifest.into_iter().flat_map(|manifest| &manifest.files);
    files.map(|file| (format!("/{}", file.path), file.origin.as_str())).collect()
}

/// The same picture four times: by package and by folder, in the image and before compression.
fn pictures(manifest: Option<&Manifest>, sizes: &ImageSizes) -> String {
    let origins = origins(manifest);
    let by_origin =
        |path: &str| origins.get(path).map_or_else(|| folder(path), |origin| (*origin).to_owned());
    let by_folder = |path: &str| folder(path);
    let of = |group: &dyn Fn(&str) -> String, bytes: fn(&Row) -> u64| -> Vec<Item> {
        let item =
            |row: &Row| Item { group: group(&row.name), name: row.name.clone(), bytes: bytes(row) };
        sizes.files.iter().map(item).collect()
    };
    let stored = |row: &Row| row.stored;
    let before = |row: &Row| row.bytes;
    let mut views = Vec::new();
    if manifest.is_some() {
        views.push(("By package, compressed", of(&by_origin, stored)));
        views.push(("By package, before", of(&by_origin, before)));
    }
    views.push(("By folder, compressed", of(&by_folder, stored)));
    views.push(("By folder, before", of(&by_folder, before)));
    let mut html = String::from("<div class=\"views\">\n");
    for (at, (name, _)) in views.iter().enumerate() {
        let checked = if at == 0 { " checked" } else { "" };
        html += &format!(
            "<input type=\"radio\" name=\"view\" id=\"view{at}\"{checked}><label for=\"view{at}\">{name}</label>\n"
        );
    }
    for (name, items) in &views {
        let total: u64 = items.iter().map(|item| item.bytes).sum();
        html += &format!(
            "<figure>{}<figcaption>{name}: {} in {} files. A rectangle's area is its size; point at it for its \
             name.</figcaption></figure>\n",
            svg(name, items),
            size(total),
            items.len()
        );
    }
    html += "</div>\n";
    let rows: Vec<Vec<Cell>> =
        sizes.parts.iter().map(|row| sized(Cell::text(&row.name), row)).collect();
    html + &table(&["part", "files", "before", "compressed"], &rows)
}

fn sized(first: Cell, row: &Row) -> Vec<Cell> {
    vec![first, Cell::Number(row.files), Cell::Size(row.bytes), Cell::Size(row.stored)]
}

/// The folder of a file, two names deep, three below /usr/lib.
fn folder(path: &str) -> String {
    let names: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (_, parents) = names.split_last().unwrap_or((&"", &[]));
    let depth = if parents.first() == Some(&"usr") { 3 } else { 2 };
    let parents: Vec<&str> = parents.iter().take(depth).copied().collect();
    format!("/{}", parents.join("/"))
}

fn packages(manifest: &Manifest, origins: &[Row]) -> String {
    // An origin is `package NAME VERSION`, or who else put a file there.
    let rows: Vec<Vec<Cell>> = manifest
        .packages
        .iter()
        .map(|package| {
            let own = origins.iter().find(|row| names(&row.name, &package.name));
            vec![
                Cell::text(&package.name),
                Cell::text(&package.version),
                Cell::text(package.licence.as_deref().unwrap_or("not known")),
                Cell::Size(own.map_or(0, |row| row.bytes)),
                Cell::Size(own.map_or(0, |row| row.stored)),
                Cell::text(&package.why),
            ]
        })
        .collect();
    let heads = ["package", "version", "licence", "before", "compressed", "asked for by"];
    let others: Vec<Vec<Cell>> = origins
        .iter()
        .filter(|row| !manifest.packages.iter().any(|package| names(&row.name, &package.name)))
        .map(|row| sized(Cell::text(&row.name), row))
        .collect();
    let others = match others.len() {
        0 => String::new(),
        count => folded(
            &format!("What {count} others put there"),
            &table(&["put there by", "files", "before", "compressed"], &others),
        ),
    };
    table(&heads, &rows) + &others
}

/// Whether an origin is this package.
fn names(origin: &str, package: &str) -> bool {
    let name = origin.strip_prefix("package ").unwrap_or(origin);
    name.split([' ', '=']).next() == Some(package)
}

fn firmware(manifest: &Manifest, sizes: &ImageSizes) -> String {
    let by_path: BTreeMap<&str, &Row> =
        sizes.files.iter().map(|row| (row.name.as_str(), row)).collect();
    let of = |file: &str| {
        ["/lib/firmware/", "/usr/lib/firmware/"].iter().find_map(|folder| {
            [file.to_owned(), format!("{file}.xz"), format!("{file}.zst")]
                .iter()
                .find_map(|name| by_path.get(format!("{folder}{name}").as_str()).copied())
        })
    };
    let rows: Vec<Vec<Cell>> = manifest
        .firmware
        .iter()
        .map(|line| {
            let stored = line.file.as_deref().and_then(of).map_or(0, |row| row.stored);
            let says = match (&line.file, &line.why) {
                (Some(file), _) if *file != line.wanted => format!("{} by {file}", line.state),
                (_, Some(why)) => format!("{}: {why}", line.state),
                _ => line.state.clone(),
            };
            vec![
                Cell::path(&line.wanted),
                Cell::text(says),
                Cell::text(&line.by),
                Cell::text(line.licence.as_deref().unwrap_or_default()),
                Cell::Size(stored),
            ]
        })
        .collect();
    if rows.is_empty() {
        return "<p>No driver in it asks for firmware.</p>\n".to_owned();
    }
    table(&["name", "what became of it", "asked for by", "licence", "compressed"], &rows)
}

fn cards(driven: &[Driven]) -> String {
    let rows: Vec<Vec<Cell>> = driven
        .iter()
        .map(|driven| {
            let count = u64::try_from(driven.cards.len()).unwrap_or(u64::MAX);
            vec![
                Cell::text(&driven.driver),
                Cell::Number(count),
                Cell::path(driven.cards.join(" ")),
            ]
        })
        .collect();
    if rows.is_empty() {
        return "<p>The table of devices knows no card for its drivers.</p>\n".to_owned();
    }
    let note = "<p class=\"dim\">PCI ids that its drivers know, in any of the kernels of the table of devices. A \
                card needs its firmware, too.</p>\n";
    note.to_owned() + &table(&["driver", "cards", "ids"], &rows)
}

fn modules(manifest: &Manifest, sizes: &ImageSizes) -> String {
    let by_path: BTreeMap<&str, &Row> =
        sizes.files.iter().map(|row| (row.name.as_str(), row)).collect();
    let row = |path: String| by_path.get(format!("/{path}").as_str()).copied();
    let rows: Vec<Vec<Cell>> = manifest
        .modules
        .iter()
        .map(|module| {
            let own = row(module.path.to_string().trim_start_matches('/').to_owned());
            let stored = own.map_or(0, |row| row.stored);
            vec![Cell::text(&module.name), Cell::text(&module.why), Cell::Size(stored)]
        })
        .collect();
    let count = rows.len();
    folded(&format!("{count} modules"), &table(&["module", "why", "compressed"], &rows))
}

fn outputs(manifest: &Manifest) -> String {
    let rows: Vec<Vec<Cell>> = manifest
        .outputs
        .iter()
        .map(|output| {
            vec![
                Cell::path(&output.path),
                Cell::Size(output.size),
                Cell::path(output.sha256.to_string()),
            ]
        })
        .collect();
    folded(&format!("{} files", rows.len()), &table(&["file", "size", "SHA-256"], &rows))
}

fn files(manifest: Option<&Manifest>, sizes: &ImageSizes) -> String {
    let origins = origins(manifest);
    let rows: Vec<Vec<Cell>> = sizes
        .files
        .iter()
        .map(|row| {
            let origin = origins.get(&row.name).copied().unwrap_or_default();
            vec![
                Cell::path(&row.name),
                Cell::text(origin),
                Cell::Size(row.bytes),
                Cell::Size(row.stored),
            ]
        })
        .collect();
    let summary = format!("{} files, the largest first", rows.len());
    folded(&summary, &table(&["file", "put there by", "before", "compressed"], &rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wifibox_squashfs::Tables;

    fn row(name: &str, bytes: u64, stored: u64) -> Row {
        Row { name: name.to_owned(), files: 1, bytes, stored }
    }

    #[test]
    fn an_image_without_a_manifest_has_its_files() {
        let sizes = ImageSizes {
            length: 1000,
            compression: "xz".to_owned(),
            block_size: 131_072,
            contents: Row { files: 2, ..row("contents", 300, 120) },
            tables: Tables::default(),
            parts: vec![row("programs", 300, 120)],
            origins: Vec::new(),
            folders: vec![row("/usr/bin", 300, 120)],
            files: vec![row("/usr/bin/a<b>", 200, 80), row("/usr/bin/c", 100, 40)],
        };
        let page = inspect("x.img", None, &sizes, &[]);
        assert!(page.contains("a&lt;b&gt;") && !page.contains("a<b>"));
        assert!(page.contains("By folder, before") && !page.contains("By package"));
        assert!(page.contains("id=\"files\"") && !page.contains("id=\"packages\""));
    }

    #[test]
    fn names_are_told_apart() {
        assert!(names("package busybox 1.36", "busybox") && names("busybox", "busybox"));
        assert!(!names("package busybox-suid 1.36", "busybox"));
        assert_eq!(folder("/usr/lib/firmware/x/y"), "/usr/lib/firmware");
        assert_eq!(folder("/lib/modules/6.1/kernel/a.ko"), "/lib/modules");
        assert_eq!(folder("/init"), "/");
    }
}
