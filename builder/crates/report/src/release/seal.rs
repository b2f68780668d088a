//! Writes `provenance.json`, `index.json` and `SHA256SUMS` of a release folder from what lies in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::cyclonedx::package_urls;
use super::index::{Artefact, FORMAT, Guest, Index, Kind, Omitted, Source, Tool};
use super::provenance::{Made, Statement};
use super::{FREEBSD, GUESTS, INDEX, LOCKS, PAGE, PROVENANCE, TOOLS};
use crate::output::{LoadError, SIZE_LIMIT, load};
use crate::{Manifest, signature};
use wifibox_ground::digest::{Hasher, Sha256};
use wifibox_ground::regular;
use wifibox_ground::sums::{SIGNATURES, SUMS, SUMS_LIMIT, Sums};
use wifibox_recipe::{RecipeError, Sources};

/// The facts about a release that its files do not state.
pub struct Description<'a> {
    /// Its version.
    pub version: String,
    /// Where the builder and its recipes are from.
    pub source: Option<Source>,
    /// A URI that says who runs the build.
    pub builder_id: String,
    /// URIs of the machines that built guests, by the guests' names, where that is told.
    pub built_by: BTreeMap<String, String>,
    /// How guests passed their boot tests, by the guests' names.
    pub boot_tested: BTreeMap<String, BTreeSet<String>>,
    /// The guests that are not in it, and why.
    pub omitted: Vec<Omitted>,
    /// The recipes that it was built from.
    pub recipes: &'a Sources,
    /// Makes the page for people from the index, which lacks the page, the provenance and itself.
    pub page: &'a dyn Fn(&Index) -> String,
}

