//! The JSON of each verb (`--json`): its form as a type, from which `docs/schema/verbs` is made. Each is one object on one
//! line, to which `format` is added; a verb that answers several times prints several lines.

mod export;
mod schema;
mod transfer;

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use wifibox_ground::output::{Link, Output};
use wifibox_host::detect::answer::Answer;
use wifibox_host::doctor::Finding;
use wifibox_host::install::{Build as Installed, Step, Task};
use wifibox_host::lint::Problem;
use wifibox_pipeline::{BuildReport, BundleReport, Kept};
use wifibox_recipe::{Listing, Row};
use wifibox_report::Manifest;
use wifibox_report::diff::Difference;
use wifibox_report::findings::Findings;
use wifibox_report::inspect::ImageSizes;
use wifibox_report::manifest::{Composition, Firmware, Kernel, Module, Package};

pub use export::Export;
pub use schema::schemas;
pub use transfer::{Pull, Push};

/// The form of all JSON. It changes only when a program that reads it would have to.
pub const FORMAT: u64 = 1;

/// What `build` made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Build<'a> {
    /// The only guest.
    Build(&'a BuildReport),
    /// Each of several guests.
    Builds(Vec<OneOfSeveral>),
}

/// One of several guests. One of `build`, `left_out` and `error` is there.
#[derive(Default, Serialize, JsonSchema)]
pub struct OneOfSeveral {
    /// Its flavor, or its name in the project.
    pub flavor: String,
    /// What was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Box<BuildReport>>,
    /// Why it was not built, and need not be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// Why it could not be built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What `bundle` wrote.
#[derive(Serialize, JsonSchema)]
pub struct Bundle<'a> {
    /// Its folder.
    pub bundle: &'a Path,
    /// What is in it.
    pub content: &'a BundleReport,
}

/// How much `cache` keeps, after what was asked for.
#[derive(Serialize, JsonSchema)]
pub struct Cache<'a> {
    /// The cache folder.
    pub cache: &'a Kept,
}

/// What `config-disk` wrote.
#[derive(Serialize, JsonSchema)]
pub struct ConfigDisk<'a> {
    /// The disk.
    pub config_disk: Disk<'a>,
}

/// A disk with the configuration of a guest.
#[derive(Serialize, JsonSchema)]
pub struct Disk<'a> {
    /// The image.
    pub file: &'a Path,
    /// How long it is.
    pub bytes: u64,
    /// How many files it holds.
    pub files: usize,
    /// What it cannot hold.
    pub left_out: &'a [String],
}

/// What `detect` found; with `--html` the page that it wrote.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Detect<'a> {
    /// The cards.
    Cards {
        /// Where devices were looked for.
        source: &'a str,
        /// How many devices there are.
        devices: usize,
        /// The kernels whose drivers are known.
        kernels: Vec<&'a str>,
        /// The wireless cards among them.
        cards: &'a [Answer],
    },
    /// The page.
    Page {
        /// Its file.
        page: &'a Path,
    },
}

/// What `diff` found.
#[derive(Serialize, JsonSchema)]
pub struct Diff<'a> {
    /// Whether there is no difference.
    pub same: bool,
    /// Of each output, whether it is what its own manifest says.
    pub sound: [bool; 2],
    /// The differences.
    pub diff: &'a Difference,
    /// The page that was written.
    pub page: Option<&'a Path>,
}

/// What `doctor` found.
#[derive(Serialize, JsonSchema)]
pub struct Doctor<'a> {
    /// The causes, the worst first.
    pub doctor: &'a [Finding],
}

/// How a guest is by its own account.
#[derive(Serialize, JsonSchema)]
pub struct Status<'a> {
    /// What it wrote, as wifibox-guest(5) describes it.
    pub status: &'a Map<String, Value>,
    /// How long ago it wrote that, in seconds.
    pub age_seconds: u64,
}

/// What `report` wrote.
#[derive(Serialize, JsonSchema)]
pub struct Report<'a> {
    /// The file.
    pub report: &'a Path,
    /// How many causes `doctor` found.
    pub causes: usize,
}

/// What `fetch` has in the store.
#[derive(Serialize, JsonSchema)]
pub struct Fetch {
    /// How many packages.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

/// What `host` wrote.
#[derive(Serialize, JsonSchema)]
pub struct Host<'a> {
    /// The files.
    pub host: HostFiles<'a>,
}

/// Files for hosts.
#[derive(Serialize, JsonSchema)]
pub struct HostFiles<'a> {
    /// For which hypervisors.
    pub hypervisors: Vec<&'a str>,
    /// Where they are.
    pub files: &'a [String],
}

/// What `init` wrote.
#[derive(Serialize, JsonSchema)]
pub struct Init<'a> {
    /// The file.
    pub project: &'a Path,
    /// The base of its guest.
    pub base: &'a str,
    /// The flavor of its guest.
    pub flavor: &'a str,
}

/// What `inspect` found.
#[derive(Serialize, JsonSchema)]
pub struct Inspect<'a> {
    /// The image.
    pub inspect: Inspected<'a>,
}

