//! Runs the real depmod and compares its files with the builder's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use wifibox_linux::kernel::depmod::Files;

fn depmod_program() -> PathBuf {
    std::env::var_os("DEPMOD").map_or_else(|| "depmod".into(), PathBuf::from)
}

/// The version of the machine's depmod; `None` where there is none.
pub fn depmod_version() -> Option<u32> {
    let output = Command::new(depmod_program()).arg("--version").output().ok();
    let version = output.and_then(|output| {
        let text = String::from_utf8(output.stdout).ok()?;
        text.strip_prefix("kmod version ")?.split(['.', '\n']).next()?.parse().ok()
    });
    assert!(
        version.is_some() || std::env::var_os("CI").is_none(),
        "kmod's depmod is needed in CI: install the package kmod"
    );
    version
}

/// Runs depmod below `root` and gives the files that it writes into `lib/modules/VERSION`.
pub fn run_depmod(root: &Path, version: &str) -> BTreeMap<String, Vec<u8>> {
    // No configuration of the machine's: an empty directory.
    let config = tempfile::tempdir().expect("a directory");
    let status = Command::new(depmod_program())
        .args(["-b".as_ref(), root.as_os_str(), "-C".as_ref(), config.path().as_os_str()])
        .arg(version)
        .status()
        .expect("depmod runs");
    assert!(status.success(), "depmod failed");
    let directory = root.join("lib/modules").join(version);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory).expect("listed") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_file() {
            let name = entry.file_name().into_string().expect("a name");
            if !name.starts_with("modules.") {
                continue;
            }
            files.insert(name, std::fs::read(entry.path()).expect("read"));
        }
    }
    files
}

/// Compares every file, byte for byte where this depmod is of version 34 or later; older ones order
/// the nodes of binary indexes differently, so there the sorted nodes' bytes cannot be compared.
pub fn compare(ours: &Files, theirs: &BTreeMap<String, Vec<u8>>, version: u32) {
    let same_format = version >= 34;
    let mut compared = 0;
    for (name, expected) in theirs {
        let found = ours.get(name.as_str());
        let found = found.unwrap_or_else(|| panic!("{name} is missing"));
        if name.ends_with(".bin") && !same_format {
            assert_eq!(dump(found), dump(expected), "{name} differs");
        } else {
            assert!(found == expected, "{name} differs from depmod's");
        }
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} files");
    for name in ours.keys() {
        let absent = version < 33 && *name == "modules.weakdep";
        assert!(absent || theirs.contains_key(*name), "depmod does not write {name}");
    }
}

/// A key's values, each with its priority.
type Values = Vec<(u32, Vec<u8>)>;

/// All keys of a binary index with their values in order, whatever the order of its nodes.
fn dump(index: &[u8]) -> Vec<(Vec<u8>, Values)> {
    fn number(index: &[u8], at: &mut usize) -> u32 {
        let bytes = index[*at..*at + 4].try_into().expect("four bytes");
        *at += 4;
        u32::from_be_bytes(bytes)
    }
    fn text(index: &[u8], at: &mut usize) -> Vec<u8> {
        let begin = *at;
        *at = begin + index[begin..].iter().position(|byte| *byte == 0).expect("an end") + 1;
        index[begin..*at - 1].to_vec()
    }
    let mut out = Vec::new();
    if index.is_empty() {
        return out;
    }
    let mut todo = vec![(Vec::new(), number(index, &mut 8))];
    while let Some((mut key, offset)) = todo.pop() {
        let mut at = (offset & 0x0FFF_FFFF) as usize;
        if offset & 0x8000_0000 != 0 {
            key.extend(text(index, &mut at));
        }
        if offset & 0x2000_0000 != 0 {
            let (first, last) = (index[at], index[at + 1]);
            at += 2;
            for byte in first..=last {
                let child = number(index, &mut at);
                if child != 0 {
                    let mut key = key.clone();
                    key.push(byte);
                    todo.push((key, child));
                }
            }
        }
        if offset & 0x4000_0000 != 0 {
            let count = number(index, &mut at);
            let values =
                (0..count).map(|_| (number(index, &mut at), text(index, &mut at))).collect();
            out.push((key, values));
        }
    }
    out.sort();
    out
}
