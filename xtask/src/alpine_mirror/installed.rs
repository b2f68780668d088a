//! apk's database of installed packages (apk-tools 2: `lib/apk/db`): records, files with checksums, scripts, and
//! the directories that triggers wait for.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::Failure;

/// An installed package.
#[derive(Debug, Default)]
pub struct Installed {
    /// The fields of its record, by letter, in their order.
    pub fields: Vec<(char, String)>,
    /// Its directories and files, in the order of the archive.
    pub entries: Vec<Entry>,
    /// Its scripts by name (`pre-install`).
    pub scripts: BTreeMap<String, Vec<u8>>,
    /// The patterns of directories that its trigger waits for.
    pub triggers: Vec<String>,
}

/// A directory or a file of a package.
#[derive(Debug)]
pub struct Entry {
    /// Its path from the root.
    pub path: String,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Its permissions.
    pub mode: u32,
    /// The checksum: of a file's content, or of a link's target (`Q1` and SHA-1 in base64).
    pub checksum: Option<String>,
}

impl Installed {
    /// A field of its record.
    pub fn field(&self, letter: char) -> &str {
        let field = self.fields.iter().find(|(known, _)| *known == letter);
        field.map_or("", |(_, value)| value)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.field('P')
    }

    /// Its version.
    pub fn version(&self) -> &str {
        self.field('V')
    }
}

/// Reads the database below `root`.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn read(root: &Path) -> Result<Vec<Installed>, Failure> {
    let folder = root.join("lib/apk/db");
    let text = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let mut packages = Vec::new();
    for record in text("installed")?.split("\n\n").filter(|record| !record.trim().is_empty()) {
        packages.push(parse(record)?);
    }
    for line in text("triggers")?.lines() {
        let mut words = line.split_ascii_whitespace();
        let checksum = words.next().unwrap_or_default();
        if let Some(package) = packages.iter_mut().find(|package| package.field('C') == checksum) {
            package.triggers = words.map(str::to_owned).collect();
        }
    }
    scripts(&folder, &mut packages)?;
    Ok(packages)
}

fn parse(record: &str) -> Result<Installed, Failure> {
    let mut package = Installed::default();
    let mut folder = String::new();
    for line in record.lines() {
        let (letter, value) = line.split_once(':').ok_or_else(|| format!("no field: {line}"))?;
        let mode = || u32::from_str_radix(value.rsplit(':').next().unwrap_or_default(), 8);
        match letter {
            "F" => {
                value.clone_into(&mut folder);
                let path = folder.clone();
                package.entries.push(Entry {
                    path,
                    is_directory: true,
                    mode: 0o755,
                    checksum: None,
                });
            }
            "R" => {
                let path = match folder.is_empty() {
                    true => value.to_owned(),
                    false => format!("{folder}/{value}"),
                };
                package.entries.push(Entry {
                    path,
                    is_directory: false,
                    mode: 0o644,
                    checksum: None,
                });
            }
            "M" | "a" if !value.starts_with("0:0:") => {
                return Err(format!("{folder}: an owner other than root: {value}").into());
            }
            "M" | "a" => {
                if let Some(entry) = package.entries.last_mut() {
                    entry.mode = mode()?;
                }
            }
            "Z" => {
                if let Some(entry) = package.entries.last_mut() {
                    entry.checksum = Some(value.to_owned());
                }
            }
            _ => package.fields.push((letter.chars().next().unwrap_or(' '), value.to_owned())),
        }
    }
    Ok(package)
}

/// The scripts of all packages: an archive of files named `NAME-VERSION.CHECKSUM.SCRIPT`.
fn scripts(folder: &Path, packages: &mut [Installed]) -> Result<(), Failure> {
    let archive: Box<dyn std::io::Read> = match fs::File::open(folder.join("scripts.tar.gz")) {
        Ok(file) => Box::new(flate2::read::GzDecoder::new(file)),
        Err(_) => Box::new(fs::File::open(folder.join("scripts.tar"))?),
    };
    for member in tar::Archive::new(archive).entries()? {
        let mut member = member?;
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        let mut content = Vec::new();
        member.read_to_end(&mut content)?;
        let (whole, script) = name.rsplit_once('.').ok_or_else(|| format!("no script: {name}"))?;
        let (whole, _) = whole
            .rsplit_once(".X1")
            .or_else(|| whole.rsplit_once(".Q1"))
            .ok_or_else(|| format!("the script {name} has no checksum"))?;
        let owner = packages
            .iter_mut()
            .find(|package| whole == format!("{}-{}", package.name(), package.version()))
            .ok_or_else(|| format!("the script {name} belongs to no package"))?;
        owner.scripts.insert(script.to_owned(), content);
    }
    Ok(())
}
