//! A user's own files: found, hashed, given their permissions, and refused where they look like secrets.
//!
//! Of a file on the host its bytes count, and whether they are a program's: not its permissions, owner and times.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::model::{FileSource, FolderSource, GuestPlan, Over};
use super::secrets;
use crate::entries::Map;
use crate::error::{Problem, RecipeError, Texts};
use crate::located::{At, Origin, Sourced};
use crate::scalars::Mode;
use crate::sources::{PROJECT, Sources};
use wifibox_ground::digest::Sha256;
use wifibox_ground::path::GuestPath;

/// Where the content of a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnContent {
    /// Here.
    Text(String),
    /// In this file, below the project's folder.
    From(String),
}

/// A file of the user's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnFile {
    /// Its content.
    #[serde(flatten)]
    pub content: OwnContent,
    /// Permissions.
    pub mode: Mode,
    /// The hash of its content.
    pub sha256: Sha256,
}

/// Something of the user's own at a path of the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Own {
    /// A file.
    File(OwnFile),
    /// A link, and where it leads.
    Link(String),
}

impl OwnFile {
    /// The bytes, as they were when the project was read.
    ///
    /// # Errors
    /// [`RecipeError`]: it cannot be read, or has changed.
    pub fn read(&self, sources: &Sources) -> Result<Vec<u8>, RecipeError> {
        let path = match &self.content {
            OwnContent::Text(text) => return Ok(text.clone().into_bytes()),
            OwnContent::From(path) => path,
        };
        let bytes = sources.read(&format!("{PROJECT}/{path}"))?.into_owned();
        if Sha256::of(&bytes) != self.sha256 {
            let why = "has changed while it was used; build once more".to_owned();
            return Err(RecipeError::Unfit { path: path.clone(), why });
        }
        Ok(bytes)
    }
}

/// The user's own files of a part of a project.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnFiles {
    pub root: BTreeMap<GuestPath, Sourced<Own>>,
    pub samples: BTreeMap<GuestPath, Sourced<OwnFile>>,
}

/// Reads the files of projects.
pub(super) struct Finder<'a> {
    pub sources: &'a Sources,
    pub texts: &'a Texts,
    pub file: &'a Arc<str>,
}

