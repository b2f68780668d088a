//! Entries of FAT directories: a name's short form, and its long form where the short one is not the
//! name itself ("FAT32 File System Specification", "FAT Directory Structure" and "FAT Long Directory
//! Entries").

use std::collections::BTreeSet;

use super::Error;
use super::volume::Fields;

/// 1980-01-01, the oldest date.
const OLDEST_DATE: u16 = 1 << 5 | 1;
pub(super) const IS_LABEL: u8 = 0x08;
pub(super) const IS_DIRECTORY: u8 = 0x10;
pub(super) const IS_FILE: u8 = 0x20;
/// The attributes by which an entry is a part of a long name.
const IS_LONG_NAME: u8 = 0x0f;
/// UTF-16 units of a name in each of its entries.
const UNITS: usize = 13;
/// The longest name, in UTF-16 units.
const LONGEST: usize = 255;

/// A name as FAT stores it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Eight bytes of name, three of extension, in capitals, filled with spaces.
    short: [u8; 11],
    /// The name itself in UTF-16, where it is not the short one.
    long: Vec<u16>,
}

impl Name {
    /// How many entries of a directory something of this name takes.
    pub(super) fn entries(&self) -> u64 {
        self.long.len().div_ceil(UNITS) as u64 + 1
    }

    /// The entries themselves.
    pub(super) fn write(&self, attributes: u8, cluster: u16, size: u32) -> Vec<[u8; 32]> {
        let sum = checksum(&self.short);
        let mut written: Vec<[u8; 32]> = Vec::new();
        let parts = self.long.chunks(UNITS);
        let count = parts.len();
        // The last part comes first.
        for (index, part) in parts.enumerate().rev() {
            let mut units = [0xffff_u16; UNITS];
            for (slot, unit) in units.iter_mut().zip(part.iter().chain(&[0])) {
                *slot = *unit;
            }
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let last = if index + 1 == count { 0x40 } else { 0 };
            let number = u8::try_from(index + 1).unwrap_or(0) | last;
            let mut entry = Fields::<32>::default();
            entry.put(0, &[number]);
            entry.put(11, &[IS_LONG_NAME, 0, sum]);
            for (at, from, to) in [(1, 0, 10), (14, 10, 22), (28, 22, 26)] {
                entry.put(at, bytes.get(from..to).unwrap_or_default());
            }
            written.push(entry.0);
        }
        written.push(entry(self.short, attributes, cluster, size));
        written
    }
}

/// An entry with a short name.
pub(super) fn entry(name: [u8; 11], attributes: u8, cluster: u16, size: u32) -> [u8; 32] {
    let mut entry = Fields::<32>::default();
    entry.put(0, &name);
    entry.put(11, &[attributes]);
    // Made, last read, last written.
    for date in [16, 18, 24] {
        entry.put(date, &OLDEST_DATE.to_le_bytes());
    }
    entry.put(26, &cluster.to_le_bytes());
    entry.put(28, &size.to_le_bytes());
    entry.0
}

/// The entries `.` and `..` that a directory begins with; the root has cluster 0.
pub(super) fn dots(own: u16, parent: u16) -> [[u8; 32]; 2] {
    [entry(*b".          ", IS_DIRECTORY, own, 0), entry(*b"..         ", IS_DIRECTORY, parent, 0)]
}

/// The names of one directory as FAT stores them, in the same order. `place` is what errors name.
///
/// # Errors
/// [`Error::Name`] and [`Error::SameName`].
pub(super) fn names<'a>(
    place: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<Vec<Name>, Error> {
    let mut seen = std::collections::BTreeMap::new();
    let mut taken = BTreeSet::new();
    for name in names.clone() {
        check(name).map_err(|why| Error::Name { name: format!("{place}{name}"), why })?;
        if let Some(other) = seen.insert(name.to_lowercase(), name) {
            let [name, other] = [name, other].map(|name| format!("{place}{name}"));
            return Err(Error::SameName { name, other });
        }
        taken.extend(exact(name));
    }
    Ok(names
        .map(|name| match exact(name) {
            Some(short) => Name { short, long: Vec::new() },
            None => Name { short: alias(name, &mut taken), long: name.encode_utf16().collect() },
        })
        .collect())
}

