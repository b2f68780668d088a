//! Which kernel the modules of a feed are built for, and whether kernel, modules and feeds agree.
//!
//! OpenWrt's kernel modules load only into the very kernel that they were built with: beside the
//! version, a digest of the kernel's configuration (the *vermagic*) has to be the same. It is written
//! into the dependency `kernel (= ...)` of each module's package, into the name of the folder
//! `kmods/...` and into `profiles.json`, but not into the modules themselves.

use std::fmt;
use std::str::FromStr;

use crate::Package;
use crate::constraint::Op;
use wifibox_ground::version::Scheme;

/// The identity of a kernel: `5.15.137`, `1`, `47964456485559d992fe6f536131fc64`.
///
/// Written as in the name of the folder: `5.15.137-1-47964456485559d992fe6f536131fc64`. Read in the
/// spelling of 24.10 and later too: `6.6.73~a21259e4f338051d27a6443a3a7f7f1f-r1`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelId {
    /// The version of Linux.
    pub version: String,
    /// OpenWrt's revision of it.
    pub release: String,
    /// The digest of its configuration, 32 hexadecimal digits.
    pub vermagic: String,
}

/// Text that is not a [`KernelId`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is not the identity of an OpenWrt kernel: \"<version>-<release>-<vermagic>\" or \
     \"<version>~<vermagic>-r<release>\" is expected, with a vermagic of 32 hexadecimal digits"
)]
pub struct NotAKernel(String);

impl FromStr for KernelId {
    type Err = NotAKernel;
    fn from_str(text: &str) -> Result<Self, NotAKernel> {
        let parts = match text.split_once('~') {
            Some((version, rest)) => {
                rest.split_once("-r").map(|(magic, rel)| (version, rel, magic))
            }
            None => text.rsplit_once('-').and_then(|(rest, magic)| {
                let (version, release) = rest.rsplit_once('-')?;
                Some((version, release.strip_prefix('r').unwrap_or(release), magic))
            }),
        };
        let (version, release, vermagic) = parts.ok_or_else(|| NotAKernel(text.to_owned()))?;
        KernelId::new(version, release, vermagic).ok_or_else(|| NotAKernel(text.to_owned()))
    }
}

impl fmt::Display for KernelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.version, self.release, self.vermagic)
    }
}

impl fmt::Debug for KernelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl KernelId {
    /// The identity made of these parts; `None` if one of them cannot be such a part.
    pub fn new(version: &str, release: &str, vermagic: &str) -> Option<Self> {
        let is_version = version.starts_with(|c: char| c.is_ascii_digit())
            && version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        let is_release = !release.is_empty() && release.chars().all(|c| c.is_ascii_digit());
        let is_magic = vermagic.len() == 32 && vermagic.chars().all(|c| c.is_ascii_hexdigit());
        (is_version && is_release && is_magic).then(|| KernelId {
            version: version.to_owned(),
            release: release.to_owned(),
            vermagic: vermagic.to_ascii_lowercase(),
        })
    }
}

/// Parts of one guest that belong to different kernels.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KernelMismatch {
    /// Two parts do not fit together.
    #[error(
        "{first} is for kernel {first_kernel}, but {second} is for kernel {second_kernel}{}: modules \
         load only into the kernel that they were built with; take both from the same build of the \
         same release and target (the folder kmods/{first_kernel}, if the mirror has it), or update \
         the lock if the feed has moved on",
        if first_kernel.version == second_kernel.version {
            " (the same version of Linux, but configured differently)"
        } else {
            ""
        }
    )]
    Differ {
        /// The first part: `the kernel image`, `feed kmods, package kmod-mac80211`.
        first: String,
        /// Its kernel.
        first_kernel: KernelId,
        /// The second part.
        second: String,
        /// Its kernel.
        second_kernel: KernelId,
    },
    /// A package depends on a kernel in a way that does not name one.
    #[error("{part} depends on \"kernel {version}\", which names no kernel: {why}")]
    Unreadable {
        /// The part.
        part: String,
        /// The version as written.
        version: String,
        /// The reason why it cannot be parsed.
        why: NotAKernel,
    },
}

/// The kernel that `package` was built for, by its dependency `kernel (= ...)`; `None` for packages
/// that are no kernel modules. The version is that of the dependency, as written.
pub(crate) fn wanted_version(scheme: Scheme, package: &Package) -> Option<&str> {
    let mut relations = package.depends(scheme).ok()?.into_iter();
    relations.find_map(|relation| {
        let exact = relation.alternatives.into_iter().find(|target| {
            !relation.negated && target.name == "kernel" && target.op == Op::EQUAL
        })?;
        Some(exact.version)
    })
}

