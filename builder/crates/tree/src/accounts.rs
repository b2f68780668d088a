//! The guest's accounts, declared instead of made by `adduser`: passwd(5), group(5), shadow(5).

use std::collections::{BTreeMap, BTreeSet};

/// A user of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Numeric id.
    pub uid: u32,
    /// Primary group, by name.
    pub group: String,
    /// Further groups, by name.
    pub groups: Vec<String>,
    /// Home directory, absolute.
    pub home: String,
    /// Login shell, absolute.
    pub shell: String,
    /// Full name or purpose (the GECOS field).
    pub gecos: String,
    /// Whether and how the user may log in.
    pub password: Password,
}

/// The password field of shadow(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Password {
    /// No password is asked for.
    Empty,
    /// No password matches (`*`); other ways in are open.
    None,
    /// The account is locked (`!`).
    Locked,
}

/// A group of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Group name.
    pub name: String,
    /// Numeric id.
    pub gid: u32,
}

/// Why a set of accounts is not consistent.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AccountError {
    /// Two users or two groups share a name or an id.
    #[error("{kind} {name} and {kind} {other} share {shared}; give one of them another")]
    Shared {
        /// `user` or `group`.
        kind: &'static str,
        /// The first one.
        name: String,
        /// The second one.
        other: String,
        /// The shared property: a name or an id.
        shared: String,
    },
    /// A user is in a group that is not declared.
    #[error("user {user} is in group {group}, which no recipe declares; add it to 'accounts'")]
    NoGroup {
        /// The user.
        user: String,
        /// The missing group.
        group: String,
    },
    /// A field holds a colon, a line break or nothing at all.
    #[error("{value:?} cannot stand in passwd(5) or group(5): no colon, no line break, not empty")]
    BadField {
        /// The field's text.
        value: String,
    },
    /// A line is not one of passwd(5) or group(5).
    #[error(
        "{file} of a package has the line {line:?}, which is not made as passwd(5) and group(5) say"
    )]
    BadLine {
        /// The file.
        file: &'static str,
        /// The line.
        line: String,
    },
    /// A file's owner is not declared.
    #[error("{kind} {name:?} is not declared by any recipe; add it to 'accounts'")]
    Unknown {
        /// `user` or `group`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
}

/// A checked set of accounts: names and ids are unique, and every group exists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accounts {
    users: BTreeMap<u32, User>,
    groups: BTreeMap<u32, Group>,
}

impl Accounts {
    /// Checks users and groups against each other.
    ///
    /// # Errors
    /// [`AccountError`] names the two that clash, or the group that is missing.
    pub fn new(users: Vec<User>, groups: Vec<Group>) -> Result<Self, AccountError> {
        let users = unique("user", users, |user| (user.name.clone(), user.uid))?;
        let groups = unique("group", groups, |group| (group.name.clone(), group.gid))?;
        let names: BTreeSet<&str> = groups.values().map(|group| group.name.as_str()).collect();
        for user in users.values() {
            for field in [&user.name, &user.home, &user.shell] {
                check_field(field)?;
            }
            if user.gecos.contains([':', '\n']) {
                return Err(AccountError::BadField { value: user.gecos.clone() });
            }
            for group in std::iter::once(&user.group).chain(&user.groups) {
                if !names.contains(group.as_str()) {
                    let (user, group) = (user.name.clone(), group.clone());
                    return Err(AccountError::NoGroup { user, group });
                }
            }
        }
        groups.values().try_for_each(|group| check_field(&group.name))?;
        Ok(Accounts { users, groups })
    }

