//! Where packages come from: repositories, which Debian calls archives, with their mirrors, suites, keys and priority.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use wifibox_ground::digest::Sha256;

/// A key that signs a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The key's fingerprint, in the digits of its own kind (OpenPGP: 40 hexadecimal digits, spaces
    /// allowed). Trust rests on this.
    pub fingerprint: String,
    /// Whose key it is; for Alpine and OpenWrt the exact name of its file.
    pub name: String,
    /// The only architecture whose index it signs, as the distribution calls it; all of them if this
    /// is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The key itself, so that no file of it is needed: the line of base64 of a usign key, or the
    /// base64 between the marks of a PEM file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

/// The names that OpenWrt gives an architecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedTarget {
    /// The target, `x86/64`: the folder below `targets/` of a release.
    pub name: String,
    /// The kernel image in that folder, which its signed `sha256sums` lists. It becomes a package of
    /// the name `kernel-image` that holds `boot/FILE`. `{release}` stands for the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_image: Option<String>,
}

/// A repository of packages: with a Debian, an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Its name, as used by `--mirror NAME=URL`.
    pub name: String,
    /// Where it can be fetched from; the first that answers is used. `{release}` stands for the
    /// release. Without any, `--mirror NAME=URL` has to say.
    #[serde(default)]
    pub mirrors: Vec<String>,
    /// The other repository of this base whose mirrors hold this one, too: `--mirror` for that one serves both,
    /// unless this one is named as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrors_of: Option<String>,
    /// The releases that it is there for; all of them if this is not given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<String>,
    /// Whether what is newer there mends holes: `outdated` names it first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub security: bool,
    /// The priority of its packages, as in apt_preferences(5): of the versions of a package that of the highest
    /// priority is taken. If this is not given, its Release file says it (500, or 100 or 1 for backports and
    /// the like).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i16>,
    /// Globs over the names of packages that are taken from it; all if this is not given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// The tag under which its packages are asked for (`name@tag`, apk); without one they are used
    /// wherever they fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Suites or folders within it; `{release}` stands for the release.
    #[serde(default)]
    pub suites: Vec<String>,
    /// Components of each suite, where the format has them; with `targets`, feeds.
    #[serde(default)]
    pub components: Vec<String>,
    /// OpenWrt's own layout: the target of each architecture. Suites are then folders of a release
    /// (`releases/{release}`), and the feeds are those of the target and `components`. A feed of
    /// OpenWrt's formats without targets is each folder of `suites`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub targets: BTreeMap<String, FeedTarget>,
    /// The keys of which one must have signed its index.
    #[serde(default)]
    pub keys: Vec<Key>,
    /// Files on the host that may hold those keys; they are trusted for nothing but that. `{key}`
    /// stands for the name of each key.
    #[serde(default)]
    pub keyrings: Vec<String>,
    /// The package of this repository that holds its keys (apk). A key that the host does not have is
    /// taken from there, if it has a fingerprint of `keys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_package: Option<String>,
    /// The package whose version is that of the point release (apk): `alpine-release`. The lock says which one it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_package: Option<String>,
    /// Packages of a repository without an index, each pinned here. With these there are no suites
    /// and no keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<LoosePackage>,
    /// Of a repository without an index, whose packages the lock pins: where the names of its files are. The distinfo of a
    /// FreeBSD port (`SHA256 (FILE) = HASH`), or a folder as GitHub's API lists it. With `--mirror` it is the file
    /// `distinfo` there; a folder on this machine needs none. `mirrors` are then the folders of the files, and nothing is
    /// pinned without `lock --trust-new-pins`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
    /// It is a project's own: the mirror that this machine uses for the base does not hold it.
    #[serde(skip)]
    pub further: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Repository {
    /// Whether its packages are files without a signed index, each pinned by itself.
    pub fn is_loose(&self) -> bool {
        !self.packages.is_empty() || !self.lists.is_empty()
    }

    /// Whether it is there for a release: by its name, or as a point release of it.
    pub(super) fn is_for(&self, release: &str) -> bool {
        let names = |own: &String| {
            release
                .strip_prefix(own.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.releases.is_empty() || self.releases.iter().any(names)
    }

    /// The same for one release and architecture: `{release}` and `{key}` are filled in, and only the
    /// keys of that architecture are left.
    pub(super) fn of(&self, release: &str, architecture: &str) -> Repository {
        let fill =
            |list: &[String]| list.iter().map(|text| text.replace("{release}", release)).collect();
        let fits = |key: &&Key| key.architecture.as_ref().is_none_or(|only| only == architecture);
        let keys: Vec<Key> = self.keys.iter().filter(fits).cloned().collect();
        let mut keyrings = Vec::new();
        for keyring in &self.keyrings {
            if keyring.contains("{key}") {
                keyrings.extend(keys.iter().map(|key| keyring.replace("{key}", &key.name)));
            } else {
                keyrings.push(keyring.clone());
            }
        }
        let keys = keys.into_iter().map(|key| Key { architecture: None, ..key }).collect();
        let (mirrors, suites) = (fill(&self.mirrors), fill(&self.suites));
        let lists = fill(&self.lists);
        let target = |(name, target): (&String, &FeedTarget)| {
            let image = target.kernel_image.as_ref();
            let kernel_image = image.map(|image| image.replace("{release}", release));
            (name.clone(), FeedTarget { kernel_image, ..target.clone() })
        };
        let own = self.targets.iter().filter(|(name, _)| *name == architecture);
        let targets = own.map(target).collect();
        Repository { mirrors, suites, lists, targets, keys, keyrings, ..self.clone() }
    }
}

/// A package file of a repository without an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoosePackage {
    /// The file, relative to the mirror.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Sha256,
    /// Its dependencies, as its .PKGINFO says, if they are known here: then name and version are
    /// those of the file's name, and the file is fetched only for a guest that takes it. Without
    /// this all that it says of itself is read from the file.
    #[serde(default)]
    pub depends: Option<Vec<String>>,
}
