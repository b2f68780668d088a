//! Whether an output folder is what a build wrote: `SHA256SUMS` and `manifest.json` against the files,
//! the SquashFS read back against the manifest. Whether a release folder is, and by whom.
//!
//! The chain is `SHA256SUMS` -> every file of the folder, `manifest.json` among them -> every file in
//! root.img. It says that a folder is whole. That it is who it claims to be from takes a signature over
//! `SHA256SUMS` ([`super::signature`]): [`wifibox_ground::sums::Sums`] holds the very bytes that one is over, and all
//! else is made from it. A release has the same chain, with `index.json` in the manifest's place, and an output
//! folder for each guest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::Manifest;
use super::findings::{Findings, Options, Signed, VerifyError};
use super::manifest;
use super::output::{self, ParseError};
use super::release;
use super::signature;
use wifibox_ground::digest::Sha256;
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
    let bytes = match read_limited(&folder.join(SUMS), SUMS_LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            findings.add(SUMS, "is missing: without it nothing can be checked");
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
    let mut sizes = BTreeMap::new();
    for (path, expected) in &sums.hashes {
        let hashed = File::open(folder.join(path)).and_then(Sha256::of_reader);
        match hashed {
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
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if options.ignore_missing && path != release::INDEX && path != "manifest.json" {
                    findings.missing += 1;
                } else {
                    findings.add(path, "is missing");
                }
            }
            Err(error) => findings.add(path, format!("cannot be read: {error}")),
        }
    }
    if sums.hashes.contains_key(release::INDEX) && !sums.hashes.contains_key("manifest.json") {
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
        check_image(folder, &manifest, &mut findings);
        findings.build_id = Some(manifest.build_id);
    }
    Ok(findings)
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
    let checked = match read_limited(&path, signature::SIZE_LIMIT) {
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

/// The entries of a folder, by path with `/`.
#[derive(Default)]
struct Found {
    files: BTreeSet<String>,
    /// Where links lead.
    links: BTreeMap<String, String>,
}

impl Found {
    /// Whether `path` is in the folder of a guest, which is checked by itself.
    fn is_in_guest(&self, path: &str) -> bool {
        let mut parts = path.split('/');
        let (folder, guest) = (parts.next(), parts.next().unwrap_or_default());
        folder == Some(release::GUESTS)
            && self.files.contains(&format!("{}/{guest}/manifest.json", release::GUESTS))
    }
}

/// The message about an entry that no build writes.
const STRANGE: &str = "is neither a file nor a folder: no build put it there";

/// All files and links below `folder`. What is neither, and no folder, is a problem.
fn walk(
    folder: &Path,
    prefix: &str,
    found: &mut Found,
    findings: &mut Findings,
) -> Result<(), VerifyError> {
    let failed = |source| VerifyError { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), found, findings)?;
        } else if kind.is_file() {
            found.files.insert(path);
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path()).map_err(failed)?;
            found.links.insert(path, target.to_string_lossy().into_owned());
        } else {
            findings.add(path, STRANGE);
        }
    }
    Ok(())
}

fn read_limited(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// The manifest, if it is the one that the hashes are over.
fn read_manifest(folder: &Path, sums: &Sums, findings: &mut Findings) -> Option<Manifest> {
    const NAME: &str = "manifest.json";
    let Some(expected) = sums.hashes.get(NAME) else {
        findings.add(NAME, "is not listed in SHA256SUMS");
        return None;
    };
    // Missing and changed manifests are reported already.
    let bytes = fs::read(folder.join(NAME)).ok()?;
    if Sha256::of(&bytes) != *expected {
        return None;
    }
    match output::parse(&bytes) {
        Ok(manifest) => Some(manifest),
        Err(ParseError::Damaged(why)) => {
            findings.add(NAME, why);
            None
        }
        Err(ParseError::Format(found)) => {
            findings
                .add(NAME, format!("has format {found}, this version reads {}", manifest::FORMAT));
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
    let mut listed: BTreeSet<&str> = BTreeSet::from(["manifest.json"]);
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
    const IMAGE: &str = "root.img";
    let mut expected: BTreeMap<&str, &manifest::File> =
        manifest.files.iter().map(|file| (file.path.as_str(), file)).collect();
    // A missing image is reported already.
    let Ok(file) = File::open(folder.join(IMAGE)) else { return };
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

    #[test]
    fn links_belong_to_a_guest_that_is_checked_by_itself() {
        let found = Found {
            files: BTreeSet::from(["guests/one/manifest.json".to_owned()]),
            links: BTreeMap::new(),
        };
        assert!(found.is_in_guest("guests/one/etc/wifibox/app_config"));
        for path in ["guests/two/etc/wifibox/app_config", "one/manifest.json", "guests", "link"] {
            assert!(!found.is_in_guest(path), "{path}");
        }
    }
}
