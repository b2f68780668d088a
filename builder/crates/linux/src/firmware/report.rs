//! The outcome of a selection: files, links, and a line on every name that was asked for.

use std::collections::BTreeMap;
use std::fmt;

use super::offers::NoFile;
use crate::kernel::ModuleName;
use wifibox_ground::codec::Compression;
use wifibox_ground::path::GuestPath;

/// A file to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// Where its package holds it.
    pub path: GuestPath,
    /// How it is compressed there. A kernel that cannot read that needs it unpacked, and then without
    /// the suffix.
    pub compression: Compression,
    /// The package.
    pub from: String,
}

/// A link to keep or to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLink {
    /// Where it leads, relative to its directory, without a compression suffix.
    pub target: String,
    /// The package, `WHENCE`, or the rule that it comes from.
    pub from: String,
}

/// Who asked for a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// A module's metadata.
    Module(ModuleName),
    /// The driver puts it together at run time: its `.pnvm` is named, the file itself is not.
    Composed(ModuleName),
    /// A pattern of a manifest.
    Include(String),
    /// The user, who brings the file.
    User,
    /// It goes with this kept name.
    CompanionOf(String),
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            By::Module(name) => write!(f, "module {name}"),
            By::Composed(name) => write!(f, "module {name}, at run time"),
            By::Include(pattern) => write!(f, "pattern {pattern}"),
            By::User => f.write_str("your own file"),
            By::CompanionOf(name) => write!(f, "companion of {name}"),
        }
    }
}

/// The result for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is kept: names, the asked-for one or what its pattern matches.
    Kept(Vec<String>),
    /// It is not there; the driver will take this older one.
    Older(String),
    /// The driver asks for this newer one first.
    Superseded(String),
    /// A rule leaves it out.
    Dropped(String),
    /// Nothing that the driver would take is offered.
    Missing {
        /// Why the name leads to no file.
        why: NoFile,
        /// Offered versions that are too new for the driver.
        too_new: Vec<String>,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Kept(names) => write!(f, "kept: {}", names.join(", ")),
            Outcome::Older(name) => write!(f, "replaced by the older {name}"),
            Outcome::Superseded(name) => write!(f, "not needed: {name} comes first"),
            Outcome::Dropped(rule) => write!(f, "left out by {rule}"),
            Outcome::Missing { why, too_new } => {
                f.write_str(match why {
                    NoFile::Missing => "missing",
                    NoFile::Dangling => "missing: its link leads to nothing",
                    NoFile::Circle => "missing: its links go round in a circle",
                    NoFile::Outside => "missing: its link leads out of lib/firmware",
                })?;
                if !too_new.is_empty() {
                    write!(f, "; too new for this driver: {}", too_new.join(", "))?;
                }
                Ok(())
            }
        }
    }
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The name or pattern that was asked for.
    pub name: String,
    /// Who asked for it.
    pub by: By,
    /// The result.
    pub outcome: Outcome,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.name, self.by, self.outcome)
    }
}

/// The firmware of a guest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Files by name below `lib/firmware`.
    pub files: BTreeMap<String, KeptFile>,
    /// Links by name below `lib/firmware`.
    pub links: BTreeMap<String, KeptLink>,
    /// A line on every name that was asked for, in the order of asking.
    pub report: Vec<Line>,
}

/// A promise that nothing keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The promise's patterns.
    pub patterns: Vec<String>,
    /// Packages that hold such files.
    pub packages: Vec<String>,
    /// The names asked for that would keep it, each with its result.
    pub lines: Vec<Line>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing that matches {} would be in the guest", self.patterns.join(" or "))?;
        for line in self.lines.iter().take(4) {
            write!(f, "\n    {line}")?;
        }
        if self.lines.len() > 4 {
            write!(f, "\n    and {} more", self.lines.len() - 4)?;
        }
        match self.packages.as_slice() {
            [] => f.write_str(
                "\n    no package of this base holds it: bring the file with --firmware-add FILE:NAME",
            ),
            packages => write!(
                f,
                "\n    the package {} should hold it: upgrade the lock, name the package that does, or \
                 bring the file with --firmware-add FILE:NAME",
                packages.join(" or ")
            ),
        }
    }
}

/// Why there is no selection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FirmwareError {
    /// A malformed pattern.
    #[error("firmware pattern {pattern:?}: {problem}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The reason, for the message.
        problem: String,
    },
    /// A malformed link or board of a rule.
    #[error("firmware link {name:?} -> {target:?}: {problem}")]
    Link {
        /// The link.
        name: String,
        /// Its target.
        target: String,
        /// The reason, for the message.
        problem: &'static str,
    },
    /// A file that a flavor promises is not there.
    #[error(
        "firmware that the flavor promises is missing:\n  {}",
        .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")
    )]
    Promise(Vec<Broken>),
}
