//! Whether an output folder is what a build wrote: `SHA256SUMS` and `manifest.json` against the files,
//! the SquashFS read back against the manifest. Whether a release folder is, and by whom.
//!
//! The chain is `SHA256SUMS` -> every file of the folder, `manifest.json` among them -> every file in
//! root.img. It says that a folder is whole. That it is who it claims to be from takes a signature over
//! `SHA256SUMS` ([`super::signature`]): [`wifibox_ground::sums::Sums`] holds the very bytes that one is over, and all
//! else is made from it. A release has the same chain, with `index.json` in the manifest's place, and an output
//! folder for each guest.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::Manifest;
use super::findings::{Findings, Options, Signed, VerifyError};
use super::folder::{Found, STRANGE, walk};
use super::manifest;
use super::output::{self, MANIFEST, ParseError, SIZE_LIMIT};
use super::release;
use super::signature;
use wifibox_ground::digest::Sha256;
use wifibox_ground::regular;
use wifibox_ground::sums::{SIGNATURES, SUMS, SUMS_LIMIT, Sums};
use wifibox_squashfs::{Node, NodeKind, UnreadableImage, read_nodes};

/// Checks the output or release in `folder`.
///
/// # Errors
/// [`VerifyError`]: the folder cannot be read at all. What is wrong with its files is in the findings.
pub fn verify(folder: &Path, options: &Options<'_>) -> Result<Findings, VerifyError> {
    let mut findings = Findings::default();
    let mut found = Found::default();
    walk(folder, "", &mut found, &mut findings)?;
    if found.others.contains(SUMS) {
        return Ok(findings);
    }
    let bytes = match regular::read(&folder.join(SUMS), SUMS_LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            findings.add(SUMS, "is missing: without it nothing can be checked");
            return Ok(findings);
        }
        Err(error)
            if [io::ErrorKind::InvalidInput, io::ErrorKind::FileTooLarge]
                .contains(&error.kind()) =>
        {
            findings.add(SUMS, format!("cannot be read: {error}"));
            return Ok(findings);
        }
        Err(source) => return Err(VerifyError { path: folder.join(SUMS), source }),
    };
    let sums = match Sums::parse(&bytes) {
        Ok(sums) => sums,
        Err(why) => {
            findings.add(SUMS, why);
            return Ok(findings);
        }
    };
    check_signature(folder, &sums, options, &mut findings);
    for path in &found.files {
        let known = sums.hashes.contains_key(path) || path == SUMS;
        if !known && !SIGNATURES.contains(&path.as_str()) {
            findings.add(path, "is not listed in SHA256SUMS: no build put it there");
        }
    }
    let sizes = check_files(folder, &sums, &mut found, options, &mut findings);
    if sums.hashes.contains_key(release::INDEX) && !sums.hashes.contains_key(MANIFEST) {
        for path in found.links.keys().filter(|path| !found.is_in_guest(path)) {
            findings.add(path, STRANGE);
        }
        // What its files say of each other means something only if they are the right ones.
        if findings.is_sound() {
            let guest = |folder: &Path| verify(folder, options);
            release::check(folder, &sums, &sizes, options, &mut findings, &guest)?;
        }
        return Ok(findings);
    }
    if let Some(manifest) = read_manifest(folder, &sums, &mut findings) {
        check_outputs(&manifest, &sums, &sizes, &mut findings);
        check_links(&manifest, &found.links, &mut findings);
        if found.files.contains(IMAGE) {
            check_image(folder, &manifest, &mut findings);
        }
        findings.build_id = Some(manifest.build_id);
    }
    Ok(findings)
}

pub(crate) const IMAGE: &str = "root.img";

/// Files of a list that no sound manifest or index announces may be this long: 16 GiB.
pub(crate) const UNANNOUNCED: u64 = 16 << 30;

