//! Where recipes are read from: the copy inside the program, or a folder.
//!
//! Paths start with one of four names, `recipes/`, `overlays/`, `kernels/` and `firmware-blobs/`,
//! and use `/` on every host. Nothing but names and bytes counts: not the permissions, owners and
//! times that the files happen to have on the host.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::error::RecipeError;
use wifibox_ground::regular;

/// Largest file that is read, in bytes: a user's own firmware is the largest thing here.
const FILE_LIMIT: u64 = 128 << 20;
/// Most files in one folder, however deep.
const COUNT_LIMIT: usize = 20_000;

/// The files below the four folders, packed by the build script.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/recipes.xz"));
static EMBEDDED: LazyLock<BTreeMap<String, Vec<u8>>> =
    LazyLock::new(|| wifibox_packed::unpack(PACKED).unwrap_or_default());

/// The four folders of data.
const TOPS: [&str; 4] = ["recipes", "overlays", "kernels", "firmware-blobs"];

/// The name under which the folder of a user's project stands beside them.
pub(crate) const PROJECT: &str = "project";

/// The files that describe guests: recipes, overlays, kernels and firmware chipsets; and a user's project.
#[derive(Debug, Clone)]
pub struct Sources {
    tops: BTreeMap<&'static str, Top>,
    /// The project's file, in its folder.
    project: Option<String>,
}

/// Where one of the folders is.
#[derive(Debug, Clone)]
enum Top {
    Embedded,
    Folder(PathBuf),
    /// Files of the folder, and of the program those that it does not have.
    Over(PathBuf),
    Memory(BTreeMap<String, Vec<u8>>),
}

impl Sources {
    /// The recipes built into the program.
    pub fn embedded() -> Self {
        Sources { tops: TOPS.iter().map(|top| (*top, Top::Embedded)).collect(), project: None }
    }

