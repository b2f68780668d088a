//! The differences between two trees, one at a time.

use std::fmt;

use super::listing::{Listing, Node};

/// A kind of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Expected, and not there.
    Missing,
    /// There, and not expected.
    Extra,
    /// Of another type.
    Type,
    /// Other permissions.
    Mode,
    /// Another owner or group.
    Owner,
    /// Another link target or device number.
    Target,
    /// Other bytes.
    Content,
    /// Other extended attributes.
    Xattrs,
}

impl Class {
    /// All of them, in the order of reports.
    pub const ALL: [Class; 8] = [
        Class::Missing,
        Class::Extra,
        Class::Type,
        Class::Mode,
        Class::Owner,
        Class::Target,
        Class::Content,
        Class::Xattrs,
    ];

    /// The word for it, in reports and in the file of what is meant.
    pub fn word(self) -> &'static str {
        match self {
            Class::Missing => "missing",
            Class::Extra => "extra",
            Class::Type => "type",
            Class::Mode => "mode",
            Class::Owner => "owner",
            Class::Target => "target",
            Class::Content => "content",
            Class::Xattrs => "xattrs",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its kind.
    pub class: Class,
    /// Where, as text; `/` is the root itself.
    pub path: String,
    /// The expected node or value, in words; empty for an extra path.
    pub expected: String,
    /// The node or value found, in words; empty for a missing path.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { class, path, expected, found } = self;
        match class {
            Class::Missing => write!(f, "{path} ({expected})"),
            Class::Extra => write!(f, "{path} ({found})"),
            _ => write!(f, "{path}: expected {expected}, found {found}"),
        }
    }
}

/// All differences, by path.
pub fn compare(expected: &Listing, found: &Listing) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut paths: Vec<&Vec<u8>> = expected.keys().chain(found.keys()).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        let name = match path.is_empty() {
            true => "/".to_owned(),
            false => path.escape_ascii().to_string(),
        };
        let mut add = |class, expected: String, found: String| {
            differences.push(Difference { class, path: name.clone(), expected, found });
        };
        match (expected.get(path), found.get(path)) {
            (Some(node), None) => add(Class::Missing, node.kind.name().to_owned(), String::new()),
            (None, Some(node)) => add(Class::Extra, String::new(), node.kind.name().to_owned()),
            (Some(expected), Some(found)) => nodes(expected, found, &mut add),
            (None, None) => {}
        }
    }
    differences
}

fn nodes(expected: &Node, found: &Node, add: &mut impl FnMut(Class, String, String)) {
    use super::listing::Kind;
    let (wanted, there) = (&expected.kind, &found.kind);
    if wanted.name() != there.name() {
        return add(Class::Type, wanted.name().to_owned(), there.name().to_owned());
    }
    if wanted != there {
        let class =
            if matches!(wanted, Kind::File { .. }) { Class::Content } else { Class::Target };
        add(class, wanted.to_string(), there.to_string());
    }
    // Linux gives every link the mode 0777 and never looks at it.
    if expected.mode != found.mode && !matches!(wanted, Kind::Link(_)) {
        add(Class::Mode, format!("{:04o}", expected.mode), format!("{:04o}", found.mode));
    }
    if expected.owner != found.owner {
        let text = |(user, group)| format!("{user}:{group}");
        add(Class::Owner, text(expected.owner), text(found.owner));
    }
    if let (Some(wanted), Some(there)) = (&expected.xattrs, &found.xattrs)
        && wanted != there
    {
        add(Class::Xattrs, format!("{wanted:?}"), format!("{there:?}"));
    }
}