    /// The accounts of a package's own passwd(5) and group(5). Passwords are not read: they are in
    /// its shadow(5).
    ///
    /// # Errors
    /// [`AccountError::BadLine`], and what [`Accounts::new`] finds.
    pub fn parse(passwd: &str, group: &str) -> Result<Self, AccountError> {
        let mut groups = Vec::new();
        for line in group.lines().filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, gid, _] = fields.as_slice() else {
                return Err(AccountError::BadLine { file: "etc/group", line: line.to_owned() });
            };
            let gid = gid
                .parse()
                .map_err(|_| AccountError::BadLine { file: "etc/group", line: line.to_owned() })?;
            groups.push(Group { name: (*name).to_owned(), gid });
        }
        let mut users = Vec::new();
        for line in passwd.lines().filter(|line| !line.is_empty()) {
            let bad = || AccountError::BadLine { file: "etc/passwd", line: line.to_owned() };
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, gecos, home, shell] = fields.as_slice() else {
                return Err(bad());
            };
            let gid: u32 = gid.parse().map_err(|_| bad())?;
            let group = groups.iter().find(|group| group.gid == gid);
            let group = group.map_or_else(|| gid.to_string(), |group| group.name.clone());
            users.push(User {
                name: (*name).to_owned(),
                uid: uid.parse().map_err(|_| bad())?,
                group,
                groups: Vec::new(),
                home: (*home).to_owned(),
                shell: (*shell).to_owned(),
                gecos: (*gecos).to_owned(),
                password: Password::None,
            });
        }
        Accounts::new(users, groups)
    }

    /// All that is in passwd(5), group(5) and shadow(5): passwords and further groups, too.
    ///
    /// # Errors
    /// As for [`Accounts::parse`].
    pub fn of_files(passwd: &str, group: &str, shadow: &str) -> Result<Self, AccountError> {
        let mut accounts = Accounts::parse(passwd, group)?;
        for user in accounts.users.values_mut() {
            let lines = group.lines().map(|line| line.split(':').collect::<Vec<_>>());
            let member = |line: &Vec<&str>| {
                line.get(3).is_some_and(|members| members.split(',').any(|m| m == user.name))
            };
            let of = lines.filter(member).filter_map(|line| line.first().map(|g| (*g).to_owned()));
            user.groups = of.collect();
            let mut lines = shadow.lines().map(|line| line.split(':'));
            let field = lines.find_map(|mut line| {
                (line.next() == Some(&user.name)).then(|| line.next().unwrap_or("*"))
            });
            user.password = match field {
                Some("") => Password::Empty,
                Some("*") | None => Password::None,
                Some(_) => Password::Locked,
            };
        }
        Ok(accounts)
    }

    /// These accounts and, besides, those of `users` and `groups` that have another name.
    ///
    /// # Errors
    /// As for [`Accounts::new`].
    pub fn and(&self, users: Vec<User>, groups: Vec<Group>) -> Result<Self, AccountError> {
        let new_user = |user: &User| self.uid(&user.name).is_err();
        let new_group = |group: &Group| self.gid(&group.name).is_err();
        let users = self.users.values().cloned().chain(users.into_iter().filter(new_user));
        let groups = self.groups.values().cloned().chain(groups.into_iter().filter(new_group));
        Accounts::new(users.collect(), groups.collect())
    }

    /// The id of the user `name`.
    ///
    /// # Errors
    /// [`AccountError::Unknown`] where no recipe declares it.
    pub fn uid(&self, name: &str) -> Result<u32, AccountError> {
        let user = self.users.values().find(|user| user.name == name);
        user.map(|user| user.uid)
            .ok_or_else(|| AccountError::Unknown { kind: "user", name: name.to_owned() })
    }

    /// The id of the group `name`.
    ///
    /// # Errors
    /// [`AccountError::Unknown`] where no recipe declares it.
    pub fn gid(&self, name: &str) -> Result<u32, AccountError> {
        let group = self.groups.values().find(|group| group.name == name);
        group
            .map(|group| group.gid)
            .ok_or_else(|| AccountError::Unknown { kind: "group", name: name.to_owned() })
    }

    /// The text of /etc/passwd, by user id.
    pub fn passwd(&self) -> String {
        let line = |user: &User| {
            let gid = self.gid(&user.group).unwrap_or_default();
            let User { name, uid, gecos, home, shell, .. } = user;
            format!("{name}:x:{uid}:{gid}:{gecos}:{home}:{shell}\n")
        };
        self.users.values().map(line).collect()
    }

    /// The text of /etc/group, by group id.
    pub fn group(&self) -> String {
        let line = |group: &Group| {
            let is_member = |user: &&User| user.groups.contains(&group.name);
            let members: Vec<&str> =
                self.users.values().filter(is_member).map(|user| user.name.as_str()).collect();
            format!("{}:x:{}:{}\n", group.name, group.gid, members.join(","))
        };
        self.groups.values().map(line).collect()
    }

    /// The text of /etc/shadow, by user id; passwords never expire.
    pub fn shadow(&self) -> String {
        let line = |user: &User| {
            let field = match user.password {
                Password::Empty => "",
                Password::None => "*",
                Password::Locked => "!",
            };
            format!("{}:{field}:0:0:99999:7:::\n", user.name)
        };
        self.users.values().map(line).collect()
    }
}