impl Finder<'_> {
    /// The files that `plan` names, and those in its folders. What is named goes before what is in a folder, a later
    /// folder before an earlier one.
    pub(super) fn find(&self, plan: &GuestPlan) -> Result<OwnFiles, RecipeError> {
        let mut found = OwnFiles::default();
        for folder in &plan.folders {
            self.folder(folder, &mut found)?;
        }
        for (path, file) in self.named(&plan.files)? {
            found.root.insert(path, Sourced { value: Own::File(file.value), origin: file.origin });
        }
        for (path, target) in plan.links.iter() {
            let origin = path.origin(self.file);
            let link = Sourced { value: Own::Link(target.value.clone()), origin };
            if plan.files.get(&path.value).is_some() {
                return Err(self.wrong("it is both a file and a link", &link.origin, None));
            }
            found.root.insert(path.value.clone(), link);
        }
        found.samples.extend(self.named(&plan.samples)?);
        Ok(found)
    }

    fn named(
        &self,
        files: &Map<GuestPath, FileSource>,
    ) -> Result<Vec<(GuestPath, Sourced<OwnFile>)>, RecipeError> {
        let mut found = Vec::new();
        for (path, given) in files.iter() {
            let origin = path.origin(self.file);
            let FileSource { text, from, mode, secret } = &given.value;
            let (content, bytes) = match (text, from) {
                (Some(text), None) => {
                    (OwnContent::Text(text.clone()), text.clone().into_bytes().into())
                }
                (None, Some(from)) => {
                    let from = self.inside(from, &given.origin(self.file))?;
                    (OwnContent::From(from.clone()), self.read(&from, &origin)?)
                }
                _ => {
                    let why = "a file has either a text, or a file that it is from";
                    let help = "expected { text: ... } or { from: FILE }";
                    return Err(self.wrong(why, &given.origin(self.file), Some(help)));
                }
            };
            let name = path.value.to_string();
            if !secret {
                let advice = "if it is meant to be in the output: secret: true";
                self.no_secret(&name, &bytes, &origin, advice)?;
            }
            let file = own_file(content, &bytes, *mode);
            found.push((path.value.clone(), Sourced { value: file, origin }));
        }
        Ok(found)
    }

    fn folder(&self, given: &At<FolderSource>, found: &mut OwnFiles) -> Result<(), RecipeError> {
        let origin = given.origin(self.file);
        let from = self.inside(&given.from, &origin)?;
        let files = self.sources.files_below(&format!("{PROJECT}/{from}"));
        let files = files.map_err(|error| self.wrong(error.to_string(), &origin, None))?;
        if files.is_empty() {
            let what = format!("there is no file in the folder {from}");
            return Err(self.wrong(what, &origin, Some("a path starts at the project's folder")));
        }
        let matches = |pattern: &crate::Pattern, name: &str| {
            pattern.glob().is_ok_and(|glob| glob.compile_matcher().is_match(name))
        };
        let globs = given.modes.iter().map(|(glob, _)| (&glob.value, glob.origin(self.file)));
        let globs = globs.chain(given.secrets.iter().map(|glob| (glob, origin.clone())));
        for (glob, at) in globs {
            if !files.iter().any(|name| matches(glob, name)) {
                let what = format!("no file of {from} matches \"{glob}\"");
                return Err(self.wrong(what, &at, None));
            }
        }
        for name in &files {
            let path = format!("{from}/{name}");
            let bytes = self.read(&path, &origin)?;
            if !given.secrets.iter().any(|glob| matches(glob, name)) {
                let advice = format!("if it is meant to be in the output: secrets: [{name}]");
                self.no_secret(&path, &bytes, &origin, &advice)?;
            }
            let mode = given.modes.iter().find(|(glob, _)| matches(&glob.value, name));
            let mode = mode.map(|(_, mode)| mode.value);
            let file = own_file(OwnContent::From(path), &bytes, mode);
            let place = GuestPath::from_archive(name.as_bytes())
                .map_err(|error| self.wrong(error.to_string(), &origin, None))?;
            let origin = origin.clone();
            match given.over {
                Over::Root => {
                    found.root.insert(place, Sourced { value: Own::File(file), origin });
                }
                Over::Samples => {
                    found.samples.insert(place, Sourced { value: file, origin });
                }
            }
        }
        Ok(())
    }

    fn no_secret(
        &self,
        name: &str,
        bytes: &[u8],
        origin: &Origin,
        advice: &str,
    ) -> Result<(), RecipeError> {
        let Some(secret) = secrets::find(name, bytes) else { return Ok(()) };
        let problem = Problem::new(format!("{name} looks like a secret: {secret}"))
            .at(self.texts.place(origin))
            .help("everybody who has the output can read it: keep it in the host's configuration")
            .help(advice);
        Err(RecipeError::invalid(problem))
    }

    fn read(
        &self,
        path: &str,
        origin: &Origin,
    ) -> Result<std::borrow::Cow<'static, [u8]>, RecipeError> {
        let bytes = self.sources.read(&format!("{PROJECT}/{path}"));
        bytes.map_err(|error| self.wrong(error.to_string(), origin, None))
    }

    /// A path below the project's folder.
    fn inside(&self, path: &str, origin: &Origin) -> Result<String, RecipeError> {
        let inside = GuestPath::from_archive(path.as_bytes()).ok().filter(|path| !path.is_root());
        inside.and_then(|path| path.as_str().map(str::to_owned)).ok_or_else(|| {
            let what = format!("\"{path}\" does not lead to something below the project's folder");
            self.wrong(what, origin, Some("expected a path that starts there, without .."))
        })
    }

    fn wrong(&self, what: impl Into<String>, origin: &Origin, help: Option<&str>) -> RecipeError {
        let problem = Problem::new(what).at(self.texts.place(origin));
        RecipeError::invalid(match help {
            Some(help) => problem.help(help),
            None => problem,
        })
    }
}

fn own_file(content: OwnContent, bytes: &[u8], mode: Option<Mode>) -> OwnFile {
    let is_program = bytes.starts_with(b"#!") || bytes.starts_with(b"\x7fELF");
    let usual = if is_program { Mode::directory() } else { Mode::file() };
    OwnFile { content, mode: mode.unwrap_or(usual), sha256: Sha256::of(bytes) }
}
