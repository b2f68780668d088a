//! Where the feeds of an OpenWrt release are, and the data of a target from its `profiles.json`.
//!
//! Layout of a mirror: OpenWrt's `include/feeds.mk`. Below the folder of the release (`releases/23.05.5`,
//! `snapshots`) are `targets/<target>/packages` (what depends on the target, kernel modules among it),
//! `targets/<target>/kmods/<kernel>` (kernel modules, by kernel), and `packages/<architecture>/<feed>`.

use serde::Deserialize;

use super::kernel::KernelId;
use wifibox_ground::artefact::Artefact;
use wifibox_ground::location::{Location, LocationError};

/// How the packages of a release are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// opkg: `Packages.gz` and `Packages.sig`; releases up to 24.10.
    Opkg,
    /// apk v3: `packages.adb`, which holds its own signatures; 25.12 and later.
    Apk,
}

/// A release for a kind of machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// `23.05.5`, or `SNAPSHOT`.
    pub release: String,
    /// The folder of the release on a mirror: `releases/23.05.5`, `snapshots`.
    pub folder: String,
    /// How its packages are packed.
    pub packing: Packing,
    /// `x86/64`, `armsr/armv8`, `malta/be`.
    pub target: String,
    /// The architecture of the packages: `x86_64`, `aarch64_generic`, `mips_24kc`.
    pub architecture: String,
}

/// The feeds that every release has beside those of the target.
pub const FEEDS: [&str; 5] = ["base", "luci", "packages", "routing", "telephony"];

impl Build {
    /// The folder of the target, where `profiles.json`, `sha256sums` and the kernel images lie.
    pub fn target_folder(&self) -> String {
        format!("{}/targets/{}", self.folder, self.target)
    }

    /// A file in the target's folder, such as `profiles.json` or `sha256sums.sig`.
    ///
    /// # Errors
    /// [`LocationError`] when the release, the target or the name cannot be part of a path.
    pub fn target_file(&self, name: &str, mirrors: &[Location]) -> Result<Artefact, LocationError> {
        let path = format!("{}/{name}", self.target_folder());
        let mut artefact =
            Artefact::on_mirrors(format!("{name} of {}", self.label()), mirrors, &path)?;
        // Every target has files of these names; in a folder of downloaded files that will not do.
        let parts = [&self.release, &*self.target.replace('/', "-"), &name.replace('/', "_")];
        artefact.file_name = format!("openwrt_{}", parts.join("_"));
        Ok(artefact)
    }

    /// In words, for messages: `OpenWrt 23.05.5 x86/64`.
    pub fn label(&self) -> String {
        format!("OpenWrt {} {}", self.release, self.target)
    }
}

/// An index to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPlan {
    /// The feed's name: `core` (the target's), `kmods`, `base`, `luci`.
    pub feed: String,
    /// The feed's folder on a mirror. Packages lie beside the index.
    pub folder: String,
    /// The index: `Packages.gz` or `packages.adb`.
    pub index: Artefact,
    /// Its signature `Packages.sig`; apk's indexes hold theirs.
    pub signature: Option<Artefact>,
}

/// The indexes of a build, in the order in which feeds are preferred: those of the target, the kernel
/// modules of `kernel` where that is known, then `feeds` ([`FEEDS`], or fewer).
///
/// # Errors
/// [`LocationError`] when a name cannot be part of a path.
pub fn plans(
    build: &Build,
    kernel: Option<&KernelId>,
    feeds: &[&str],
    mirrors: &[Location],
) -> Result<Vec<IndexPlan>, LocationError> {
    let target = build.target_folder();
    let mut folders = vec![("core", format!("{target}/packages"))];
    if let Some(kernel) = kernel {
        folders.push(("kmods", format!("{target}/kmods/{kernel}")));
    }
    for feed in feeds {
        let folder = format!("{}/packages/{}/{feed}", build.folder, build.architecture);
        folders.push((feed, folder));
    }
    let plan = |(feed, folder): (&str, String)| {
        let scope = match feed {
            "core" | "kmods" => build.target.replace('/', "-"),
            _ => build.architecture.clone(),
        };
        let file = |name: &str| {
            let what = format!("{name} of {}, feed {feed}", build.label());
            let mut artefact = Artefact::on_mirrors(what, mirrors, &format!("{folder}/{name}"))?;
            artefact.file_name = format!("openwrt_{}_{scope}_{feed}_{name}", build.release);
            Ok(artefact)
        };
        let (index, signature) = match build.packing {
            Packing::Opkg => (file("Packages.gz")?, Some(file("Packages.sig")?)),
            Packing::Apk => (file("packages.adb")?, None),
        };
        Ok(IndexPlan { feed: feed.to_owned(), folder: folder.clone(), index, signature })
    };
    folders.into_iter().map(plan).collect()
}

