//! Tries the scripts of packages: how many are understood, and what the others want.
//!
//!     cargo run -p wifibox-script --example trial -- --ecosystem debian --root ROOT --files UNPACKED PACKAGE...
//!
//! Each PACKAGE is a folder of a control archive's files (`postinst`, `templates`, `control`). ROOT is a
//! root file system that serves as the system before the installation; UNPACKED/NAME holds a package's
//! own files, where it is there. `--write FOLDER` writes, per package that is understood, the list of all
//! files that are there afterwards, for a comparison with what the package manager itself does.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use wifibox_script::{
    Ecosystem, Effect, Entry, Files, Installed, Kind, MemoryFiles, Meta, Reason, Script, World,
    understand,
};

#[derive(Default)]
struct Options {
    alpine: bool,
    openwrt: bool,
    root: Option<PathBuf>,
    unpacked: Option<PathBuf>,
    write: Option<PathBuf>,
    effects: bool,
    packages: Vec<PathBuf>,
}

fn options() -> Options {
    let mut options = Options::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--ecosystem" => match words.next().as_deref() {
                Some("alpine") => options.alpine = true,
                Some("openwrt") => options.openwrt = true,
                _ => {}
            },
            "--root" => options.root = words.next().map(PathBuf::from),
            "--files" => options.unpacked = words.next().map(PathBuf::from),
            "--write" => options.write = words.next().map(PathBuf::from),
            "--effects" => options.effects = true,
            _ => options.packages.push(PathBuf::from(word)),
        }
    }
    options
}

/// Reads a folder of the disk into a tree.
fn import(files: &mut MemoryFiles, base: &Path, folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(inside) = path.strip_prefix(base) else { continue };
        let inside = format!("/{}", inside.to_string_lossy());
        let inside = real(files, &inside);
        let Ok(data) = fs::symlink_metadata(&path) else { continue };
        let mode = u16::try_from(data.permissions().mode() & 0o7777).unwrap_or(0);
        let meta = Meta { mode, uid: data.uid(), gid: data.gid() };
        if data.is_dir() {
            let there = files.lookup(&inside);
            if there.is_none() {
                files.insert(&inside, Entry { kind: Kind::Directory, meta });
            }
            import(files, base, &path);
        } else if data.file_type().is_symlink() {
            let target = fs::read_link(&path).unwrap_or_default().to_string_lossy().into_owned();
            files.insert(&inside, Entry { kind: Kind::Link(target), meta });
        } else if data.is_file() {
            // Large files are programs: only their being there matters.
            let content =
                if data.len() < 200_000 { fs::read(&path).unwrap_or_default() } else { vec![0] };
            let _ = files.write(&inside, content, meta);
        } else {
            files.insert(&inside, Entry { kind: Kind::Special, meta });
        }
    }
}

/// As [`import`], where nothing of the folder is there yet.
fn import_missing(files: &mut MemoryFiles, folder: &Path) {
    let mut complete = MemoryFiles::new();
    import(&mut complete, folder, folder);
    let first = complete.iter().find(|(_, entry)| matches!(entry.kind, Kind::File(_)));
    if first.is_some_and(|(path, _)| files.lookup(&real(files, path)).is_none()) {
        import(files, folder, folder);
    }
}

/// Where a path is on a system whose `/bin`, `/lib` and `/sbin` are links.
fn real(files: &MemoryFiles, path: &str) -> String {
    for top in ["/bin", "/lib", "/lib64", "/sbin"] {
        if let Some(rest) = path.strip_prefix(top)
            && (rest.is_empty() || rest.starts_with('/'))
            && let Some(Entry { kind: Kind::Link(_), .. }) = files.lookup(top)
        {
            return if rest.is_empty() { path.to_owned() } else { format!("/usr{top}{rest}") };
        }
    }
    path.to_owned()
}

fn control_field(folder: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join("control")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
}

/// dpkg's list of packages in a root.
fn installed(root: &Path) -> BTreeMap<String, Installed> {
    let text = fs::read_to_string(root.join("var/lib/dpkg/status")).unwrap_or_default();
    let mut packages = BTreeMap::new();
    for block in text.split("\n\n") {
        let field =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        if let (Some(name), Some(version)) = (field("Package"), field("Version")) {
            let configured = field("Status") == Some("install ok installed");
            let list = root.join(format!("var/lib/dpkg/info/{name}.list"));
            let list = fs::read_to_string(list).unwrap_or_default();
            let files = list.lines().map(str::to_owned).collect();
            let version = version.to_owned();
            packages.insert(name.to_owned(), Installed { version, configured, files });
        }
    }
    packages
}