    /// The recipes in `folder`: it holds one of `recipes`, `overlays`, `kernels` and `firmware-blobs`, or it is itself
    /// the folder of recipes (it holds `bases`) with the others beside it.
    ///
    /// With a `recipes/guest.yaml` they stand by themselves, and a folder that is missing is taken from the program.
    /// Without, they are added to the program's, of which they replace single files.
    ///
    /// # Errors
    /// [`RecipeError::Missing`] if it is neither.
    pub fn folder(folder: &Path) -> Result<Self, RecipeError> {
        let mut has_top = false;
        for top in TOPS {
            has_top |= is_folder(&folder.join(top))?;
        }
        let (recipes, around) = if is_folder(&folder.join("bases"))? {
            (folder.to_owned(), folder.join(".."))
        } else if has_top {
            (folder.join("recipes"), folder.to_owned())
        } else {
            return Err(RecipeError::Missing {
                path: folder.join("recipes").display().to_string(),
                among: format!("; a folder of recipes holds one of {}", TOPS.join(", ")),
            });
        };
        let alone = is_there(&recipes.join("guest.yaml"), Metadata::is_file)?;
        let own = if alone { Top::Folder } else { Top::Over };
        let top = |name: &'static str| {
            let path = if name == "recipes" { recipes.clone() } else { around.join(name) };
            Ok((name, if is_folder(&path)? { own(path) } else { Top::Embedded }))
        };
        let tops = TOPS.into_iter().map(top).collect::<Result<_, RecipeError>>()?;
        Ok(Sources { tops, project: None })
    }

    /// The same with the project that the file `name` in `folder` describes.
    #[must_use]
    pub fn with_project(mut self, folder: &Path, name: &str) -> Self {
        self.tops.insert(PROJECT, Top::Folder(folder.to_owned()));
        self.project = Some(name.to_owned());
        self
    }

    /// The name of the project's file.
    pub fn project_file(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// These files and no others, by path.
    pub fn memory(files: BTreeMap<String, Vec<u8>>) -> Self {
        let mut tops: BTreeMap<&'static str, Top> =
            TOPS.iter().map(|top| (*top, Top::Memory(BTreeMap::new()))).collect();
        for (path, bytes) in files {
            if let Some((top, rest)) = path.split_once('/')
                && let Some(Top::Memory(files)) = tops.get_mut(top)
            {
                files.insert(rest.to_owned(), bytes);
            }
        }
        Sources { tops, project: None }
    }

    fn top<'a>(&self, path: &'a str) -> Result<(&Top, &'static str, &'a str), RecipeError> {
        let (name, rest) = path.split_once('/').unwrap_or((path, ""));
        let climbs = rest.split('/').any(|part| part == ".." || part == ".");
        match self.tops.get_key_value(name) {
            Some((name, top)) if !climbs => Ok((top, name, rest)),
            _ => Err(RecipeError::Unfit {
                path: path.to_owned(),
                why: format!("is not a path below {}", TOPS.join(", ")),
            }),
        }
    }

    /// The content of the file at `path`.
    ///
    /// # Errors
    /// [`RecipeError::Missing`], [`RecipeError::Io`], or [`RecipeError::Unfit`] if it is larger than
    /// 128 MiB.
    pub fn read(&self, path: &str) -> Result<Cow<'static, [u8]>, RecipeError> {
        let (top, name, rest) = self.top(path)?;
        let missing =
            |among: &str| RecipeError::Missing { path: path.to_owned(), among: among.to_owned() };
        match top {
            Top::Embedded => {
                embedded(name, rest).ok_or_else(|| missing(" in the built-in recipes"))
            }
            Top::Memory(files) => {
                files.get(rest).cloned().map(Cow::Owned).ok_or_else(|| missing(""))
            }
            Top::Over(folder) if fs::symlink_metadata(folder.join(rest)).is_err() => {
                embedded(name, rest).ok_or_else(|| missing(" there, nor in the built-in recipes"))
            }
            Top::Folder(folder) | Top::Over(folder) => {
                let file = folder.join(rest);
                let io = |source| RecipeError::Io { doing: "read", path: file.clone(), source };
                let metadata = fs::symlink_metadata(&file).map_err(io)?;
                if !metadata.is_file() {
                    return Err(RecipeError::Unfit {
                        path: file.display().to_string(),
                        why: "is not a file; recipes declare links and devices".to_owned(),
                    });
                }
                let size = metadata.len();
                if size > FILE_LIMIT {
                    return Err(RecipeError::Unfit {
                        path: file.display().to_string(),
                        why: format!("has {size} bytes; at most {FILE_LIMIT} are expected"),
                    });
                }
                fs::read(&file).map(Cow::Owned).map_err(io)
            }
        }
    }

    /// The names of the files directly in `folder`, sorted; none if there is no such folder.
    ///
    /// # Errors
    /// As [`Sources::files_below`].
    pub fn list(&self, folder: &str) -> Result<Vec<String>, RecipeError> {
        let mut files = self.files_below(folder)?;
        files.retain(|file| !file.contains('/'));
        Ok(files)
    }

    /// The names of the folders directly in `folder` that hold a file, sorted.
    ///
    /// # Errors
    /// As [`Sources::files_below`].
    pub fn folders(&self, folder: &str) -> Result<Vec<String>, RecipeError> {
        let files = self.files_below(folder)?;
        let names: BTreeSet<&str> =
            files.iter().filter_map(|file| file.split_once('/')).map(|(name, _)| name).collect();
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    /// The paths, relative to `folder`, of all files below it, sorted as bytes; none if there is no
    /// such folder.
    ///
    /// # Errors
    /// [`RecipeError::Io`] if a folder cannot be read, [`RecipeError::Unfit`] for links, devices,
    /// names that are not UTF-8, and more than 20000 files.
    pub fn files_below(&self, folder: &str) -> Result<Vec<String>, RecipeError> {
        let (top, name, rest) = self.top(folder.trim_end_matches('/'))?;
        let prefix = if rest.is_empty() { String::new() } else { format!("{rest}/") };
        let below = |path: &str| path.strip_prefix(&prefix).map(str::to_owned);
        let mut files: Vec<String> = match top {
            Top::Embedded => embedded_names(name).filter_map(below).collect(),
            Top::Memory(files) => files.keys().filter_map(|path| below(path)).collect(),
            Top::Folder(host) | Top::Over(host) => {
                let mut files = Vec::new();
                let start = host.join(rest);
                if is_folder(&start)? {
                    walk(&start, "", &mut files)?;
                }
                if matches!(top, Top::Over(_)) {
                    files.extend(embedded_names(name).filter_map(below));
                }
                files
            }
        };
        files.sort_unstable();
        files.dedup();
        Ok(files)
    }
}

/// Whether the path is that of a folder. One that cannot be looked at is not taken for one that is not there.
fn is_folder(path: &Path) -> Result<bool, RecipeError> {
    is_there(path, Metadata::is_dir)
}

fn is_there(path: &Path, kind: impl Fn(&Metadata) -> bool) -> Result<bool, RecipeError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(kind(&metadata)),
        Err(error) if regular::is_missing(&error) => Ok(false),
        Err(source) => Err(RecipeError::Io { doing: "look at", path: path.to_owned(), source }),
    }
}

fn embedded(top: &str, path: &str) -> Option<Cow<'static, [u8]>> {
    EMBEDDED.get(&format!("{top}/{path}")).map(|bytes| Cow::Borrowed(bytes.as_slice()))
}

