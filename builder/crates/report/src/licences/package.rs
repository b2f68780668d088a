//! The licence of one package.

use super::expression::all_of;
use super::listed;
use super::texts::common_licences;
use super::{
    Basis, FirmwareLicence, NOASSERTION, Obligation, PackageLicence, Packaged, Work, copyright,
    is_free_archive, names,
};
use wifibox_formats::Package;
use wifibox_recipe::Format;

/// A licence as it was found.
struct Found {
    expression: String,
    basis: Basis,
    notes: Vec<String>,
}

impl Work<'_> {
    /// The licence of `package`; `firmware` is what was found out about firmware files.
    pub(super) fn package(
        &mut self,
        packaged: Packaged<'_>,
        firmware: &[FirmwareLicence],
    ) -> PackageLicence {
        let package = packaged.record;
        let files = self.files.get(package.name.as_str()).copied().unwrap_or_default();
        let free = is_free_archive(package);
        let own: Vec<&FirmwareLicence> =
            firmware.iter().filter(|file| file.from == package.name).collect();
        // Where all that came in is firmware, only its licences count.
        let narrow = !own.is_empty() && !files.others;
        let mut texts = self.package_texts(package);
        let mut found = if narrow && own.iter().all(|file| file.licence != NOASSERTION) {
            Found {
                expression: all_of(own.iter().map(|file| file.licence.as_str())),
                basis: own.first().map_or(Basis::Nothing, |file| file.basis),
                notes: vec![
                    "The licences of those firmware files that are in the guest.".to_owned(),
                ],
            }
        } else {
            self.found(packaged)
        };
        found
            .notes
            .extend(self.subject.collected.skipped.get(&package.name).cloned().unwrap_or_default());
        if packaged.distribution.format != Format::Dpkg || texts.is_empty() {
            texts.extend(self.listed_texts(&found.expression));
        }
        texts.sort();
        texts.dedup();
        let control = self.subject.collected.controls.get(&package.name);
        let distribution = packaged.distribution;
        let mut sources = vec![distribution.source(package, control)];
        let others = control.map(|control| control.built_using.as_slice()).unwrap_or_default();
        sources.extend(others.iter().map(|(name, version)| distribution.at(name, version)));
        let mut obligations = Vec::new();
        if files.count == 0 {
            found.notes.push("Nothing of it is in the outputs.".to_owned());
        } else {
            obligations = self.references.obligations(&found.expression, free);
            if texts.is_empty() {
                found.notes.push("No package brings its text.".to_owned());
            }
        }
        PackageLicence {
            name: package.name.clone(),
            version: package.version.clone(),
            redistribution: self.references.redistribution(&found.expression, free),
            licence: found.expression,
            basis: found.basis,
            files: files.count,
            obligations,
            sources,
            texts,
            notes: found.notes,
        }
    }

    /// The licence from the package's `copyright` file, or else from its index.
    fn found(&mut self, packaged: Packaged<'_>) -> Found {
        let package = packaged.record;
        let path = format!("usr/share/doc/{}/copyright", package.name);
        let text = self.subject.collected.text(&path);
        match text {
            Some((_, text)) => self.read_copyright(packaged, &text),
            None if !package.license.is_empty() => {
                let scope = self.scope(packaged);
                let references = &mut self.references;
                let words = format!("The package index says: {}", package.license);
                let expression = names::field(&package.license, &mut |name| {
                    references.add(&scope, name, &words)
                });
                Found { expression, basis: Basis::PackageIndex, notes: Vec::new() }
            }
            None => Found {
                expression: NOASSERTION.to_owned(),
                basis: Basis::Nothing,
                notes: vec!["Neither the package nor its index says its licence.".to_owned()],
            },
        }
    }

    fn read_copyright(&mut self, packaged: Packaged<'_>, text: &str) -> Found {
        let mut notes = Vec::new();
        match copyright::Copyright::parse(text) {
            Ok(Some(copyright)) => {
                let mut terms = Vec::new();
                // First what holds for most of it.
                let (main, others): (Vec<_>, Vec<_>) =
                    copyright.files.iter().partition(|files| files.patterns == ["*"]);
                for files in main.into_iter().chain(others) {
                    terms.push(self.debian_expression(packaged, &files.licence, &files.text));
                }
                let expression = all_of(terms.iter().map(String::as_str));
                return Found { expression, basis: Basis::CopyrightFile, notes };
            }
            Ok(None) => notes.push("Its copyright file is not machine-readable.".to_owned()),
            Err(why) => notes.push(format!(
                "Its copyright file says that it is machine-readable, but cannot be read: {why}."
            )),
        }
        let common = common_licences(text);
        if !common.is_empty() {
            notes.push(format!("Its text refers to {}.", common.join(", ")));
        }
        let scope = self.scope(packaged);
        let expression = self.references.add(&scope, "copyright", text);
        Found { expression, basis: Basis::FreeText, notes }
    }

    /// Puts the texts that a package brings into the folder, and the common ones they refer to.
    fn package_texts(&mut self, package: &Package) -> Vec<String> {
        let mut paths = Vec::new();
        let name = &package.name;
        if let Some((path, text)) = self.copyright_text(name) {
            paths.push(path);
            for common in common_licences(&text) {
                paths.extend(self.common_text(&common));
            }
        }
        let collected = self.subject.collected;
        for (path, content) in collected.files_of(name) {
            let Some(below) = path.as_str().and_then(|p| p.strip_prefix("usr/share/licenses/"))
            else {
                continue;
            };
            if let Ok(bytes) = content.read() {
                let file = below.replace('/', "-");
                paths.push(self.texts.add_once(&format!("packages/{name}/{file}"), &bytes));
            }
        }
        paths
    }

    /// The `copyright` of a package, and where it is in the folder: under the name of the package that
    /// has it, which may be another one of the same source.
    pub(super) fn copyright_text(&mut self, name: &str) -> Option<(String, String)> {
        let (path, text) =
            self.subject.collected.text(&format!("usr/share/doc/{name}/copyright"))?;
        let owner = path.parent().unwrap_or_default();
        let owner = String::from_utf8_lossy(owner.name()).into_owned();
        let path = self.texts.add_once(&format!("packages/{owner}/copyright"), text.as_bytes());
        Some((path, text))
    }

    /// One of `usr/share/common-licenses`: the base's own, or the text that SPDX's list has.
    fn common_text(&mut self, name: &str) -> Option<String> {
        let own = self.subject.collected.text(&format!("usr/share/common-licenses/{name}"));
        if let Some((_, text)) = own {
            return Some(self.texts.add(&format!("common/{name}"), text.as_bytes()));
        }
        let id = names::debian(name, &mut |_| String::new());
        let id = spdx::license_id(&id)?;
        let text = listed::text(id.name)?;
        Some(self.texts.add(&format!("common/{}", id.name), text.as_bytes()))
    }

    /// The texts that SPDX's list has of the licences in `expression`, for packages without any.
    fn listed_texts(&mut self, expression: &str) -> Vec<String> {
        let Ok(expression) = spdx::Expression::parse(expression) else { return Vec::new() };
        let ids = expression.requirements().filter_map(|request| request.req.license.id());
        ids.filter_map(|id| Some((id.name, listed::text(id.name)?)))
            .map(|(name, text)| self.texts.add(&format!("common/{name}"), text.as_bytes()))
            .collect()
    }
}

impl PackageLicence {
    /// Whether passing it on asks for its source.
    pub(crate) fn needs_source(&self) -> bool {
        self.obligations.contains(&Obligation::Source)
    }
}
