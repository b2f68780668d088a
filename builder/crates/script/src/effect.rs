//! The effects of a script on the tree, and their wording in reports.

use std::fmt;

/// One effect of a script.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// A file is written.
    Writes(String),
    /// A directory is made.
    Directory(String),
    /// A symbolic link is made.
    Link {
        /// Where it is.
        path: String,
        /// Where it leads, as written.
        target: String,
    },
    /// Something is removed.
    Removes(String),
    /// Something is moved.
    Moves {
        /// From where.
        from: String,
        /// To where.
        to: String,
    },
    /// Permissions change.
    Mode {
        /// The path.
        path: String,
        /// The new permission bits.
        mode: u16,
    },
    /// The owner changes.
    Owner {
        /// The path.
        path: String,
        /// The new owner.
        uid: u32,
        /// The new group.
        gid: u32,
    },
    /// A user is made.
    User {
        /// Its name.
        name: String,
        /// Its id.
        uid: u32,
        /// The id of its group.
        gid: u32,
    },
    /// A group is made.
    Group {
        /// Its name.
        name: String,
        /// Its id.
        gid: u32,
    },
    /// A user becomes a member of a group.
    Member {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
    /// A command changes nothing in the guest.
    Nothing {
        /// The command, expanded.
        command: String,
        /// Why.
        why: &'static str,
    },
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::Writes(path) => write!(f, "writes {path}"),
            Effect::Directory(path) => write!(f, "makes the directory {path}"),
            Effect::Link { path, target } => write!(f, "links {path} to {target}"),
            Effect::Removes(path) => write!(f, "removes {path}"),
            Effect::Moves { from, to } => write!(f, "moves {from} to {to}"),
            Effect::Mode { path, mode } => write!(f, "gives {path} the mode {mode:04o}"),
            Effect::Owner { path, uid, gid } => write!(f, "gives {path} to {uid}:{gid}"),
            Effect::User { name, uid, gid } => write!(f, "makes the user {name} ({uid}:{gid})"),
            Effect::Group { name, gid } => write!(f, "makes the group {name} ({gid})"),
            Effect::Member { user, group } => write!(f, "adds {user} to the group {group}"),
            Effect::Nothing { command, why } => {
                write!(f, "leaves out \"{}\": {why}", command.replace('\n', " "))
            }
        }
    }
}
