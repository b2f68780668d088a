//! The licence of each firmware file: from WHENCE, or from the `copyright` of its package.

use super::{Basis, FirmwareLicence, NOASSERTION, Redistribution, Work, is_free_archive, names};
use wifibox_ground::digest::Sha256;
use wifibox_ground::path::GuestPath;
use wifibox_linux::firmware::whence::Whence;
use wifibox_tree::{Kind, Origin};

/// Suffixes of compressed firmware, which names do not count.
const COMPRESSED: [&str; 3] = [".xz", ".zst", ".gz"];

/// A firmware file of the guest.
struct File {
    path: GuestPath,
    name: String,
    sha256: Sha256,
    origin: Origin,
}

/// The licence of a file, and its source.
struct Found {
    expression: String,
    basis: Basis,
    texts: Vec<String>,
    notes: Vec<String>,
}

impl Work<'_> {
    /// The licences of all firmware files of the guest, by path.
    pub(super) fn firmware(&mut self) -> std::io::Result<Vec<FirmwareLicence>> {
        let whence = self.whence();
        let mut files = Vec::new();
        for (path, node) in self.subject.tree.iter() {
            let Kind::File(content) = &node.kind else { continue };
            let Some(name) = firmware_name(path) else { continue };
            let sha256 = content.digests()?.sha256;
            files.push(File { path: path.clone(), name, sha256, origin: node.origin.clone() });
        }
        Ok(files.into_iter().map(|file| self.firmware_file(file, whence.as_ref())).collect())
    }

    /// WHENCE, where a package brought it.
    fn whence(&self) -> Option<Whence> {
        let collected = self.subject.collected;
        let paths = collected.tree.iter().map(|(path, _)| path);
        let mut found = paths.filter(|path| path.name() == b"WHENCE");
        found.find_map(|path| {
            let (_, text) = collected.text(&path.to_string())?;
            Whence::parse(&text).ok()
        })
    }

    fn firmware_file(&mut self, file: File, whence: Option<&Whence>) -> FirmwareLicence {
        let from = match &file.origin {
            Origin::Package(package) => package.clone(),
            other => other.to_string(),
        };
        let found = match &file.origin {
            Origin::Package(package) => self
                .in_whence(&file.name, whence)
                .or_else(|| self.in_copyright(&file.name, package))
                .unwrap_or_else(|| self.in_index(package)),
            _ => Found {
                expression: NOASSERTION.to_owned(),
                basis: Basis::Nothing,
                texts: Vec::new(),
                notes: vec!["It comes from no package: who added it knows its licence.".to_owned()],
            },
        };
        let free = self.packaged(&from).is_some_and(|package| is_free_archive(package.record));
        let redistribution = self.references.redistribution(&found.expression, free);
        let mut notes = found.notes;
        let named = &self.subject.named;
        if redistribution != Redistribution::Yes
            && !named.is_empty()
            && found.basis != Basis::Nothing
        {
            notes.push(format!("The firmware manifests name {}.", named.join(", ")));
        }
        FirmwareLicence {
            path: file.path.to_string(),
            name: file.name,
            sha256: file.sha256,
            from,
            obligations: self.references.obligations(&found.expression, free),
            licence: found.expression,
            basis: found.basis,
            redistribution,
            texts: found.texts,
            notes,
        }
    }

    /// By WHENCE: the licence files that its section points to, or its words.
    fn in_whence(&mut self, name: &str, whence: Option<&Whence>) -> Option<Found> {
        let section = whence?.section_of(name)?;
        let mut texts = Vec::new();
        let mut whole = section.licence.clone();
        let mut title = Vec::new();
        for licence in section.licence_files() {
            let base = licence.rsplit('/').next().unwrap_or(&licence).to_owned();
            if let Some(text) = self.licence_file(&licence) {
                texts.push(self.texts.add_once(&format!("firmware/{base}"), text.as_bytes()));
                whole = format!("{whole}\n\n{base}:\n\n{text}");
            }
            title.push(base);
        }
        let gnu = [("GPL-2", "GPL-2.0-only"), ("GPL-3", "GPL-3.0-only")];
        let later = section.licence.contains("or later");
        let expression = match title.as_slice() {
            [only] if gnu.iter().any(|(name, _)| name == only) => {
                let plus = if later { "+" } else { "" };
                names::debian(&format!("{only}{plus}"), &mut |_| NOASSERTION.to_owned())
            }
            [] => self.references.add("linux-firmware", &section.driver, &whole),
            _ => self.references.add("linux-firmware", &title.join(" "), &whole),
        };
        let words = section.licence.lines().next().unwrap_or_default().trim();
        let notes = vec![format!("WHENCE says: {words}")];
        Some(Found { expression, basis: Basis::Whence, texts, notes })
    }

    /// A licence file of linux-firmware, wherever a package has it.
    fn licence_file(&self, name: &str) -> Option<String> {
        let base = name.rsplit('/').next()?.as_bytes();
        let collected = self.subject.collected;
        let mut paths = collected.tree.iter().map(|(path, _)| path);
        let path = paths.find(|path| path.name() == base)?;
        collected.text(&path.to_string()).map(|(_, text)| text)
    }

    /// By the paragraph of its package's `copyright` that holds for this file.
    fn in_copyright(&mut self, name: &str, package: &str) -> Option<Found> {
        let packaged = self.packaged(package)?;
        let files = self.copyright(package)?.of_file(name)?.clone();
        let expression = self.debian_expression(packaged, &files.licence, &files.text);
        let texts = self.copyright_text(package).map(|(path, _)| path);
        Some(Found {
            expression,
            basis: Basis::CopyrightFile,
            texts: texts.into_iter().collect(),
            notes: Vec::new(),
        })
    }

    /// By the index's field for the whole package.
    fn in_index(&mut self, package: &str) -> Found {
        let packaged = self.packaged(package).filter(|found| !found.record.license.is_empty());
        match packaged {
            Some(packaged) => {
                let record = packaged.record;
                let scope = self.scope(packaged);
                let references = &mut self.references;
                let words = format!("The package index says: {}", record.license);
                let expression =
                    names::field(&record.license, &mut |name| references.add(&scope, name, &words));
                let notes = vec!["The index's word for the whole package.".to_owned()];
                Found { expression, basis: Basis::PackageIndex, texts: Vec::new(), notes }
            }
            None => Found {
                expression: NOASSERTION.to_owned(),
                basis: Basis::Nothing,
                texts: Vec::new(),
                notes: vec!["Neither its package nor the index says its licence.".to_owned()],
            },
        }
    }
}

/// The name below `lib/firmware` that a driver asks for; `None` for other files.
pub(super) fn firmware_name(path: &GuestPath) -> Option<String> {
    let path = path.as_str()?;
    let name = path.strip_prefix("usr/").unwrap_or(path).strip_prefix("lib/firmware/")?;
    let bare = COMPRESSED.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    Some(bare.to_owned())
}
