//! `licenses/summary.json` and `licenses/SUMMARY.txt`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::{
    FirmwareLicence, Licences, Obligation, PackageLicence, Redistribution, Reference, Source,
};

/// The number of summary.json's format.
pub const FORMAT: u32 = 1;

/// Where lines of the text are broken, in characters.
const WIDTH: usize = 100;
/// Where the second column begins.
const INDENT: usize = 18;

/// The content of summary.json.
#[derive(Debug, Serialize)]
struct Json<'a> {
    format: u32,
    build_id: &'a str,
    packages: &'a [PackageLicence],
    firmware: &'a [FirmwareLicence],
    sources_to_offer: Vec<&'a Source>,
    licences_named_by_firmware_manifests: &'a [String],
    references: Vec<ReferenceLine<'a>>,
}

/// A licence beyond SPDX's list; its text is in a file, or in the SBOM.
#[derive(Debug, Serialize)]
struct ReferenceLine<'a> {
    id: &'a str,
    name: &'a str,
}

impl<'a> From<&'a Reference> for ReferenceLine<'a> {
    fn from(reference: &'a Reference) -> Self {
        ReferenceLine { id: &reference.id, name: &reference.name }
    }
}

impl Licences {
    /// The sources that have to be offered, each once.
    pub(crate) fn sources_to_offer(&self) -> Vec<&Source> {
        let packages = self.packages.iter().filter(|package| package.needs_source());
        let sources: BTreeSet<&Source> = packages.flat_map(|package| &package.sources).collect();
        sources.into_iter().collect()
    }

    /// The text of summary.json.
    ///
    /// # Errors
    /// Never in practice: every field can be written as JSON.
    pub fn to_json(&self, build_id: &str) -> serde_json::Result<String> {
        let json = Json {
            format: FORMAT,
            build_id,
            packages: &self.packages,
            firmware: &self.firmware,
            sources_to_offer: self.sources_to_offer(),
            licences_named_by_firmware_manifests: &self.named,
            references: self.references.iter().map(ReferenceLine::from).collect(),
        };
        Ok(serde_json::to_string_pretty(&json)? + "\n")
    }

