//! The users and groups that packages require, as OpenWrt's `add_group_and_user` makes them.
//!
//! A package says `user=uid:group=gid:more=gid,groups` (`Require-User` of an `.ipk`, `NAME.rusers` in
//! later releases). What is there already stays as it is; ids that are not given are the first free
//! ones from 32768 on. The order in which packages are gone through decides those ids: it is that of
//! the names of their script files ([`PackageFacts::order`]), as the image builder's shell lists them.
//!
//! One difference: OpenWrt looks for a member by a search in the text of its group, so that a user
//! `dns` is not added to a group that has `dnsmasq`. Here names are compared whole.

use std::collections::BTreeSet;

use super::{OpenWrtError, PackageFacts, guest, read_text, write_text};
use crate::Tree;

/// The first id that is given where a package asks for none.
const FIRST_FREE: u32 = 32768;

/// The users and groups that were added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountsAdded {
    /// Users: name and id.
    pub users: Vec<(String, u32)>,
    /// Groups: name and id.
    pub groups: Vec<(String, u32)>,
}

/// A requirement: a user, its group and further groups, with the ids that are given.
#[derive(Debug, PartialEq, Eq)]
struct Required<'a> {
    user: Option<Named<'a>>,
    group: Option<Named<'a>>,
    more: Vec<Named<'a>>,
}

/// `name=id` or `name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Named<'a> {
    name: &'a str,
    id: Option<u32>,
}

/// Adds the accounts that `packages` require to `/etc/passwd`, `/etc/group` and `/etc/shadow`.
///
/// # Errors
/// [`OpenWrtError::Account`] for a requirement that cannot be read, [`OpenWrtError::NoBase`] where
/// the files are missing.
pub fn add(tree: &mut Tree, packages: &[PackageFacts]) -> Result<AccountsAdded, OpenWrtError> {
    let mut sorted: Vec<&PackageFacts> = packages.iter().filter(|p| !p.users.is_empty()).collect();
    if sorted.is_empty() {
        return Ok(AccountsAdded::default());
    }
    sorted.sort_by(|a, b| a.order.cmp(&b.order));
    let mut files = Files::read(tree)?;
    let mut added = AccountsAdded::default();
    for package in sorted {
        for text in &package.users {
            let required = parse(text).map_err(|why| OpenWrtError::Account {
                package: package.name.clone(),
                text: text.clone(),
                why,
            })?;
            files.require(&required, &mut added);
        }
    }
    files.write(tree)?;
    Ok(added)
}

fn parse(text: &str) -> Result<Required<'_>, &'static str> {
    let mut parts = text.split(':');
    let mut next = || parts.next().unwrap_or_default();
    let (user, group, more) = (next(), next(), next());
    if parts.next().is_some() {
        return Err("it has more than three parts");
    }
    let more = more.split(',').map(named).collect::<Result<Vec<_>, _>>()?;
    let required = Required {
        user: named(user)?,
        group: named(group)?,
        more: more.into_iter().flatten().collect(),
    };
    if required.user.is_none() && required.group.is_none() {
        return Err("it names neither a user nor a group");
    }
    Ok(required)
}

fn named(text: &str) -> Result<Option<Named<'_>>, &'static str> {
    let (name, id) = match text.split_once('=') {
        Some((name, id)) => (name, Some(id.parse().map_err(|_| "its id is not a number")?)),
        None => (text, None),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.chars().all(allowed) {
        return Err("a name may hold letters, digits, '_', '-' and '.'");
    }
    if name.is_empty() && id.is_some() {
        return Err("an id has no name");
    }
    Ok((!name.is_empty()).then_some(Named { name, id }))
}

/// The lines of the three files.
struct Files {
    passwd: Vec<String>,
    group: Vec<String>,
    shadow: Vec<String>,
}

const PATHS: [&str; 3] = ["etc/passwd", "etc/group", "etc/shadow"];

impl Files {
    fn read(tree: &Tree) -> Result<Self, OpenWrtError> {
        let read = |path: &str| {
            let path = guest(path)?;
            let text = read_text(tree, &path)?;
            let text = text.ok_or(OpenWrtError::NoBase { path, package: "base-files" })?;
            Ok::<_, OpenWrtError>(text.lines().map(str::to_owned).collect())
        };
        let [passwd, group, shadow] = PATHS;
        Ok(Files { passwd: read(passwd)?, group: read(group)?, shadow: read(shadow)? })
    }

    fn write(self, tree: &mut Tree) -> Result<(), OpenWrtError> {
        for (path, lines) in PATHS.into_iter().zip([self.passwd, self.group, self.shadow]) {
            let text = lines.iter().map(|line| format!("{line}\n")).collect();
            write_text(tree, &guest(path)?, text)?;
        }
        Ok(())
    }

    fn require(&mut self, required: &Required<'_>, added: &mut AccountsAdded) {
        let mut gid = required.group.and_then(|group| group.id);
        if let Some(group) = required.group {
            let actual = self.add_group(group, added);
            gid = gid.or(Some(actual));
        }
        let Some(user) = required.user else { return };
        if !self.passwd.iter().any(|line| field(line, 0) == user.name) {
            let uid = user.id.unwrap_or_else(|| free(&self.passwd));
            let (name, gid) = (user.name, gid.unwrap_or(uid));
            self.passwd.push(format!("{name}:x:{uid}:{gid}:{name}:/var/run/{name}:/bin/false"));
            self.shadow.push(format!("{name}:x:0:0:99999:7:::"));
            added.users.push((name.to_owned(), uid));
        }
        for group in required.group.into_iter().chain(required.more.iter().copied()) {
            self.add_group(group, added);
            self.add_member(group.name, user.name);
        }
    }

    /// The id of the group, which is added if there is none of this name.
    fn add_group(&mut self, group: Named<'_>, added: &mut AccountsAdded) -> u32 {
        if let Some(line) = self.group.iter().find(|line| field(line, 0) == group.name) {
            return field(line, 2).parse().unwrap_or_default();
        }
        let gid = group.id.unwrap_or_else(|| free(&self.group));
        self.group.push(format!("{}:x:{gid}:", group.name));
        added.groups.push((group.name.to_owned(), gid));
        gid
    }

    fn add_member(&mut self, group: &str, user: &str) {
        let Some(line) = self.group.iter_mut().find(|line| field(line, 0) == group) else { return };
        let members = field(line, 3);
        if members.split(',').any(|member| member == user) {
            return;
        }
        let comma = if members.is_empty() { "" } else { "," };
        line.push_str(&format!("{comma}{user}"));
    }
}

/// A field of a line of passwd(5) or group(5), from 0.
fn field(line: &str, at: usize) -> &str {
    line.split(':').nth(at).unwrap_or_default()
}

/// The first id from [`FIRST_FREE`] on that no line has.
fn free(lines: &[String]) -> u32 {
    let taken: BTreeSet<&str> = lines.iter().map(|line| field(line, 2)).collect();
    let mut ids = FIRST_FREE..;
    ids.find(|id| !taken.contains(&*id.to_string())).unwrap_or(FIRST_FREE)
}
