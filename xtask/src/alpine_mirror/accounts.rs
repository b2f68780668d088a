//! The accounts that the packages' scripts make: evaluated here, and as apk's own run of them left them in the
//! installed system.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use wifibox_script::{
    Ecosystem, Effect, Entry, Files as _, Installed as Known, Kind, MemoryFiles, Meta, Script,
    World, understand,
};

use super::Failure;
use super::installed::Installed;
use super::pack::checksum;

/// The files of accounts, of the package that brings them.
const FILES: [&str; 3] = ["etc/passwd", "etc/group", "etc/shadow"];
const OWNER: &str = "alpine-baselayout-data";
/// How the installed system's image was changed by hand, after apk: root's password, as it was packed.
const ROOT_PASSWORD: (&str, &str) = ("root:*::0:", "root:::0:");

/// The files of accounts as they were packed: those of the installed system without the accounts that came later,
/// proved by the checksums of the database.
///
/// # Errors
/// A checksum is another: the system was changed in another way.
pub fn originals(
    root: &Path,
    installed: &[Installed],
) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let owner = installed.iter().find(|package| package.name() == OWNER);
    let owner = owner.ok_or_else(|| format!("{OWNER} is not installed"))?;
    let mut originals = BTreeMap::new();
    for path in FILES {
        let entry = owner.entries.iter().find(|entry| entry.path == path);
        let expected = entry.and_then(|entry| entry.checksum.clone()).unwrap_or_default();
        let text = fs::read_to_string(root.join(path))?;
        let text = text.replacen(ROOT_PASSWORD.0, ROOT_PASSWORD.1, 1);
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        // What came later is at the end.
        let packed = (0..=lines.len()).rev().map(|count| lines[..count].concat());
        let found = packed.into_iter().find(|text| checksum(text.as_bytes()) == expected);
        let found =
            found.ok_or_else(|| format!("{path}: no beginning of it is as {OWNER} had it"))?;
        originals.insert(path.to_owned(), found.into_bytes());
    }
    Ok(originals)
}

/// Evaluates all scripts of the installed packages: those that apk ran, by its own log of the system, in its order,
/// whose accounts are compared; and the others, which came with the archive that the system began as, by themselves.
///
/// # Errors
/// A script is not understood, or an account is another than apk's.
pub fn compare(
    root: &Path,
    installed: &[Installed],
    originals: &BTreeMap<String, Vec<u8>>,
) -> Result<String, Failure> {
    let mut files = tree(root, installed, originals)?;
    let mut world = World::new(Ecosystem::Alpine, "x86_64");
    world.day = day(root)?;
    for package in installed {
        let known =
            Known { version: package.version().to_owned(), configured: true, files: Vec::new() };
        world.packages.insert(package.name().to_owned(), known);
    }
    let ran = ran(root)?;
    let (mut others, mut made) = (0, BTreeSet::new());
    for package in installed {
        for (name, text) in &package.scripts {
            let of_installation =
                matches!(name.as_str(), "pre-install" | "post-install" | "trigger");
            if of_installation && !ran.contains(&full_name(package, name)) {
                run(package, name, text, &world, &mut files.clone())?;
                others += 1;
            }
        }
    }
    for script in &ran {
        let find = |package: &&Installed| script.starts_with(&full_name(package, ""));
        let package = installed.iter().find(find);
        let package = package.ok_or_else(|| format!("{script} belongs to no package"))?;
        let name = script.rsplit('.').next().unwrap_or_default();
        let text = package.scripts.get(name).ok_or_else(|| format!("{script} is not there"))?;
        made.extend(run(package, name, text, &world, &mut files)?);
    }
    for path in FILES {
        let text = files.text(&format!("/{path}")).unwrap_or_default();
        let real = fs::read_to_string(root.join(path))?;
        let real = real.replacen(ROOT_PASSWORD.0, ROOT_PASSWORD.1, 1);
        // Accounts that somebody made by hand after the installation follow.
        if made.is_empty() || !real.starts_with(&text) {
            return Err(format!("{path} is not as apk made it:\n{text}\n--- apk's:\n{real}").into());
        }
    }
    let made: Vec<String> = made.into_iter().collect();
    Ok(format!(
        "{} scripts understood, {others} more that apk did not run; accounts as apk made them: {}",
        ran.len(),
        made.join(", ")
    ))
}

/// A script's name in apk's log.
fn full_name(package: &Installed, script: &str) -> String {
    format!("{}-{}.{script}", package.name(), package.version())
}

/// The scripts that apk ran, in their order, by its log.
fn ran(root: &Path) -> Result<Vec<String>, Failure> {
    let log = fs::read_to_string(root.join("var/log/apk.log"))?;
    let lines = log.lines().filter_map(|line| line.trim_start().strip_prefix("Executing "));
    Ok(lines.map(str::to_owned).collect())
}

/// Evaluates a script, and gives the names of the accounts that it makes.
fn run(
    package: &Installed,
    name: &str,
    text: &[u8],
    world: &World,
    files: &mut MemoryFiles,
) -> Result<Vec<String>, Failure> {
    let paths = matching(files, &package.triggers);
    let mut script = Script::new(package.name(), package.version(), name, text);
    script.paths = &paths;
    let done = understand(&script, world, files)?;
    let made = done.effects.into_iter().filter_map(|effect| match effect {
        Effect::User { name, .. } | Effect::Group { name, .. } => Some(name),
        _ => None,
    });
    Ok(made.collect())
}

/// The day on which the accounts were made, from the last of them.
fn day(root: &Path) -> Result<u32, Failure> {
    let shadow = fs::read_to_string(root.join("etc/shadow"))?;
    let day = shadow.lines().rev().find_map(|line| line.split(':').nth(2)?.parse().ok());
    day.ok_or_else(|| "no account of etc/shadow has a day".into())
}

/// The packages' files as they were packed.
fn tree(
    root: &Path,
    installed: &[Installed],
    originals: &BTreeMap<String, Vec<u8>>,
) -> Result<MemoryFiles, Failure> {
    let mut files = MemoryFiles::new();
    for entry in installed.iter().flat_map(|package| &package.entries) {
        let (path, mode) = (format!("/{}", entry.path), u16::try_from(entry.mode)?);
        let (place, meta) = (root.join(&entry.path), Meta::with_mode(mode));
        if entry.is_directory {
            if path != "/" && files.lookup(&path).is_none() {
                files.insert(&path, Entry { kind: Kind::Directory, meta });
            }
        } else if fs::symlink_metadata(&place)?.is_symlink() {
            let target = fs::read_link(&place)?.to_string_lossy().into_owned();
            files.insert(&path, Entry { kind: Kind::Link(target), meta });
        } else {
            files.insert(&path, Entry { kind: Kind::File(0), meta });
            let content = match originals.get(&entry.path) {
                Some(content) => content.clone(),
                None => fs::read(&place)?,
            };
            files.write(&path, content, meta)?;
        }
    }
    Ok(files)
}

/// The directories that any of the patterns matches.
fn matching(files: &MemoryFiles, patterns: &[String]) -> Vec<String> {
    let globs = patterns.iter().filter_map(|pattern| {
        let glob = globset::GlobBuilder::new(pattern).literal_separator(true).build();
        glob.ok().map(|glob| glob.compile_matcher())
    });
    let globs: Vec<_> = globs.collect();
    let directories = files.iter().filter(|(_, entry)| entry.kind == Kind::Directory);
    let matching = directories.filter(|(path, _)| globs.iter().any(|glob| glob.is_match(path)));
    matching.map(|(path, _)| path.to_owned()).collect()
}