    /// The text of SUMMARY.txt, for people.
    pub fn to_text(&self, title: &str) -> String {
        let mut text = String::new();
        let heading = |text: &mut String, words: &str| {
            text.truncate(text.trim_end().len());
            text.push('\n');
            let _ = write!(text, "\n{words}\n{}\n\n", "=".repeat(words.chars().count()));
        };
        let _ = writeln!(text, "Licences of {title}\n");
        text.push_str(&wrapped(INTRODUCTION, 0, WIDTH));
        heading(&mut text, "In short");
        self.in_short(&mut text);
        let sources = self.sources_to_offer();
        if !sources.is_empty() {
            heading(&mut text, "Sources to pass on or to offer");
            for source in sources {
                let _ = writeln!(text, "{} {}", source.name, source.version);
                text.push_str(&wrapped(&source.place, 4, WIDTH));
            }
        }
        if !self.firmware.is_empty() {
            heading(&mut text, "Firmware");
            for group in group_firmware(&self.firmware) {
                group_block(&mut text, &group);
            }
        }
        heading(&mut text, "Packages in the outputs");
        for package in self.packages.iter().filter(|package| package.files > 0) {
            package_block(&mut text, package);
        }
        let unused: Vec<String> = self
            .packages
            .iter()
            .filter(|package| package.files == 0)
            .map(|package| format!("{} {}", package.name, package.version))
            .collect();
        if !unused.is_empty() {
            heading(&mut text, "Packages of which nothing is in the outputs");
            text.push_str(&wrapped(&unused.join(", "), 0, WIDTH));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    fn in_short(&self, text: &mut String) {
        let used: Vec<&PackageLicence> = self.packages.iter().filter(|p| p.files > 0).collect();
        let _ = writeln!(text, "{:>5}  packages with content in the outputs", used.len());
        let _ = writeln!(text, "{:>5}  firmware files", self.firmware.len());
        for grade in [Redistribution::Yes, Redistribution::Unmodified, Redistribution::Unknown] {
            let packages = used.iter().filter(|package| package.redistribution == grade).count();
            let files = self.firmware.iter().filter(|file| file.redistribution == grade).count();
            if packages + files > 0 {
                let words = format!("{packages} packages, {files} firmware files");
                let _ = writeln!(text, "       may be passed on: {grade}: {words}");
            }
        }
        let read = used.iter().filter(|package| package.redistribution == Redistribution::Unknown);
        let mut names: Vec<&str> = read.map(|package| package.name.as_str()).collect();
        let files =
            self.firmware.iter().filter(|file| file.redistribution == Redistribution::Unknown);
        names.extend(files.map(|file| file.name.as_str()));
        if !names.is_empty() {
            let _ = writeln!(text, "       read before you pass on: {}", names.join(", "));
        }
        let _ =
            writeln!(text, "{:>5}  sources to pass on or to offer", self.sources_to_offer().len());
    }
}

const INTRODUCTION: &str = "This says under which licences the parts of the guest stand, as its packages say it, \
and what passing the guest on asks for. It is no legal advice. Licences are SPDX expressions; a LicenseRef- is a \
licence that SPDX's list does not have: its text is in the files named here and in sbom.spdx.json. What is unclear \
is said to be so. Where a package has a machine-readable copyright file, its licence is that of the whole source \
package, of which a binary holds parts. summary.json says the same to programs. The builder's own files in the guest are under \
BSD-2-Clause.";

/// Firmware files that have everything but their names in common.
struct Group<'a> {
    files: Vec<&'a FirmwareLicence>,
}

fn group_firmware(files: &[FirmwareLicence]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for file in files {
        let same = |group: &&mut Group<'_>| {
            group.files.first().is_some_and(|first| {
                first.licence == file.licence
                    && first.from == file.from
                    && first.texts == file.texts
            })
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.files.push(file),
            None => groups.push(Group { files: vec![file] }),
        }
    }
    groups
}

fn group_block(text: &mut String, group: &Group<'_>) {
    let Some(first) = group.files.first() else { return };
    let names: Vec<&str> = group.files.iter().map(|file| file.name.as_str()).collect();
    text.push_str(&wrapped(&names.join(", "), 0, WIDTH));
    row(text, "from", &first.from);
    row(text, "licence", &first.licence);
    row(text, "may be passed on", &first.redistribution.to_string());
    row(text, "you have to", &words(&first.obligations));
    row(text, "texts", &first.texts.join(", "));
    for note in &first.notes {
        row(text, "note", note);
    }
    text.push('\n');
}

fn package_block(text: &mut String, package: &PackageLicence) {
    let files = match package.files {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    };
    let _ = writeln!(text, "{} {} ({files})", package.name, package.version);
    row(text, "licence", &package.licence);
    row(text, "may be passed on", &package.redistribution.to_string());
    row(text, "you have to", &words(&package.obligations));
    let sources: Vec<String> = package
        .sources
        .iter()
        .map(|source| format!("{} {}", source.name, source.version))
        .collect();
    row(text, "source", &sources.join(", "));
    row(text, "texts", &package.texts.join(", "));
    for note in &package.notes {
        row(text, "note", note);
    }
    text.push('\n');
}

fn words(obligations: &[Obligation]) -> String {
    obligations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn row(text: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let lines = wrapped(value, 4 + INDENT, WIDTH);
        let _ = write!(text, "    {name:<INDENT$}{}", lines.trim_start());
    }
}

/// `text` broken between words, each line indented.
fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let mut out = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > width {
            let _ = writeln!(out, "{:indent$}{line}", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{:indent$}{line}", "");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_broken_between_words() {
        let mut text = String::new();
        row(&mut text, "licence", &"word ".repeat(40));
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert!(text.starts_with("    licence           word"), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with(&" ".repeat(22))), "{text}");
    }
}