fn embedded_names(top: &str) -> impl Iterator<Item = &'static str> {
    EMBEDDED.keys().filter_map(move |path| path.strip_prefix(top)?.strip_prefix('/'))
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<(), RecipeError> {
    let io = |source| RecipeError::Io { doing: "list", path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let kind = entry.file_type().map_err(io)?;
        let unfit = |why: &str| {
            let path = entry.path().display().to_string();
            Err(RecipeError::Unfit { path, why: why.to_owned() })
        };
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            return unfit("has a name that is not UTF-8");
        };
        let path = format!("{prefix}{name}");
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if !kind.is_file() {
            return unfit("is neither a file nor a folder; recipes declare links and devices");
        } else if files.len() >= COUNT_LIMIT {
            return unfit("is one file too many; at most 20000 are expected");
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(paths: &[&str]) -> Sources {
        Sources::memory(paths.iter().map(|p| ((*p).to_owned(), p.as_bytes().to_vec())).collect())
    }

    #[test]
    fn lists_are_sorted_and_relative() {
        let sources = memory(&["overlays/b/x/y", "overlays/b/a", "overlays/a/z", "overlays/R.md"]);
        assert_eq!(sources.files_below("overlays/b").unwrap(), ["a", "x/y"]);
        assert_eq!(sources.list("overlays").unwrap(), ["R.md"]);
        assert_eq!(sources.folders("overlays").unwrap(), ["a", "b"]);
        assert_eq!(sources.read("overlays/b/a").unwrap().as_ref(), b"overlays/b/a");
        assert!(sources.files_below("overlays/nothing").unwrap().is_empty());
    }

    #[test]
    fn paths_stay_inside() {
        let sources = memory(&["recipes/a"]);
        for path in ["recipes/../x", "elsewhere/a", "/etc/passwd", "recipes/./a"] {
            assert!(matches!(sources.read(path), Err(RecipeError::Unfit { .. })), "{path}");
        }
        assert!(matches!(sources.read("recipes/b"), Err(RecipeError::Missing { .. })));
    }

    #[test]
    fn both_shapes_of_a_folder_are_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("recipes/bases")).unwrap();
        fs::create_dir_all(folder.path().join("overlays/one")).unwrap();
        fs::write(folder.path().join("recipes/bases/b.yaml"), "x").unwrap();
        fs::write(folder.path().join("recipes/guest.yaml"), "g").unwrap();
        fs::write(folder.path().join("overlays/one/file"), "y").unwrap();
        for given in [folder.path().to_owned(), folder.path().join("recipes")] {
            let sources = Sources::folder(&given).unwrap();
            assert_eq!(sources.list("recipes/bases").unwrap(), ["b.yaml"]);
            assert_eq!(sources.read("overlays/one/file").unwrap().as_ref(), b"y");
        }
        assert!(matches!(
            Sources::folder(&folder.path().join("overlays")),
            Err(RecipeError::Missing { .. })
        ));
    }

    #[test]
    fn a_folder_without_a_guest_is_added_to_the_built_in_recipes() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("recipes/flavors")).unwrap();
        fs::write(folder.path().join("recipes/flavors/mine.yaml"), "x").unwrap();
        fs::write(folder.path().join("recipes/flavors/hwsim.yaml"), "y").unwrap();
        let (own, built_in) = (Sources::folder(folder.path()).unwrap(), Sources::embedded());
        let mut expected = built_in.list("recipes/flavors").unwrap();
        expected.push("mine.yaml".to_owned());
        expected.sort_unstable();
        assert_eq!(own.list("recipes/flavors").unwrap(), expected);
        assert_eq!(own.read("recipes/flavors/hwsim.yaml").unwrap().as_ref(), b"y");
        assert_eq!(
            own.read("recipes/guest.yaml").unwrap(),
            built_in.read("recipes/guest.yaml").unwrap()
        );
        assert_eq!(own.folders("overlays").unwrap(), built_in.folders("overlays").unwrap());
        // With one it stands by itself, as far as it goes.
        fs::write(folder.path().join("recipes/guest.yaml"), "z").unwrap();
        let alone = Sources::folder(folder.path()).unwrap();
        assert_eq!(alone.list("recipes/flavors").unwrap(), ["hwsim.yaml", "mine.yaml"]);
        assert_eq!(alone.folders("overlays").unwrap(), built_in.folders("overlays").unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn links_on_the_host_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("bases")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("bases/x.yaml")).unwrap();
        let sources = Sources::folder(folder.path()).unwrap();
        let error = sources.list("recipes/bases").unwrap_err().to_string();
        assert!(error.contains("neither a file nor a folder"), "{error}");
        let error = sources.read("recipes/bases/x.yaml").unwrap_err().to_string();
        assert!(error.contains("is not a file"), "{error}");
    }
}
