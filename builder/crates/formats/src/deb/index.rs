//! Which index files of a Debian mirror are needed, and how they are read.
//!
//! First the Release file of the suite; it lists the Packages indexes with size and SHA-256. Their
//! stanzas are read elsewhere.

use std::io::{self, Read};

use super::release::{Listed, Release};
use crate::Verified;
use wifibox_ground::artefact::Artefact;
use wifibox_ground::codec::{Compression, Limits};
use wifibox_ground::digest::Hasher;
use wifibox_ground::location::{Location, LocationError};

/// An index of unknown size may have this many bytes.
const UNLISTED_LIMIT: u64 = 2 << 30;

/// The forms of an index, the best one first.
const FORMS: [Compression; 4] =
    [Compression::Xz, Compression::Zstd, Compression::Gzip, Compression::None];

/// Why there is no index to fetch.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IndexError {
    /// The suite does not have this component.
    #[error("{suite} has no component {component:?}; it has {}", has.join(", "))]
    NoComponent {
        /// The suite.
        suite: String,
        /// The component that was asked for.
        component: String,
        /// The components that it has.
        has: Vec<String>,
    },
    /// The suite does not have this architecture.
    #[error("{suite} has no architecture {architecture:?}; it has {}", has.join(", "))]
    NoArchitecture {
        /// The suite.
        suite: String,
        /// The architecture that was asked for.
        architecture: String,
        /// The architectures that it has.
        has: Vec<String>,
    },
    /// The Release file lists no such index.
    #[error("the Release file of {suite} lists no index {path} in any form that can be read")]
    NotListed {
        /// The suite.
        suite: String,
        /// The path below the suite, without the suffix of a compression.
        path: String,
    },
    /// A name is no part of a path.
    #[error(transparent)]
    Location(#[from] LocationError),
}

/// The files in which a suite's Release file may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFiles {
    /// `InRelease`, to be tried first.
    pub inrelease: Artefact,
    /// `Release`, for archives without `InRelease`.
    pub release: Artefact,
    /// `Release.gpg`, its signatures.
    pub signature: Artefact,
}

impl ReleaseFiles {
    /// Those of `suite` (`trixie`, `trixie-updates`) on these mirrors.
    ///
    /// # Errors
    /// [`LocationError::Path`] when `suite` is no part of a path.
    pub fn of(suite: &str, mirrors: &[Location]) -> Result<Self, LocationError> {
        let file = |name: &str| {
            let path = format!("dists/{suite}/{name}");
            Artefact::on_mirrors(format!("{name} of {suite}"), mirrors, &path)
        };
        Ok(ReleaseFiles {
            inrelease: file("InRelease")?,
            release: file("Release")?,
            signature: file("Release.gpg")?,
        })
    }
}

/// An index to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPlan {
    /// The file to fetch; its size and digest are those of the Release file.
    pub artefact: Artefact,
    /// How it is compressed.
    pub compression: Compression,
    /// Size and digest after decompression, where the Release file lists them.
    pub plain: Option<Listed>,
    /// The component it describes.
    pub component: String,
}

/// The Packages indexes of one component for one architecture: one, or two where packages for all
/// architectures have their own index.
///
/// # Errors
/// [`IndexError`].
pub fn plans(
    release: &Verified<Release>,
    suite: &str,
    component: &str,
    architecture: &str,
    mirrors: &[Location],
) -> Result<Vec<IndexPlan>, IndexError> {
    let has = |list: &[String], name: &str| list.is_empty() || list.iter().any(|n| n == name);
    if !has(&release.components, component) {
        return Err(IndexError::NoComponent {
            suite: suite.to_owned(),
            component: component.to_owned(),
            has: release.components.clone(),
        });
    }
    if !has(&release.architectures, architecture) {
        return Err(IndexError::NoArchitecture {
            suite: suite.to_owned(),
            architecture: architecture.to_owned(),
            has: release.architectures.clone(),
        });
    }
    let mut plans = vec![plan(release, suite, component, architecture, mirrors)?];
    if release.all_is_separate && architecture != "all" {
        plans.push(plan(release, suite, component, "all", mirrors)?);
    }
    Ok(plans)
}

