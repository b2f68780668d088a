//! The records that recipes add to a guest: accounts, directories, files, applets, shares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entries::Item;
use super::scalars::Mode;
use wifibox_ground::path::GuestPath;

/// One spelling of a path, so that `-/srv/` removes `srv`.
fn path_key(name: &str) -> String {
    GuestPath::new(name).map_or_else(|_| name.to_owned(), |path| path.to_string())
}

/// The password of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Password {
    /// No password matches: nobody can log in with one (`*`).
    #[default]
    None,
    /// The account is locked (`!`).
    Locked,
    /// Anyone who reaches a login prompt gets in.
    Empty,
}

/// A user of the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Numeric id.
    pub uid: u32,
    /// Primary group, by name; it is declared in `groups`.
    pub group: String,
    /// Further groups, by name.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Home directory.
    pub home: GuestPath,
    /// Login shell.
    pub shell: GuestPath,
    /// Full name or purpose.
    #[serde(default)]
    pub gecos: String,
    /// The password.
    #[serde(default)]
    pub password: Password,
}

impl Item for User {
    const WHAT: &'static str = "user";
    const WORD: bool = false;
    fn key(&self) -> String {
        self.name.clone()
    }
}

/// A group of the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Numeric id.
    pub gid: u32,
}

impl Item for Group {
    const WHAT: &'static str = "group";
    const WORD: bool = false;
    fn key(&self) -> String {
        self.name.clone()
    }
}

fn root() -> String {
    "root".to_owned()
}

/// A directory to make, or whose owner and permissions to set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Its path.
    pub path: GuestPath,
    /// Permissions; 0755 if not given.
    #[serde(default = "Mode::directory")]
    pub mode: Mode,
    /// Owner, by name; root if not given.
    #[serde(default = "root")]
    pub user: String,
    /// Group, by name; root if not given.
    #[serde(default = "root")]
    pub group: String,
}

impl Item for Directory {
    const WHAT: &'static str = "directory";
    const WORD: bool = false;
    fn key(&self) -> String {
        self.path.to_string()
    }
    fn removal_key(name: &str) -> String {
        path_key(name)
    }
}

/// A small file with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileText {
    /// The content.
    pub text: String,
    /// Permissions; 0644 if not given.
    #[serde(default = "Mode::file")]
    pub mode: Mode,
}

/// A program that is many programs: a link is made for each of its applets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "AppletsFields")]
#[schemars(with = "AppletsFields", rename = "Applets")]
pub struct Applets {
    /// The program, such as `usr/bin/busybox`.
    pub program: GuestPath,
    /// Where the links go; a file that is there already stays.
    #[serde(flatten)]
    pub links: AppletLinks,
}

/// How the links of a program with applets are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AppletLinks {
    /// One for each name in the program's own table, in this directory.
    Directory(GuestPath),
    /// Those that this file of the guest lists, one path on each line (what `busybox --list-full`
    /// prints).
    Paths(GuestPath),
}

/// [`Applets`] as a recipe writes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AppletsFields {
    /// The program, such as `usr/bin/busybox`.
    program: GuestPath,
    /// The directory of the links, one for each name in the program's own table; a file that is
    /// there already stays.
    #[serde(default)]
    directory: Option<GuestPath>,
    /// Instead of `directory`, a file of the guest that lists the links, one path on each line, as
    /// `busybox --list-full` prints them.
    #[serde(default)]
    paths: Option<GuestPath>,
}

impl TryFrom<AppletsFields> for Applets {
    type Error = &'static str;

    fn try_from(fields: AppletsFields) -> Result<Self, Self::Error> {
        let links = match (fields.directory, fields.paths) {
            (Some(directory), None) => AppletLinks::Directory(directory),
            (None, Some(paths)) => AppletLinks::Paths(paths),
            _ => return Err("expected either 'directory' or 'paths'"),
        };
        Ok(Applets { program: fields.program, links })
    }
}

impl Item for Applets {
    const WHAT: &'static str = "program with applets";
    const WORD: bool = false;
    fn key(&self) -> String {
        self.program.to_string()
    }
    fn removal_key(name: &str) -> String {
        path_key(name)
    }
}

/// The guest's access to a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Read only.
    ReadOnly,
    /// Read and write.
    ReadWrite,
}

/// A 9P share of the host that the guest mounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The tag under which the host offers it.
    pub tag: String,
    /// Where the guest mounts it.
    pub path: GuestPath,
    /// The guest's access to it.
    pub access: Access,
}

impl Item for Share {
    const WHAT: &'static str = "share";
    const WORD: bool = false;
    fn key(&self) -> String {
        self.tag.clone()
    }
}