/// An image, and what is in it.
#[derive(Serialize, JsonSchema)]
pub struct Inspected<'a> {
    /// Its file.
    pub image: &'a Path,
    /// What its manifest says, if there is one.
    pub output: Option<Overview<'a>>,
    /// Where its bytes are, if that was asked for or there is no manifest.
    pub sizes: Option<&'a ImageSizes>,
    /// The page that was written.
    pub page: Option<&'a Path>,
}

/// What the manifest of an output says.
#[derive(Serialize, JsonSchema)]
pub struct Overview<'a> {
    /// Identifies everything that went in.
    pub build_id: &'a str,
    /// Name and version of the builder.
    pub builder: &'a str,
    /// The composition.
    pub recipe: &'a Composition,
    /// The time that every time in the outputs is clamped to: seconds since 1970-01-01 UTC.
    pub source_date_epoch: u32,
    /// The kernel.
    pub kernel: &'a Kernel,
    /// Packages, by name.
    pub packages: &'a [Package],
    /// Kernel modules, by name.
    pub modules: &'a [Module],
    /// Firmware, by path.
    pub firmware: &'a [Firmware],
    /// The files of the output folder, by path.
    pub outputs: &'a [Output],
    /// The symbolic links of the output folder, by path.
    pub links: &'a [Link],
}

impl<'a> From<&'a Manifest> for Overview<'a> {
    fn from(manifest: &'a Manifest) -> Self {
        Overview {
            build_id: &manifest.build_id,
            builder: &manifest.builder,
            recipe: &manifest.recipe,
            source_date_epoch: manifest.source_date_epoch,
            kernel: &manifest.kernel,
            packages: &manifest.packages,
            modules: &manifest.modules,
            firmware: &manifest.firmware,
            outputs: &manifest.outputs,
            links: &manifest.links,
        }
    }
}

/// What `install` or `uninstall` did.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Install<'a> {
    /// A guest was installed.
    Install(Change<'a>),
    /// The one before was brought back.
    Rollback(Change<'a>),
    /// It was taken away.
    Uninstall(Change<'a>),
}

/// What became of a host.
#[derive(Serialize, JsonSchema)]
pub struct Change<'a> {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// The guest that is installed, or was.
    pub guest: &'a Installed,
    /// The one that `--rollback` would bring back.
    pub previous: Option<&'a Installed>,
    /// What became of each file.
    pub steps: &'a [Step],
    /// What is left to do.
    pub to_do: &'a [Task],
}

/// What `lint` found.
#[derive(Serialize, JsonSchema)]
pub struct Lint<'a> {
    /// Each file.
    pub lint: Vec<Linted<'a>>,
}

/// A file that was checked.
#[derive(Serialize, JsonSchema)]
pub struct Linted<'a> {
    /// The file.
    pub file: &'a Path,
    /// Its kind.
    pub kind: &'a str,
    /// What is said of it.
    pub problems: &'a [Problem],
}

/// What there is to compose, as `list` tells it.
#[derive(Serialize, JsonSchema)]
pub struct List<'a> {
    /// The recipes, by kind.
    pub list: &'a Listing,
}

/// How `lock` changed a lock: one line for each.
#[derive(Serialize, JsonSchema)]
pub struct Lock<'a> {
    /// The file.
    pub lock: &'a Path,
    /// The point release that it is of, where what is signed says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<&'a str>,
    /// Packages that it did not have: name and version.
    pub added: &'a [String],
    /// Packages that it has no more: name and version.
    pub removed: &'a [String],
    /// Packages of another version: name, the version before, and the version now.
    pub changed: &'a [String],
    /// Files that were pinned although nobody signed them: repository, file, size, hash.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub pinned: &'a [String],
}

/// A recipe, as `show` tells it.
#[derive(Serialize, JsonSchema)]
pub struct Show<'a> {
    /// Its values.
    pub rows: &'a [Row],
}

/// What `verify` found.
#[derive(Serialize, JsonSchema)]
pub struct Verify<'a> {
    /// Whether nothing is wrong.
    pub sound: bool,
    /// What was checked, and what is wrong.
    pub verify: &'a Findings,
}

/// Why a package is in a guest, as `why` tells it.
#[derive(Serialize, JsonSchema)]
pub struct Why<'a> {
    /// From the recipe to the package; each line is the reason of the one after it.
    pub chain: &'a [String],
    /// The picture that was written.
    pub graph: Option<&'a Path>,
}

/// Why a verb failed: on standard error, whatever the verb.
#[derive(Serialize, JsonSchema)]
pub struct Failed {
    /// The failure.
    pub error: Fault,
}

/// A failure.
#[derive(Serialize, JsonSchema)]
pub struct Fault {
    /// What went wrong.
    pub message: String,
    /// Its kind: `failed`, `usage`, `lock_outdated`, `verification` or `interrupted`.
    pub kind: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// What to do next.
    pub hints: Vec<String>,
    /// Its causes, each behind the one before.
    pub causes: Vec<String>,
}