/// The data of a target from its `profiles.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `23.05.2`.
    pub release: String,
    /// The revision of OpenWrt: `r23630-842932a63d`.
    pub revision: String,
    /// `x86/64`.
    pub target: String,
    /// `x86_64`.
    pub architecture: String,
    /// The packages of every image of this target.
    pub default_packages: Vec<String>,
    /// Its kernel; releases before 23.05 do not say.
    pub kernel: Option<KernelId>,
    /// When it was made, in seconds since 1970; older releases do not say.
    pub source_date_epoch: Option<u32>,
}

/// Why a `profiles.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It cannot be parsed.
    #[error("{name} is not a profiles.json of OpenWrt: {source}")]
    Json {
        /// The file.
        name: String,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// Its kernel cannot be parsed.
    #[error("{name} describes a kernel \"{text}\", which is not one")]
    Kernel {
        /// The file.
        name: String,
        /// The parts, as written.
        text: String,
    },
    /// It belongs to another build.
    #[error(
        "{name} is of OpenWrt {found_release} {found_target}, wanted is {wanted}: the mirror serves \
         another release under this name, or the file is from elsewhere"
    )]
    Other {
        /// The file.
        name: String,
        /// Its release.
        found_release: String,
        /// Its target.
        found_target: String,
        /// The release and target that were asked for.
        wanted: String,
    },
}

#[derive(Deserialize)]
struct Profiles {
    arch_packages: String,
    target: String,
    version_number: String,
    #[serde(default)]
    version_code: String,
    #[serde(default)]
    default_packages: Vec<String>,
    linux_kernel: Option<LinuxKernel>,
    source_date_epoch: Option<u32>,
}

#[derive(Deserialize)]
struct LinuxKernel {
    version: String,
    release: String,
    vermagic: String,
}