/// Hashes all files that are listed; gives the lengths of those that are there. Nothing is opened that is no file, or
/// is longer than it may be.
fn check_files<'s>(
    folder: &Path,
    sums: &'s Sums,
    found: &mut Found,
    options: &Options<'_>,
    findings: &mut Findings,
) -> BTreeMap<&'s str, u64> {
    let mut sizes = BTreeMap::new();
    let announced = announced(folder, sums);
    for (path, expected) in &sums.hashes {
        if found.others.contains(path) {
            continue;
        }
        if found.links.remove(path).is_some() {
            findings.add(path, STRANGE);
            continue;
        }
        if !found.files.contains(path) {
            if options.ignore_missing && path != release::INDEX && path != MANIFEST {
                findings.missing += 1;
            } else {
                findings.add(path, "is missing");
            }
            continue;
        }
        let full = folder.join(path);
        let length = full.symlink_metadata().map_or(0, |data| data.len());
        let (most, whose) = match &announced {
            Some((list, lengths)) => (lengths.get(path).copied().unwrap_or(SIZE_LIMIT), *list),
            None => (UNANNOUNCED, "this version"),
        };
        if length > most {
            findings.add(path, format!("has {length} bytes, {whose} allows {most}"));
            found.files.remove(path);
            continue;
        }
        match regular::hash(&full) {
            Ok((hash, size)) if hash == *expected => {
                findings.files += 1;
                sizes.insert(path.as_str(), size);
            }
            Ok((hash, size)) => findings.add(
                path,
                format!(
                    "has changed: its SHA-256 is {hash} ({size} bytes), SHA256SUMS says {expected}"
                ),
            ),
            Err(error) => findings.add(path, format!("cannot be read: {error}")),
        }
    }
    sizes
}

/// How long files are, as the manifest or the index says that the list of hashes is over; and its name.
fn announced(folder: &Path, sums: &Sums) -> Option<(&'static str, BTreeMap<String, u64>)> {
    let sound = |name: &str| {
        let bytes = regular::read(&folder.join(name), SIZE_LIMIT).ok()?;
        (sums.hashes.get(name) == Some(&Sha256::of(&bytes))).then_some(bytes)
    };
    if let Some(Ok(manifest)) = sound(MANIFEST).map(|bytes| output::parse(&bytes)) {
        let lengths = manifest.outputs.into_iter().map(|output| (output.path, output.size));
        return Some((MANIFEST, lengths.collect()));
    }
    let index: release::Index = serde_json::from_slice(&sound(release::INDEX)?).ok()?;
    let lengths = index.artefacts().map(|file| (file.path.clone(), file.size));
    Some((release::INDEX, lengths.collect()))
}

/// Whether the key that was given signed the list of hashes.
fn check_signature(folder: &Path, sums: &Sums, options: &Options<'_>, findings: &mut Findings) {
    let [name, _] = SIGNATURES;
    let path = folder.join(name);
    let Some(key) = options.public_key else {
        let there = SIGNATURES.iter().any(|name| folder.join(name).is_file());
        findings.signature = if there { Signed::Unchecked } else { Signed::No };
        return;
    };
    let checked = match regular::read(&path, signature::SIZE_LIMIT) {
        Ok(bytes) => key.verify(&sums.bytes, &bytes).map_err(|error| error.to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err("is missing: nothing says who made this".to_owned())
        }
        Err(error) => Err(format!("cannot be read: {error}")),
    };
    findings.signature = match checked {
        Ok(comment) => Signed::Good { comment },
        Err(why) => {
            findings.add(name, why);
            Signed::Bad
        }
    };
}

/// The manifest, if it is the one that the hashes are over.
fn read_manifest(folder: &Path, sums: &Sums, findings: &mut Findings) -> Option<Manifest> {
    let Some(expected) = sums.hashes.get(MANIFEST) else {
        findings.add(MANIFEST, "is not listed in SHA256SUMS");
        return None;
    };
    // Missing and changed manifests are reported already.
    let bytes = regular::read(&folder.join(MANIFEST), SIZE_LIMIT).ok()?;
    if Sha256::of(&bytes) != *expected {
        return None;
    }
    match output::parse(&bytes) {
        Ok(manifest) => Some(manifest),
        Err(ParseError::Damaged(why)) => {
            findings.add(MANIFEST, why);
            None
        }
        Err(ParseError::Format(found)) => {
            findings.add(
                MANIFEST,
                format!("has format {found}, this version reads {}", manifest::FORMAT),
            );
            None
        }
    }
}

/// The manifest lists every file but itself, as `SHA256SUMS` does.
fn check_outputs(
    manifest: &Manifest,
    sums: &Sums,
    sizes: &BTreeMap<&str, u64>,
    findings: &mut Findings,
) {
    let mut listed: BTreeSet<&str> = BTreeSet::from([MANIFEST]);
    for output in &manifest.outputs {
        listed.insert(&output.path);
        match sums.hashes.get(&output.path) {
            None => findings.add(&output.path, "is in manifest.json, not in SHA256SUMS"),
            Some(hash) if *hash != output.sha256 => {
                findings.add(&output.path, "has one hash in manifest.json, another in SHA256SUMS");
            }
            Some(_) => match sizes.get(output.path.as_str()) {
                Some(size) if *size != output.size => findings.add(
                    &output.path,
                    format!("has {size} bytes, manifest.json says {}", output.size),
                ),
                _ => {}
            },
        }
    }
    for path in sums.hashes.keys().filter(|path| !listed.contains(path.as_str())) {
        findings.add(path, "is in SHA256SUMS, not in manifest.json");
    }
}