fn main() {
    let options = options();
    let ecosystem = match () {
        () if options.alpine => Ecosystem::Alpine,
        () if options.openwrt => Ecosystem::OpenWrt,
        () => Ecosystem::Debian,
    };
    let mut base = MemoryFiles::new();
    let mut world = World::new(ecosystem, if options.alpine { "x86_64" } else { "amd64" });
    world.kernel = Some("6.12.57+deb13-amd64".to_owned());
    let accepted = "firmware-ipw2x00/license/accepted".to_owned();
    world.answers.insert(accepted, "true".to_owned());
    if let Some(root) = &options.root {
        import(&mut base, root, root);
        world.packages = installed(root);
    }
    let mut wants: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut packages, mut understood, mut inert) = (0, 0, 0);
    for folder in &options.packages {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = control_field(folder, "Package").unwrap_or(name);
        let version = control_field(folder, "Version").unwrap_or_default();
        let scripts = [
            "preinst",
            "postinst",
            "INST",
            "pre-install",
            "post-install",
            "trigger",
            "postinst-pkg",
        ];
        let found: Vec<&str> = scripts.into_iter().filter(|s| folder.join(s).is_file()).collect();
        if found.is_empty() {
            continue;
        }
        packages += 1;
        let mut world = world.clone();
        let own = Installed { version: version.clone(), configured: false, files: Vec::new() };
        world.packages.insert(name.clone(), own);
        let templates = fs::read_to_string(folder.join("templates")).ok();
        let mut files = base.clone();
        let mut effects = Vec::new();
        let mut refused = None;
        for script_name in found {
            if matches!(script_name, "postinst" | "post-install" | "trigger" | "postinst-pkg")
                && let Some(unpacked) = &options.unpacked
            {
                let own = unpacked.join(&name);
                import(&mut files, &own, &own);
            }
            let text = fs::read(folder.join(script_name)).unwrap_or_default();
            let mut script = Script::new(&name, &version, script_name, &text);
            script.templates = templates.as_deref();
            match understand(&script, &world, &mut files) {
                Ok(done) => effects.extend(done.effects),
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        // A package without a postinst is unpacked all the same.
        if let (None, Some(unpacked)) = (&refused, &options.unpacked) {
            let own = unpacked.join(&name);
            import_missing(&mut files, &own);
        }
        match refused {
            None => {
                understood += 1;
                let does = effects.iter().any(|effect| !matches!(effect, Effect::Nothing { .. }));
                inert += usize::from(!does);
                if options.effects {
                    println!("== {name}");
                    effects.iter().for_each(|effect| println!("  {effect}"));
                }
                if let Some(folder) = &options.write {
                    write(folder, &name, &files);
                }
            }
            Some(error) => {
                let key = match &error.reason {
                    Reason::UnknownCommand(command) => format!("command {command}"),
                    Reason::Fails { .. } => "fails".to_owned(),
                    other => other.to_string().chars().take(70).collect(),
                };
                wants.entry(key).or_default().push(name);
                println!("{error}\n");
            }
        }
    }
    println!(
        "{packages} packages with scripts, {understood} understood, {inert} of these without an effect"
    );
    let mut wants: Vec<(String, Vec<String>)> = wants.into_iter().collect();
    wants.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    for (want, names) in wants {
        println!("{:4} {want}: {}", names.len(), names.join(" "));
    }
}

/// Writes the list of a tree: kind, mode, owner, path, and a link's target or a file's hash.
fn write(folder: &Path, name: &str, files: &MemoryFiles) {
    let mut text = String::new();
    for (path, Entry { kind, meta }) in files.iter() {
        let Meta { mode, uid, gid } = meta;
        let line = match kind {
            Kind::Directory => format!("d {mode:o} {uid}:{gid} {path}\n"),
            Kind::Link(target) => format!("l {path} {target}\n"),
            Kind::File(size) => format!("f {mode:o} {uid}:{gid} {path} {size}\n"),
            Kind::Special => continue,
        };
        text.push_str(&line);
    }
    let _ = fs::create_dir_all(folder);
    let _ = fs::write(folder.join(name), text);
    for path in ["/etc/passwd", "/etc/group"] {
        let content = files.text(path).unwrap_or_default();
        let _ = fs::write(folder.join(format!("{name}{}", path.replace('/', "."))), content);
    }
}