impl Target {
    /// Reads `profiles.json`, whose digest should have been compared with the signed `sha256sums`.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn parse(name: &str, json: &[u8]) -> Result<Self, TargetError> {
        let profiles: Profiles = serde_json::from_slice(json)
            .map_err(|source| TargetError::Json { name: name.to_owned(), source })?;
        let kernel = match profiles.linux_kernel {
            Some(LinuxKernel { version, release, vermagic }) => {
                let id = KernelId::new(&version, &release, &vermagic);
                let text = format!("{version}-{release}-{vermagic}");
                Some(id.ok_or_else(|| TargetError::Kernel { name: name.to_owned(), text })?)
            }
            None => None,
        };
        Ok(Target {
            release: profiles.version_number,
            revision: profiles.version_code,
            target: profiles.target,
            architecture: profiles.arch_packages,
            default_packages: profiles.default_packages,
            kernel,
            source_date_epoch: profiles.source_date_epoch,
        })
    }

    /// Checks that this is what `build` asks for.
    ///
    /// # Errors
    /// [`TargetError::Other`].
    pub fn check(&self, name: &str, build: &Build) -> Result<(), TargetError> {
        let same = self.release.eq_ignore_ascii_case(&build.release)
            && self.target == build.target
            && self.architecture == build.architecture;
        if same {
            return Ok(());
        }
        Err(TargetError::Other {
            name: name.to_owned(),
            found_release: self.release.clone(),
            found_target: format!("{} ({})", self.target, self.architecture),
            wanted: format!("{} ({})", build.label(), build.architecture),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: &str = "47964456485559d992fe6f536131fc64";

    fn build(release: &str, packing: Packing) -> Build {
        Build {
            release: release.into(),
            folder: format!("releases/{release}"),
            packing,
            target: "x86/64".into(),
            architecture: "x86_64".into(),
        }
    }

    #[test]
    fn the_indexes_of_a_release() {
        let kernel = format!("5.15.137-1-{MAGIC}").parse().expect("a kernel");
        let mirrors = ["https://one.example/openwrt".parse().expect("a mirror")];
        let plans = plans(&build("23.05.2", Packing::Opkg), Some(&kernel), &FEEDS, &mirrors)
            .expect("plans");
        let folders: Vec<&str> = plans.iter().map(|plan| &*plan.folder).collect();
        let kmods = format!("releases/23.05.2/targets/x86/64/kmods/5.15.137-1-{MAGIC}");
        let expected = [
            "releases/23.05.2/targets/x86/64/packages",
            &kmods,
            "releases/23.05.2/packages/x86_64/base",
            "releases/23.05.2/packages/x86_64/luci",
            "releases/23.05.2/packages/x86_64/packages",
            "releases/23.05.2/packages/x86_64/routing",
            "releases/23.05.2/packages/x86_64/telephony",
        ];
        assert_eq!(folders, expected);
        let core = &plans[0];
        let url = "https://one.example/openwrt/releases/23.05.2/targets/x86/64/packages/Packages";
        assert_eq!(core.index.locations[0].to_string(), format!("{url}.gz"));
        let signature = core.signature.as_ref().expect("a signature");
        assert_eq!(signature.locations[0].to_string(), format!("{url}.sig"));
        assert_eq!(core.index.file_name, "openwrt_23.05.2_x86-64_core_Packages.gz");
        let names: std::collections::BTreeSet<_> =
            plans.iter().map(|plan| &plan.index.file_name).collect();
        assert_eq!(names.len(), plans.len());
    }

    #[test]
    fn indexes_of_apk_hold_their_signatures() {
        let build = Build { folder: "snapshots".into(), ..build("SNAPSHOT", Packing::Apk) };
        let plans = plans(&build, None, &["base"], &[]).expect("plans");
        assert_eq!(plans[1].folder, "snapshots/packages/x86_64/base");
        assert!(plans[1].index.file_name.ends_with("packages.adb"));
        assert!(plans.iter().all(|plan| plan.signature.is_none()));
    }

    #[test]
    fn a_release_that_is_no_name_of_a_folder_is_refused() {
        let climbing = build("../../x", Packing::Opkg);
        assert!(plans(&climbing, None, &[], &[Location::File("/m".into())]).is_err());
    }

    #[test]
    fn a_target_says_which_kernel_it_has() {
        let json = format!(
            "{{\"arch_packages\":\"x86_64\",\"default_packages\":[\"base-files\"],\"linux_kernel\":\
             {{\"release\":\"1\",\"vermagic\":\"{MAGIC}\",\"version\":\"5.15.137\"}},\"profiles\":{{}},\
             \"target\":\"x86/64\",\"version_code\":\"r1-x\",\"version_number\":\"23.05.2\"}}"
        );
        let target = Target::parse("profiles.json", json.as_bytes()).expect("a target");
        assert_eq!(target.kernel, format!("5.15.137-1-{MAGIC}").parse().ok());
        assert!(target.check("profiles.json", &build("23.05.2", Packing::Opkg)).is_ok());
        let error =
            target.check("profiles.json", &build("23.05.3", Packing::Opkg)).expect_err("another");
        assert!(error.to_string().contains("wanted is OpenWrt 23.05.3 x86/64"), "{error}");
        let bad = json.replace(MAGIC, "x");
        assert!(matches!(Target::parse("p", bad.as_bytes()), Err(TargetError::Kernel { .. })));
        assert!(matches!(Target::parse("p", b"[]"), Err(TargetError::Json { .. })));
    }
}