/// The kernel that the packages of a feed were built for: all of one, or an error that names two
/// packages. `None` if there are no kernel modules among them.
///
/// # Errors
/// [`KernelMismatch`].
pub fn of_feed(
    feed: &str,
    scheme: Scheme,
    packages: &[Package],
) -> Result<Option<KernelId>, KernelMismatch> {
    let mut found: Option<(String, KernelId)> = None;
    for package in packages {
        let Some(version) = wanted_version(scheme, package) else { continue };
        let part = format!("feed {feed}, package {}", package.name);
        let kernel = match version.parse() {
            Ok(kernel) => kernel,
            Err(why) => {
                let version = version.to_owned();
                return Err(KernelMismatch::Unreadable { part, version, why });
            }
        };
        match &found {
            Some(first) => agree(&[first.clone(), (part, kernel)]).map(drop)?,
            None => found = Some((part, kernel)),
        }
    }
    Ok(found.map(|(_, kernel)| kernel))
}

/// Checks that the parts of a guest belong to one kernel, each given by a name for errors and its
/// kernel; gives that kernel, `None` where there are no parts.
///
/// # Errors
/// [`KernelMismatch::Differ`] names the first two that differ.
pub fn agree(parts: &[(String, KernelId)]) -> Result<Option<KernelId>, KernelMismatch> {
    let Some((first, first_kernel)) = parts.first() else { return Ok(None) };
    match parts.iter().find(|(_, kernel)| kernel != first_kernel) {
        Some((second, second_kernel)) => Err(KernelMismatch::Differ {
            first: first.clone(),
            first_kernel: first_kernel.clone(),
            second: second.clone(),
            second_kernel: second_kernel.clone(),
        }),
        None => Ok(Some(first_kernel.clone())),
    }
}

/// `kernel` as a package, for the solver: no index lists it, and the modules depend on exactly this
/// version, in the spelling of the feed. The kernel itself comes from elsewhere.
pub fn stand_in(version: &str) -> Package {
    Package {
        name: "kernel".to_owned(),
        version: version.to_owned(),
        description: "The kernel that the modules of this feed were built for".to_owned(),
        ..Package::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: &str = "47964456485559d992fe6f536131fc64";

    fn kmod(name: &str, depends: &str) -> Package {
        Package { name: name.into(), depends: depends.into(), ..Package::default() }
    }

    #[test]
    fn both_spellings_name_one_kernel() {
        let id: KernelId = format!("5.15.137-1-{MAGIC}").parse().expect("the spelling of 23.05");
        assert_eq!(format!("5.15.137~{MAGIC}-r1").parse(), Ok(id.clone()));
        assert_eq!(id.to_string(), format!("5.15.137-1-{MAGIC}"));
        assert_eq!((&*id.version, &*id.release), ("5.15.137", "1"));
        for bad in ["", "5.15.137", "5.15.137-1", "5.15.137-1-abc", &format!("-1-{MAGIC}")] {
            assert!(bad.parse::<KernelId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn modules_say_which_kernel_they_are_for() {
        let depends = format!("kernel (=5.15.137-1-{MAGIC}), kmod-cfg80211");
        let packages = [kmod("iw", "libc"), kmod("kmod-a", &depends)];
        let id = of_feed("core", Scheme::Opkg, &packages).expect("one kernel").expect("a kernel");
        assert_eq!(id.vermagic, MAGIC);
        let apk = [kmod("kmod-a", &format!("kernel=5.15.137~{MAGIC}-r1 kmod-b"))];
        assert_eq!(of_feed("core", Scheme::Apk, &apk), Ok(Some(id)));
        assert_eq!(of_feed("core", Scheme::Opkg, &packages[..1]), Ok(None));
        let vague = [kmod("kmod-a", "kernel (>= 5.15)")];
        assert_eq!(of_feed("core", Scheme::Opkg, &vague), Ok(None));
        let odd = [kmod("kmod-a", "kernel (=5.15)")];
        let error = of_feed("core", Scheme::Opkg, &odd).expect_err("no identity").to_string();
        assert!(error.contains("package kmod-a depends on \"kernel 5.15\""), "{error}");
    }

    #[test]
    fn the_two_that_differ_are_named() {
        let other = "0".repeat(32);
        let id = |magic: &str| format!("5.15.137-1-{magic}").parse::<KernelId>().expect("an id");
        let image = ("the kernel image".to_owned(), id(MAGIC));
        let same = ("profiles.json".to_owned(), id(MAGIC));
        let kmods = ("feed kmods".to_owned(), id(&other));
        assert_eq!(agree(&[image.clone(), same.clone()]), Ok(Some(id(MAGIC))));
        let error = agree(&[image, same, kmods]).expect_err("two kernels").to_string();
        let start = format!(
            "the kernel image is for kernel 5.15.137-1-{MAGIC}, but feed kmods is for kernel \
             5.15.137-1-{other} (the same version of Linux, but configured differently)"
        );
        assert!(error.starts_with(&start), "{error}");
        let packages = [
            kmod("kmod-a", &format!("kernel (=5.15.137-1-{MAGIC})")),
            kmod("kmod-b", &format!("kernel (=5.15.138-1-{MAGIC})")),
        ];
        let error = of_feed("core", Scheme::Opkg, &packages).expect_err("two kernels").to_string();
        assert!(error.contains("kmod-a") && error.contains("kmod-b"), "{error}");
        assert!(!error.contains("configured differently"), "{error}");
    }
}