fn plan(
    release: &Release,
    suite: &str,
    component: &str,
    architecture: &str,
    mirrors: &[Location],
) -> Result<IndexPlan, IndexError> {
    let folder = format!("{component}/binary-{architecture}");
    let plain_path = format!("{folder}/Packages");
    let listed = FORMS.iter().find_map(|form| {
        let path = format!("{plain_path}{}", form.suffix());
        release.files.get(&path).map(|listed| (*form, path, *listed))
    });
    let Some((compression, path, Listed { size, sha256 })) = listed else {
        return Err(IndexError::NotListed { suite: suite.to_owned(), path: plain_path });
    };
    let name = format!("package index {suite}/{component} for {architecture}");
    let mut artefact = Artefact::on_mirrors(name, mirrors, &format!("dists/{suite}/{path}"))?;
    if release.acquire_by_hash {
        // Under its digest an index stays while the mirror is being updated; under its name it may
        // already be the next one.
        let path = format!("dists/{suite}/{folder}/by-hash/SHA256/{sha256}");
        let by_hash = Artefact::on_mirrors("", mirrors, &path)?;
        artefact.locations = [by_hash.locations, artefact.locations].concat();
    }
    // All indexes are called Packages; in a folder of downloaded files that will not do.
    let parts = [suite, component, architecture, "Packages"];
    artefact.file_name = format!("{}{}", parts.join("_").replace('/', "_"), compression.suffix());
    Ok(IndexPlan {
        artefact: artefact.expecting(Some(size), sha256),
        compression,
        plain: release.files.get(&plain_path).copied(),
        component: component.to_owned(),
    })
}

impl IndexPlan {
    /// A reader of the unpacked index. It must be read to its end, where size and digest are
    /// compared with the Release file; what was read before an error must be thrown away.
    ///
    /// # Errors
    /// The decoder cannot be made.
    pub fn reader<'a>(&self, input: impl Read + 'a) -> io::Result<impl Read + 'a> {
        let size = self.plain.map_or(UNLISTED_LIMIT, |plain| plain.size);
        let limits = Limits { size, ..Limits::default() };
        let inner = self.compression.reader(input, limits)?;
        Ok(Checked { inner, expected: self.plain, hasher: Hasher::default(), length: 0 })
    }
}