fn check(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name == "." || name == ".." {
        return Err("it is none");
    }
    if name.chars().any(|letter| letter < ' ' || "\"*/:<>?\\|\x7f".contains(letter)) {
        return Err("it has a character that FAT keeps for itself");
    }
    if name.ends_with(['.', ' ']) || name.starts_with(' ') {
        return Err("FAT drops spaces around names and dots behind them");
    }
    if name.encode_utf16().count() > LONGEST {
        return Err("it is longer than 255 characters");
    }
    Ok(())
}

/// The short form of a name that needs no other: capitals and digits, at most eight and three.
fn exact(name: &str) -> Option<[u8; 11]> {
    let (base, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let plain = |part: &str| part.bytes().all(is_short);
    let fits = (1..=8).contains(&base.len()) && extension.len() <= 3 && !name.ends_with('.');
    (fits && plain(base) && plain(extension)).then(|| short(base, extension))
}

fn is_short(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"$%'-_@~`!(){}^#&".contains(&byte)
}

/// A short name for a long one, which nothing else in the directory has: `HOSTNA~1.CON`.
fn alias(name: &str, taken: &mut BTreeSet<[u8; 11]>) -> [u8; 11] {
    let fold = |part: &str, most: usize| -> String {
        let kept = part.chars().filter(|letter| !matches!(letter, '.' | ' '));
        kept.map(|letter| {
            let letter = letter.to_ascii_uppercase();
            if u8::try_from(letter).is_ok_and(is_short) { letter } else { '_' }
        })
        .take(most)
        .collect()
    };
    let (base, extension) = match name.rsplit_once('.') {
        Some((base, extension)) if !base.is_empty() => (base, extension),
        _ => (name, ""),
    };
    let (base, extension) = (fold(base, 8), fold(extension, 3));
    let mut number = 1u32;
    loop {
        let tail = format!("~{number}");
        let most = 8usize.saturating_sub(tail.len());
        let head: String = base.chars().take(most).collect();
        let short = short(&(head + &tail), &extension);
        // A directory has far fewer entries than there are numbers.
        if taken.insert(short) || number == u32::MAX {
            return short;
        }
        number += 1;
    }
}

fn short(base: &str, extension: &str) -> [u8; 11] {
    let mut name = Fields([b' '; 11]);
    name.put(0, base.as_bytes());
    name.put(8, extension.as_bytes());
    name.0
}

/// The checksum of a short name, which each part of its long name repeats.
fn checksum(short: &[u8; 11]) -> u8 {
    short.iter().fold(0u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shorts(list: &[&str]) -> Vec<String> {
        let names = names("", list.iter().copied()).expect("good names");
        names
            .iter()
            .map(|name| {
                let mark = if name.long.is_empty() { "" } else { " long" };
                format!("{}{mark}", String::from_utf8_lossy(&name.short))
            })
            .collect()
    }

    #[test]
    fn short_names_are_unique() {
        assert_eq!(shorts(&["BOOTX64.EFI", "EFI"]), ["BOOTX64 EFI", "EFI        "]);
        assert_eq!(
            shorts(&["HOST~1", "host", "hostapd.conf", "hostapd.config", ".keep", "näme.tar.gz"]),
            [
                "HOST~1     ",
                "HOST~2      long",
                "HOSTAP~1CON long",
                "HOSTAP~2CON long",
                "KEEP~1      long",
                "N_META~1GZ  long"
            ]
        );
    }

    #[test]
    fn what_fat_cannot_tell_apart_or_store_is_refused() {
        for bad in ["a:b", "a.", " a", "", "..", "a\n", &"x".repeat(256)] {
            let error = names("etc/", [bad].into_iter()).expect_err("refused");
            assert!(error.to_string().contains("etc/"), "{error}");
        }
        let error = names("etc/", ["Radvd", "radvd"].into_iter()).expect_err("refused");
        assert!(error.to_string().contains("etc/radvd") && error.to_string().contains("etc/Radvd"));
    }
}
