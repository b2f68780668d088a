//! WHENCE, linux-firmware's list of where its files come from: links and licences.
//!
//! The file's parts are separated by lines of `-`. In each, `File: NAME` and `RawFile: NAME` name
//! files, `Link: NAME -> TARGET` a link that packagers are to make (the target is relative to the
//! link's directory), `Licence:` or `License:` begins a text that runs to the next keyword or the
//! part's end. It holds for the files before it, back to the licence before that. Names with blanks stand in `"` or have `\` before each blank (check_whence.py and
//! copy-firmware.sh of linux-firmware).

use std::collections::{BTreeMap, BTreeSet};

/// Why a WHENCE cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("WHENCE, line {line}: {problem}: {text:?}")]
pub struct WhenceError {
    /// The line's number, from 1.
    pub line: usize,
    /// The reason, for the message.
    pub problem: &'static str,
    /// The line.
    pub text: String,
}

/// The files under one licence, as WHENCE lists them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// The driver, with its description.
    pub driver: String,
    /// Files, by name below `lib/firmware`.
    pub files: Vec<String>,
    /// Links: name and target as written.
    pub links: Vec<(String, String)>,
    /// The licence's text or where to find it.
    pub licence: String,
}

/// WHENCE, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Whence {
    /// All sections that name a file or link, in the order of the file.
    pub sections: Vec<Section>,
    /// Which section a name belongs to; the first where several claim it.
    by_name: BTreeMap<String, usize>,
}

impl Whence {
    /// Reads a WHENCE.
    ///
    /// # Errors
    /// [`WhenceError`] for a link without a target or a name that leads out of `lib/firmware`.
    pub fn parse(text: &str) -> Result<Self, WhenceError> {
        let mut whence = Whence::default();
        let mut section = Section::default();
        let mut in_licence = false;
        for (index, line) in text.lines().enumerate() {
            let fail = |problem| WhenceError { line: index + 1, problem, text: line.to_owned() };
            if line.len() > 2 && line.bytes().all(|byte| byte == b'-') {
                whence.close(std::mem::take(&mut section));
                in_licence = false;
                continue;
            }
            let (keyword, value) = match line.split_once(':') {
                Some((keyword, value)) if is_keyword(keyword) => (keyword, value.trim()),
                _ => ("", line),
            };
            match keyword {
                "Licence" | "License" => in_licence = true,
                "" => {}
                _ if in_licence => {
                    // The next files are under another licence; the driver may be the same.
                    let driver = section.driver.clone();
                    whence.close(std::mem::replace(
                        &mut section,
                        Section { driver, ..Section::default() },
                    ));
                    in_licence = false;
                }
                _ => {}
            }
            match keyword {
                "Driver" => section.driver = value.to_owned(),
                "File" | "RawFile" => {
                    let name = unquote(value.split_once(" -- ").map_or(value, |(name, _)| name));
                    if !is_inside("", &name) {
                        return Err(fail("a file's name leads out of lib/firmware"));
                    }
                    section.files.push(name);
                }
                "Link" => {
                    let (name, target) =
                        value.split_once(" -> ").ok_or_else(|| fail("a link without ' -> '"))?;
                    let (name, target) = (unquote(name), unquote(target));
                    let directory = name.rsplit_once('/').map_or("", |(above, _)| above);
                    if !is_inside("", &name) || !is_inside(directory, &target) {
                        return Err(fail("a link that leads out of lib/firmware"));
                    }
                    section.links.push((name, target));
                }
                _ if in_licence => {
                    if !section.licence.is_empty() {
                        section.licence.push('\n');
                    }
                    section.licence.push_str(value);
                }
                _ => {}
            }
        }
        whence.close(section);
        Ok(whence)
    }

    fn close(&mut self, mut section: Section) {
        if section.files.is_empty() && section.links.is_empty() {
            return;
        }
        section.licence = section.licence.trim().to_owned();
        let index = self.sections.len();
        let links = section.links.iter().map(|(name, _)| name);
        for name in section.files.iter().chain(links) {
            self.by_name.entry(name.clone()).or_insert(index);
        }
        self.sections.push(section);
    }

    /// All links: name and target, as written.
    pub fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        let links = self.sections.iter().flat_map(|section| &section.links);
        links.map(|(name, target)| (name.as_str(), target.as_str()))
    }

    /// The section that a firmware file or link belongs to.
    pub fn section_of(&self, name: &str) -> Option<&Section> {
        self.sections.get(*self.by_name.get(name)?)
    }

    /// The licence files (`LICENCE.iwlwifi_firmware`) that the licences of these files point to.
    pub fn licence_files<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        let sections: BTreeSet<usize> =
            names.into_iter().filter_map(|name| self.by_name.get(name).copied()).collect();
        let mut files = BTreeSet::new();
        for section in sections.into_iter().filter_map(|index| self.sections.get(index)) {
            files.extend(section.licence_files());
        }
        files
    }
}