/// The links are those of the manifest, and lead where it says.
fn check_links(manifest: &Manifest, found: &BTreeMap<String, String>, findings: &mut Findings) {
    let expected: BTreeMap<&str, &str> =
        manifest.links.iter().map(|link| (link.path.as_str(), link.target.as_str())).collect();
    for (path, target) in found {
        match expected.get(path.as_str()) {
            None => findings.add(path, STRANGE),
            Some(other) if other != target => {
                findings.add(path, format!("leads to {target}, manifest.json says {other}"));
            }
            Some(_) => {}
        }
    }
    for (path, target) in expected.iter().filter(|(path, _)| !found.contains_key(**path)) {
        findings.add(*path, format!("is missing: it must be a link to {target}"));
    }
}

/// Keeps what was read apart from an image that cannot be.
struct Stop(UnreadableImage);

impl From<UnreadableImage> for Stop {
    fn from(error: UnreadableImage) -> Self {
        Stop(error)
    }
}

/// Reads root.img and compares every node with the manifest.
fn check_image(folder: &Path, manifest: &Manifest, findings: &mut Findings) {
    let mut expected: BTreeMap<&str, &manifest::File> =
        manifest.files.iter().map(|file| (file.path.as_str(), file)).collect();
    // A missing image is reported already.
    let Ok(file) = regular::open(&folder.join(IMAGE)) else { return };
    let mut nodes = 0;
    let listed = read_nodes(&mut BufReader::new(file), |node: Node, content| {
        let path = String::from_utf8_lossy(&node.path);
        let at = format!("{IMAGE}:/{path}");
        match expected.remove(&*path) {
            None => findings.add(at, "is in the image, not in manifest.json"),
            Some(file) => match compare(file, &node, content) {
                None => nodes += 1,
                Some(what) => findings.add(at, what),
            },
        }
        Ok::<(), Stop>(())
    });
    if let Err(Stop(error)) = listed {
        findings.add(IMAGE, error.to_string());
        return;
    }
    for path in expected.into_keys() {
        findings.add(format!("{IMAGE}:/{path}"), "is in manifest.json, not in the image");
    }
    findings.nodes = nodes;
}

/// The first property of `node` that the manifest contradicts, as a predicate without its subject.
fn compare(file: &manifest::File, node: &Node, content: Option<&mut dyn Read>) -> Option<String> {
    let other = |what: &str, found: &str, expected: &str| {
        (found != expected).then(|| format!("{what} is {found}, manifest.json says {expected}"))
    };
    let owner = format!("{}:{}", node.uid, node.gid);
    let difference = other("its kind", node.kind.describe(), &file.kind)
        .or_else(|| other("its mode", &format!("{:04o}", node.mode), &file.mode))
        .or_else(|| other("its owner", &owner, &file.owner))
        .or_else(|| {
            let found = match &node.kind {
                NodeKind::Symlink(target) => String::from_utf8_lossy(target),
                _ => "".into(),
            };
            other("its target", &found, file.target.as_deref().unwrap_or_default())
        });
    if difference.is_some() {
        return difference;
    }
    let content = content?;
    match Sha256::of_reader(content) {
        Err(error) => Some(format!("cannot be read: {error}")),
        Ok((hash, size)) if Some(hash) != file.sha256 || Some(size) != file.size => {
            let expected = file.sha256.map(|hash| hash.to_string()).unwrap_or_default();
            Some(format!("has SHA-256 {hash} ({size} bytes), manifest.json says {expected}"))
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_hashes_are_read_strictly() {
        let hash = Sha256::of(b"a");
        let sums = Sums::parse(format!("{hash}  a/b\n{hash}  c\n").as_bytes()).expect("read");
        assert_eq!(sums.hashes.keys().collect::<Vec<_>>(), ["a/b", "c"]);
        for text in [
            String::new(),
            format!("{hash} a\n"),
            format!("{hash}  ../a\n"),
            format!("{hash}  /a\n"),
            format!("{hash}  a//b\n"),
            format!("{hash}  a\n{hash}  a\n"),
            "abc  a\n".to_owned(),
        ] {
            assert!(Sums::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