/// Why a release cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A file or folder cannot be read or written.
    #[error("{doing} {path}: {source}")]
    Io {
        /// The operation that failed: `cannot read`, `cannot write`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// A guest has no manifest that can be read.
    #[error(transparent)]
    Guest(#[from] LoadError),
    /// The recipes cannot be read.
    #[error(transparent)]
    Recipes(#[from] RecipeError),
    /// There is something that a release does not hold, or something missing.
    #[error("{path} {why}")]
    Unfit {
        /// The file or folder.
        path: PathBuf,
        /// The fault, as a predicate without its subject.
        why: String,
    },
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SealError {
    let path = path.to_owned();
    move |source| SealError::Io { doing, path, source }
}

fn unfit(path: impl Into<PathBuf>, why: impl Into<String>) -> SealError {
    SealError::Unfit { path: path.into(), why: why.into() }
}

/// Writes the four files into `folder`, which holds guests, locks, repositories and programs; `SHA256SUMS` is then
/// what is to be signed.
///
/// # Errors
/// [`SealError`].
pub fn seal(folder: &Path, description: Description<'_>) -> Result<Index, SealError> {
    not_in_the_way(folder)?;
    let (mut paths, mut links) = (Vec::new(), Vec::new());
    walk(folder, "", &mut paths, &mut links)?;
    paths.sort_unstable();
    let signature = format!("{SUMS}{}", signature::SUFFIX);
    paths.retain(|path| ![INDEX, PAGE, PROVENANCE, SUMS, &signature].contains(&path.as_str()));
    let mut guests: BTreeMap<String, (Guest, Manifest)> = BTreeMap::new();
    let (mut tools, mut files) = (Vec::new(), Vec::new());
    for path in paths {
        let (size, sha256) = measure(&folder.join(&path))?;
        let artefact = |kind| Artefact { path: path.clone(), kind, size, sha256 };
        let parts: Vec<&str> = path.splitn(3, '/').collect();
        match parts[..] {
            [GUESTS, name, file] => {
                if !guests.contains_key(name) {
                    guests.insert(name.to_owned(), guest(folder, name, &description)?);
                }
                if let Some((guest, _)) = guests.get_mut(name) {
                    guest.artefacts.push(artefact(Kind::of_output(file)));
                }
            }
            [FREEBSD, _, file] => files.push(artefact(Kind::of_repository(file))),
            [LOCKS, _] => files.push(artefact(Kind::Lock)),
            [TOOLS, target, _] => {
                let artefact = artefact(Kind::Program);
                tools.push(Tool { target: target.to_owned(), artefact });
            }
            _ => return Err(unfit(folder.join(path), "belongs to no part of a release")),
        }
    }
    if let Some(link) = links.iter().find(|link| !is_known(link, &guests)) {
        return Err(unfit(folder.join(link), "is a link that no build made"));
    }
    let builder =
        match guests.values().map(|(_, manifest)| &manifest.builder).collect::<BTreeSet<_>>() {
            builders if builders.len() == 1 => {
                builders.into_iter().next().cloned().unwrap_or_default()
            }
            builders if builders.is_empty() => {
                return Err(unfit(folder.join(GUESTS), "holds no guest"));
            }
            builders => {
                let why = format!("is the work of several versions of the builder: {builders:?}");
                return Err(unfit(folder.join(GUESTS), why));
            }
        };
    let tested =
        description.boot_tested.keys().map(|name| (name, "is said to be tested and not there"));
    let built = description.built_by.keys().map(|name| (name, "is said to be built and not there"));
    for (name, why) in tested.chain(built) {
        if !guests.contains_key(name) {
            return Err(unfit(folder.join(GUESTS).join(name), why));
        }
    }
    let source_date_epoch =
        guests.values().map(|(_, manifest)| manifest.source_date_epoch).max().unwrap_or_default();
    let packages = packages(folder, &guests)?;
    let guests: Vec<Guest> = guests.into_values().map(|(guest, _)| guest).collect();
    let mut omitted = description.omitted;
    omitted.sort();
    let mut index = Index {
        format: FORMAT,
        version: description.version,
        builder,
        source: description.source,
        source_date_epoch,
        guests,
        omitted,
        tools,
        files,
    };
    let page = (description.page)(&index);
    index.files.push(write_text(folder, PAGE, Kind::Page, &page)?);
    let mut made: Vec<&Artefact> = index.artefacts().collect();
    made.sort_by(|a, b| a.path.cmp(&b.path));
    let statement = Statement::new(&Made {
        files: made,
        guests: &index.guests,
        source: index.source.as_ref(),
        recipes: recipes_digest(description.recipes)?,
        locks: index.files.iter().filter(|file| file.kind == Kind::Lock).collect(),
        packages,
        builder_id: &description.builder_id,
        built_by: &description.built_by,
        builder: &index.builder,
    });
    let provenance = write(folder, PROVENANCE, &statement)?;
    index.files.push(Artefact { kind: Kind::Provenance, ..provenance });
    let written = write(folder, INDEX, &index)?;
    let mut sums: Vec<&Artefact> = index.artefacts().chain([&written]).collect();
    sums.sort_by(|a, b| a.path.cmp(&b.path));
    let text: String =
        sums.iter().map(|file| format!("{}  {}\n", file.sha256, file.path)).collect();
    let path = folder.join(SUMS);
    fs::write(&path, text).map_err(io("cannot write", &path))?;
    Ok(index)
}

/// The index entry of the guest called `name`, without its files.
fn guest(
    folder: &Path,
    name: &str,
    description: &Description<'_>,
) -> Result<(Guest, Manifest), SealError> {
    let manifest = load(&folder.join(GUESTS).join(name))?;
    let tested = description.boot_tested.get(name).cloned().unwrap_or_default();
    let guest = Guest::new(name, &manifest, tested.into_iter().collect());
    Ok((guest, manifest))
}

impl Guest {
    /// The entry of the guest with this manifest, without its files.
    pub(super) fn new(name: &str, manifest: &Manifest, boot_tested: Vec<String>) -> Self {
        let recipe = manifest.recipe.clone();
        Guest {
            name: name.to_owned(),
            build_id: manifest.build_id.clone(),
            base: recipe.base,
            release: recipe.release,
            architecture: recipe.architecture,
            flavor: recipe.flavor,
            device: recipe.device,
            role: recipe.role,
            features: recipe.features,
            hypervisor: recipe.hypervisor,
            kernel: recipe.kernel,
            kernel_release: manifest.kernel.release.clone(),
            compression: recipe.compression,
            boot_tested,
            artefacts: Vec::new(),
        }
    }
}

/// Sealing anew replaces what an earlier seal wrote, and nothing else: not what was changed since, and nothing that was
/// signed.
fn not_in_the_way(folder: &Path) -> Result<(), SealError> {
    let there = |name: &str| folder.join(name).symlink_metadata().is_ok();
    if let Some(name) = SIGNATURES.iter().find(|name| there(name)) {
        let why = "is a signature, which would be wrong afterwards; remove it if that is meant";
        return Err(unfit(folder.join(name), why));
    }
    let sums = regular::read(&folder.join(SUMS), SUMS_LIMIT).unwrap_or_default();
    let known = Sums::parse(&sums).map(|sums| sums.hashes).unwrap_or_default();
    if there(SUMS) && !known.contains_key(INDEX) {
        return Err(unfit(folder.join(SUMS), "is in the way: it is not the list of a release"));
    }
    for name in [INDEX, PAGE, PROVENANCE].into_iter().filter(|name| there(name)) {
        let path = folder.join(name);
        let hash = regular::hash(&path).ok().map(|(hash, _)| hash);
        if hash.is_none() || known.get(name) != hash.as_ref() {
            return Err(unfit(path, "is in the way: no seal wrote it, or it was changed since"));
        }
    }
    Ok(())
}

/// The packages of all guests: their URLs as the bills of materials have them, with hashes.
fn packages(
    folder: &Path,
    guests: &BTreeMap<String, (Guest, Manifest)>,
) -> Result<BTreeMap<String, Sha256>, SealError> {
    let mut packages = BTreeMap::new();
    for (name, (_, manifest)) in guests {
        let bill = folder.join(GUESTS).join(name).join("sbom.cdx.json");
        let bytes = regular::read(&bill, SIZE_LIMIT).map_err(io("cannot read", &bill))?;
        let urls = package_urls(&bytes);
        for package in &manifest.packages {
            // Packages of which nothing is in the guest are not in its bill.
            let key = (package.name.clone(), package.version.clone());
            if let Some(url) = urls.get(&key) {
                packages.insert(url.clone(), package.sha256);
            }
        }
    }
    Ok(packages)
}

/// The digest of what `sha256sum` prints of all recipes, overlays, kernel descriptors and manifests of
/// firmware, by path.
fn recipes_digest(sources: &Sources) -> Result<Sha256, SealError> {
    let mut hasher = Hasher::default();
    for top in ["firmware-blobs", "kernels", "overlays", "recipes"] {
        for file in sources.files_below(top)? {
            let path = format!("{top}/{file}");
            let sha256 = Sha256::of(&sources.read(&path)?);
            hasher.update(format!("{sha256}  {path}\n").as_bytes());
        }
    }
    Ok(hasher.finish())
}

/// Whether a guest's manifest has this link.
fn is_known(link: &str, guests: &BTreeMap<String, (Guest, Manifest)>) -> bool {
    let parts: Vec<&str> = link.splitn(3, '/').collect();
    let [GUESTS, name, path] = parts[..] else { return false };
    guests.get(name).is_some_and(|(_, manifest)| manifest.links.iter().any(|l| l.path == path))
}

fn measure(path: &Path) -> Result<(u64, Sha256), SealError> {
    let hashed = regular::hash(path);
    hashed.map(|(sha256, size)| (size, sha256)).map_err(io("cannot read", path))
}

/// All files and links below `folder`, by path with `/`.
fn walk(
    folder: &Path,
    prefix: &str,
    paths: &mut Vec<String>,
    links: &mut Vec<String>,
) -> Result<(), SealError> {
    for entry in fs::read_dir(folder).map_err(io("cannot read", folder))? {
        let entry = entry.map_err(io("cannot read", folder))?;
        let kind = entry.file_type().map_err(io("cannot look at", &entry.path()))?;
        let Ok(name) = entry.file_name().into_string() else {
            return Err(unfit(entry.path(), "has a name that is not UTF-8"));
        };
        let path = format!("{prefix}{name}");
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), paths, links)?;
        } else if kind.is_symlink() {
            links.push(path);
        } else if kind.is_file() && !name.contains(['\n', '\\']) {
            paths.push(path);
        } else {
            return Err(unfit(entry.path(), "is no plain file with a plain name"));
        }
    }
    Ok(())
}

/// Writes `value` as JSON; returns the bytes written.
fn write(folder: &Path, name: &str, value: &impl serde::Serialize) -> Result<Artefact, SealError> {
    let path = folder.join(name);
    let json = serde_json::to_string_pretty(value).map_err(io::Error::from);
    let text = json.map_err(io("cannot write", &path))? + "\n";
    write_text(folder, name, Kind::Other, &text)
}

/// Writes `text`; returns the bytes written.
fn write_text(folder: &Path, name: &str, kind: Kind, text: &str) -> Result<Artefact, SealError> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(io("cannot write", &path))?;
    let (size, sha256) = (text.len() as u64, Sha256::of(text.as_bytes()));
    Ok(Artefact { path: name.to_owned(), kind, size, sha256 })
}