impl Section {
    /// The licence files that this section's licence points to.
    pub fn licence_files(&self) -> impl Iterator<Item = String> {
        self.licence
            .split(|letter: char| letter.is_whitespace() || "()<>,;'\"".contains(letter))
            .map(|word| word.trim_end_matches(['.', ':']))
            .filter(|word| is_licence_file(word))
            .map(str::to_owned)
    }
}

pub(super) fn is_licence_file(word: &str) -> bool {
    let base = word.rsplit_once('/').map_or(word, |(_, base)| base);
    let named = base.strip_prefix("LICENCE").or_else(|| base.strip_prefix("LICENSE"));
    named.is_some_and(|rest| rest.starts_with(['.', '-', '_']))
        || matches!(base, "GPL-2" | "GPL-3" | "NOTICE" | "NOTICE.txt")
}

/// WHENCE's keywords; other texts with a colon occur in licences.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 10] = [
        "Driver", "File", "RawFile", "Raw", "Link", "Licence", "License", "Version", "Source",
        "Info",
    ];
    KEYWORDS.contains(&word)
}

fn unquote(text: &str) -> String {
    let text = text.trim();
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| text.replace("\\ ", " "), str::to_owned)
}

/// Whether `path`, seen from `directory`, stays below `lib/firmware`.
fn is_inside(directory: &str, path: &str) -> bool {
    let mut depth = directory.split('/').filter(|part| !part.is_empty()).count();
    if path.is_empty() || path.starts_with('/') || path.contains('\0') {
        return false;
    }
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, depth.checked_sub(1)) {
            ("..", Some(less)) => depth = less,
            ("..", None) => return false,
            _ => depth += 1,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "\
            **********\n            * WHENCE *\n\nSome words.\n\n\
--------------------------------------------------------------------------\n\n\
Driver: alpha - A card\n\nFile: alpha/one.bin\nRawFile: \"alpha/t w o.bin\"\n\
File: alpha/th\\ ree.bin -- its words\nLink: alpha/four.bin -> one.bin\n\
Link: alpha/sub/five.bin -> ../one.bin\nVersion: 1.2\n\n\
Licence: Redistributable. See LICENCE.alpha_firmware (and licenses/LICENSE.beta) for details.\n\
Note: kept.\n\n\
--------------------------------------------------------------------------\n\n\
Driver: gamma\nFile: gamma.bin\nLicense:\n  Allegedly GPL: see LICENCES.\n\n\
File: delta.bin\nRaw: delta.bin\nDriver: epsilon\nFile: epsilon.bin\n\n\
Licence: GPLv2 or later. See GPL-2 and qca/NOTICE.txt for details.\n";

    #[test]
    fn files_links_and_licences_are_read() {
        let whence = Whence::parse(TEXT).expect("read");
        assert_eq!(whence.sections.len(), 3);
        let alpha = whence.section_of("alpha/four.bin").expect("a section");
        assert_eq!(alpha.driver, "alpha - A card");
        assert_eq!(alpha.files, ["alpha/one.bin", "alpha/t w o.bin", "alpha/th ree.bin"]);
        assert!(alpha.licence.ends_with("Note: kept."), "{}", alpha.licence);
        let links: Vec<_> = whence.links().collect();
        assert_eq!(links, [("alpha/four.bin", "one.bin"), ("alpha/sub/five.bin", "../one.bin")]);
        let licences = whence.licence_files(["alpha/one.bin", "gamma.bin"]);
        let licences: Vec<_> = licences.iter().map(String::as_str).collect();
        assert_eq!(licences, ["LICENCE.alpha_firmware", "licenses/LICENSE.beta"]);
        assert!(whence.section_of("none").is_none());
        // A licence holds for the files before it, back to the one before that.
        assert!(whence.licence_files(["gamma.bin"]).is_empty());
        for name in ["delta.bin", "epsilon.bin"] {
            let licences: Vec<_> = whence.licence_files([name]).into_iter().collect();
            assert_eq!(licences, ["GPL-2", "qca/NOTICE.txt"], "{name}");
        }
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for bad in [
            "File: ../etc/passwd",
            "File: /etc/passwd",
            "Link: a -> ../b",
            "Link: a/b -> ../../c",
            "Link: a -> /etc/passwd",
            "Link: a",
        ] {
            assert!(Whence::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn noise_never_panics(text in "(File|Link|Licence|Driver|[a-z:\" >/.\\\\\n-]){0,60}") {
            let _ = Whence::parse(&text);
        }
    }
}