/// Compares what was read with what the Release file lists.
struct Checked<R> {
    inner: R,
    expected: Option<Listed>,
    hasher: Hasher,
    length: u64,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let got = self.inner.read(buf)?;
        self.hasher.update(buf.get(..got).unwrap_or_default());
        self.length = self.length.saturating_add(got as u64);
        let (0, Some(Listed { size, sha256 })) = (got, self.expected) else { return Ok(got) };
        let found = self.hasher.clone().finish();
        if self.length == size && found == sha256 {
            return Ok(0);
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "the index unpacks to {} bytes, SHA-256 {found}; the Release file lists {size} \
                 bytes, SHA-256 {sha256}",
                self.length
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use wifibox_ground::digest::Sha256;

    const TEXT: &[u8] = b"Package: a\n\nPackage: b\n";

    fn release(suffixes: &[&str]) -> Release {
        let listed = |bytes: &[u8]| Listed { size: bytes.len() as u64, sha256: Sha256::of(bytes) };
        let files: BTreeMap<_, _> = suffixes
            .iter()
            .flat_map(|suffix| {
                ["amd64", "all"].map(|arch| {
                    let bytes = if suffix.is_empty() { TEXT } else { suffix.as_bytes() };
                    (format!("main/binary-{arch}/Packages{suffix}"), listed(bytes))
                })
            })
            .collect();
        Release {
            suite: None,
            codename: None,
            version: None,
            date: jiff::Timestamp::UNIX_EPOCH,
            valid_until: None,
            acquire_by_hash: false,
            architectures: vec!["all".to_owned(), "amd64".to_owned()],
            all_is_separate: false,
            components: vec!["main".to_owned()],
            automatic: super::super::release::Automatic::Yes,
            files,
        }
    }

    fn planned(
        release: Release,
        component: &str,
        arch: &str,
    ) -> Result<Vec<IndexPlan>, IndexError> {
        let mirrors = ["http://one.example/debian", "/two"].map(|m| m.parse().expect("a mirror"));
        plans(&Verified::new(release, vec![]), "trixie", component, arch, &mirrors)
    }

    #[test]
    fn the_best_form_is_chosen() {
        for (suffixes, best) in [
            (&["", ".gz", ".xz"][..], Compression::Xz),
            (&[".gz", ".zst"][..], Compression::Zstd),
            (&["", ".gz"][..], Compression::Gzip),
            (&["", ".bz2"][..], Compression::None),
        ] {
            let plans = planned(release(suffixes), "main", "amd64").expect("a plan");
            assert_eq!(plans[0].compression, best);
            assert_eq!(
                plans[0].artefact.file_name,
                format!("trixie_main_amd64_Packages{}", best.suffix())
            );
            assert_eq!(plans[0].plain.is_some(), suffixes.contains(&""));
        }
        let error = planned(release(&[".bz2"]), "main", "amd64").expect_err("none");
        assert!(matches!(error, IndexError::NotListed { .. }));
    }

    #[test]
    fn by_hash_comes_first_where_it_is_offered() {
        let mut release = release(&["", ".xz"]);
        release.acquire_by_hash = true;
        release.all_is_separate = true;
        let plans = planned(release, "main", "amd64").expect("plans");
        let locations: Vec<_> =
            plans[0].artefact.locations.iter().map(ToString::to_string).collect();
        let base = "dists/trixie/main/binary-amd64";
        let digest = Sha256::of(b".xz");
        let expected = [
            format!("http://one.example/debian/{base}/by-hash/SHA256/{digest}"),
            format!("/two/{base}/by-hash/SHA256/{digest}"),
            format!("http://one.example/debian/{base}/Packages.xz"),
            format!("/two/{base}/Packages.xz"),
        ];
        assert_eq!(locations, expected);
        assert_eq!(plans[0].artefact.identity.sha256, Some(digest));
        assert!(plans[1].artefact.locations[2].to_string().contains("binary-all"));
    }

    #[test]
    fn what_the_suite_lacks_is_told() {
        let error = planned(release(&[""]), "contrib", "amd64").expect_err("no component");
        assert_eq!(error.to_string(), "trixie has no component \"contrib\"; it has main");
        let error = planned(release(&[""]), "main", "mips").expect_err("no architecture");
        assert_eq!(error.to_string(), "trixie has no architecture \"mips\"; it has all, amd64");
    }

    #[test]
    fn what_it_unpacks_to_is_checked() {
        let read = |plan: &IndexPlan, bytes: &[u8]| {
            let mut out = Vec::new();
            plan.reader(bytes)?.read_to_end(&mut out).map(|_| out)
        };
        let mut plan = planned(release(&[""]), "main", "amd64").expect("a plan").swap_remove(0);
        assert_eq!(read(&plan, TEXT).expect("the index"), TEXT);
        for wrong in [&TEXT[1..], b"", b"Package: a\n\nPackage: c\n", &[TEXT, TEXT].concat()] {
            assert!(read(&plan, wrong).is_err());
        }
        plan.compression = Compression::Zstd;
        let packed = zstd::encode_all(TEXT, 3).expect("packed");
        assert_eq!(read(&plan, &packed).expect("the index"), TEXT);
    }
}