fn unique<T>(
    kind: &'static str,
    items: Vec<T>,
    key: impl Fn(&T) -> (String, u32),
) -> Result<BTreeMap<u32, T>, AccountError> {
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    let mut by_id: BTreeMap<u32, T> = BTreeMap::new();
    for item in items {
        let (name, id) = key(&item);
        if let Some(other) = by_id.get(&id) {
            let shared = format!("the id {id}");
            return Err(AccountError::Shared { kind, name, other: key(other).0, shared });
        }
        if names.insert(name.clone(), id).is_some() {
            let other = name.clone();
            return Err(AccountError::Shared { kind, name, other, shared: "a name".into() });
        }
        by_id.insert(id, item);
    }
    Ok(by_id)
}

fn check_field(value: &str) -> Result<(), AccountError> {
    if value.is_empty() || value.contains([':', '\n', ',']) {
        return Err(AccountError::BadField { value: value.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, uid: u32, groups: &[&str]) -> User {
        User {
            name: name.into(),
            uid,
            group: "root".into(),
            groups: groups.iter().map(|&g| g.into()).collect(),
            home: "/root".into(),
            shell: "/bin/sh".into(),
            gecos: String::new(),
            password: if uid == 0 { Password::Empty } else { Password::None },
        }
    }

    fn groups() -> Vec<Group> {
        vec![Group { name: "netdev".into(), gid: 101 }, Group { name: "root".into(), gid: 0 }]
    }

    #[test]
    fn the_three_files() {
        let accounts =
            Accounts::new(vec![user("radvd", 102, &["netdev"]), user("root", 0, &[])], groups())
                .expect("sound accounts");
        assert_eq!(accounts.passwd(), "root:x:0:0::/root:/bin/sh\nradvd:x:102:0::/root:/bin/sh\n");
        assert_eq!(accounts.group(), "root:x:0:\nnetdev:x:101:radvd\n");
        assert_eq!(accounts.shadow(), "root::0:0:99999:7:::\nradvd:*:0:0:99999:7:::\n");
        assert_eq!(accounts.uid("radvd"), Ok(102));
        let (passwd, group, shadow) = (accounts.passwd(), accounts.group(), accounts.shadow());
        assert_eq!(Accounts::of_files(&passwd, &group, &shadow).as_ref(), Ok(&accounts));
        assert!(accounts.gid("mail").is_err());
    }

    #[test]
    fn files_of_packages_are_read_and_added_to() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n";
        let group = "root:x:0:root\nnogroup:x:65533:\nnobody:x:65534:\n";
        let accounts = Accounts::parse(passwd, group).expect("sound files");
        assert_eq!(accounts.passwd(), passwd);
        assert_eq!((accounts.uid("nobody"), accounts.gid("nogroup")), (Ok(65534), Ok(65533)));
        let more =
            accounts.and(vec![user("root", 7, &[]), user("radvd", 102, &["nogroup"])], groups());
        assert_eq!(
            more.expect("no clash").passwd(),
            "root:x:0:0:root:/root:/bin/sh\nradvd:x:102:0::/root:/bin/sh\n\
             nobody:x:65534:65534:nobody:/:/sbin/nologin\n"
        );
        for (passwd, group) in [("root:x:0:0", ""), ("", "root:x:none:"), ("", "root")] {
            assert!(matches!(Accounts::parse(passwd, group), Err(AccountError::BadLine { .. })));
        }
        let no_group = Accounts::parse("a:x:1:7::/:/bin/sh", "");
        assert_eq!(no_group, Err(AccountError::NoGroup { user: "a".into(), group: "7".into() }));
    }

    #[test]
    fn clashes_and_gaps_are_named() {
        let error = Accounts::new(vec![user("a", 1, &[]), user("b", 1, &[])], groups());
        let message = error.expect_err("a clash").to_string();
        assert_eq!(message, "user b and user a share the id 1; give one of them another");
        let error = Accounts::new(vec![user("a", 1, &["wheel"])], groups());
        assert!(matches!(error, Err(AccountError::NoGroup { .. })));
        let error = Accounts::new(vec![user("a:b", 1, &[])], groups());
        assert!(matches!(error, Err(AccountError::BadField { .. })));
    }
}
