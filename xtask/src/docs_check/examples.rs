//! Checks the parts of `examples/` that are not commands: recipes must compose with the program's own, and the linter
//! must accept the files for hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::Path;

use wifibox_host::lint::{Kind, lint};
use wifibox_recipe::{Catalog, Selection, Sources};

/// The folders that `--recipes` reads.
const TOPS: [&str; 4] = ["recipes", "overlays", "kernels", "firmware-blobs"];

/// How many things were checked.
#[derive(Debug, Default)]
pub struct Count {
    /// Compositions of the examples' flavors.
    pub guests: usize,
    /// Files for hosts.
    pub host_files: usize,
}

/// The names of the recipes in all examples below `folder`.
pub fn names(folder: &Path) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let mut files = BTreeMap::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            add(&entry?.path(), &mut files)?;
        }
    }
    let names = files.keys().filter_map(|path| Path::new(path.strip_suffix(".yaml")?).file_name());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

/// Checks every example below `folder` with the recipes of `root`.
pub fn check(
    root: &Path,
    folder: &Path,
    problems: &mut Vec<String>,
) -> Result<Count, Box<dyn Error>> {
    let mut count = Count::default();
    if !folder.is_dir() {
        return Ok(count);
    }
    for entry in fs::read_dir(folder)? {
        let example = entry?.path();
        if example.join("recipes").is_dir() {
            let shown = example.display().to_string();
            match compose(root, &example) {
                Ok(guests) => count.guests += guests,
                Err(error) => problems.push(format!("{shown}: {error}")),
            }
        } else if example.join("wifibox.yaml").is_file() {
            let shown = example.display().to_string();
            match compose_project(root, &example) {
                Ok(guests) => count.guests += guests,
                Err(error) => problems.push(format!("{shown}: {error}")),
            }
        } else if example.is_dir() {
            count.host_files += lint_files(&example, problems)?;
        }
    }
    Ok(count)
}

/// Composes each flavor of an example for each base that it may have; says how many guests that were.
fn compose(root: &Path, example: &Path) -> Result<usize, Box<dyn Error>> {
    let mut files = BTreeMap::new();
    for folder in [root, example] {
        add(folder, &mut files)?;
    }
    let own: Vec<String> = fs::read_dir(example.join("recipes/flavors"))?
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, _>>()?;
    let catalog = Catalog::load(&Sources::memory(files))?;
    let listing = catalog.list();
    let mut guests = 0;
    for flavor in listing.flavors {
        if !own.contains(&format!("{}.yaml", flavor.name)) {
            continue;
        }
        for base in &listing.bases {
            if !flavor.only_with.is_empty() && !flavor.only_with.contains(&base.name) {
                continue;
            }
            let selection = Selection {
                base: base.name.clone(),
                flavor: flavor.name.clone(),
                ..Selection::default()
            };
            catalog.compose(&selection)?.path_filter()?;
            guests += 1;
        }
    }
    if guests == 0 { Err("its recipes have no flavor that composes".into()) } else { Ok(guests) }
}

/// Composes each guest of an example's project; says how many guests that were.
fn compose_project(root: &Path, example: &Path) -> Result<usize, Box<dyn Error>> {
    let sources = Sources::folder(root)?.with_project(example, "wifibox.yaml");
    let catalog = Catalog::load(&sources)?;
    let project = catalog.project().ok_or("there is no project")?;
    let guests = project.guests().flat_map(|guest| guest.selections(catalog.default_base()));
    let guests: Vec<Selection> = guests.collect();
    for selection in &guests {
        catalog.compose(selection)?.path_filter()?;
    }
    if guests.is_empty() {
        Err("its project has no guest with a flavor".into())
    } else {
        Ok(guests.len())
    }
}

/// Adds the files of the data folders in `folder`; those that are there already are replaced.
fn add(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), Box<dyn Error>> {
    for top in TOPS {
        let mut open = vec![folder.join(top)];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                for entry in fs::read_dir(&path)? {
                    open.push(entry?.path());
                }
            } else if path.is_file() && !path.starts_with(folder.join("firmware-blobs/local")) {
                let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
                files.insert(name, fs::read(&path)?);
            }
        }
    }
    Ok(())
}

/// Lints the files of known kinds in `folder`; says how many there are.
fn lint_files(folder: &Path, problems: &mut Vec<String>) -> Result<usize, Box<dyn Error>> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let shown = path.display().to_string();
        let Some(kind) = Kind::of_name(&shown) else { continue };
        count += 1;
        let found = lint(kind, &fs::read(&path)?);
        problems.extend(found.iter().map(|problem| format!("{shown}: {problem}")));
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_recipes_and_files_for_hosts_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = tempfile::tempdir().expect("a folder");
        let flavors = folder.path().join("own/recipes/flavors");
        fs::create_dir_all(&flavors).expect("made");
        fs::create_dir(folder.path().join("host")).expect("made");
        let run = |flavor: &str, rc: &str| {
            fs::write(flavors.join("mine.yaml"), flavor).expect("written");
            fs::write(folder.path().join("host/rc.conf"), rc).expect("written");
            let mut problems = Vec::new();
            let count = check(&root, folder.path(), &mut problems).expect("read");
            (count.guests, count.host_files, problems)
        };
        let (guests, files, problems) =
            run("summary: x\nmanifests: [rtw89]\nbases: [debian]\n", "wifibox_enable=\"YES\"\n");
        assert_eq!((guests, files, problems.as_slice()), (1, 1, [].as_slice()));
        let (_, _, problems) =
            run("summary: x\nmanifests: [nothing]\n", "wifibox_enable = \"YES\"\n");
        assert_eq!(problems.len(), 2, "{problems:?}");
        fs::create_dir(folder.path().join("project")).expect("made");
        let project = |text: &str| {
            fs::write(folder.path().join("project/wifibox.yaml"), text).expect("written");
            let mut problems = Vec::new();
            check(&root, folder.path(), &mut problems).expect("read");
            problems.iter().filter(|problem| problem.contains("project")).count()
        };
        assert_eq!(project("base: debian\nflavor: hwsim\n"), 0);
        assert_eq!(project("base: debian\nflavor: nothing\n"), 1);
    }
}
