//! The guest's accounts as files of the tree: passwd(5), group(5), shadow(5) and gshadow(5).

use std::collections::BTreeSet;

use crate::effect::Effect;
use crate::error::Reason;
use crate::eval::{Machine, Run};

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";
const SHADOW: &str = "/etc/shadow";
const GSHADOW: &str = "/etc/gshadow";

/// The most bytes of a file of accounts.
const SIZE_LIMIT: usize = 1 << 20;

/// A file of accounts: lines of fields.
pub(crate) type Table = Vec<Vec<String>>;

/// A user that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewUser {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub comment: String,
    pub home: String,
    pub shell: String,
    /// The fields of shadow(5) behind the name and the password, joined by colons.
    pub password: String,
    pub ageing: String,
}

impl Machine<'_> {
    /// A file of accounts; `None` where there is none.
    fn table(&mut self, path: &str) -> Run<Option<Table>> {
        let Some(text) = self.read_text(path)? else { return Ok(None) };
        if text.len() > SIZE_LIMIT {
            return self.refuse(Reason::Limit(format!("{path} of more than 1 MiB")));
        }
        self.spend(text.len().saturating_mul(8))?;
        let lines = text.lines().filter(|line| !line.is_empty());
        Ok(Some(lines.map(|line| line.split(':').map(str::to_owned).collect()).collect()))
    }

    fn save(&mut self, path: &str, table: &Table) -> Run<()> {
        let text: String = table.iter().map(|line| line.join(":") + "\n").collect();
        match self.resolve(path, true)? {
            Some(real) => self.put(&real, text),
            None => self.refuse(Reason::Tree(format!("there is no directory for {path}"))),
        }
    }

    /// The users.
    pub(crate) fn users(&mut self) -> Run<Table> {
        match self.table(PASSWD)? {
            Some(table) => Ok(table),
            None => self.unsupported("accounts are asked for, and the tree has no /etc/passwd"),
        }
    }

    /// The groups.
    pub(crate) fn groups(&mut self) -> Run<Table> {
        match self.table(GROUP)? {
            Some(table) => Ok(table),
            None => self.unsupported("groups are asked for, and the tree has no /etc/group"),
        }
    }

    /// The line of a user by name or, where `by_id`, by number.
    pub(crate) fn user(&mut self, key: &str) -> Run<Option<Vec<String>>> {
        Ok(find(&self.users()?, key))
    }

    /// The line of a group by name or number.
    pub(crate) fn group(&mut self, key: &str) -> Run<Option<Vec<String>>> {
        Ok(find(&self.groups()?, key))
    }

    /// The number of a user by name or number.
    pub fn uid(&mut self, key: &str) -> Run<Option<u32>> {
        match key.parse() {
            Ok(uid) => Ok(Some(uid)),
            Err(_) if key == "root" => Ok(Some(0)),
            Err(_) => Ok(self.user(key)?.and_then(|line| number(&line, 2))),
        }
    }

    /// The number of a group by name or number.
    pub fn gid(&mut self, key: &str) -> Run<Option<u32>> {
        match key.parse() {
            Ok(gid) => Ok(Some(gid)),
            Err(_) if key == "root" => Ok(Some(0)),
            Err(_) => Ok(self.group(key)?.and_then(|line| number(&line, 2))),
        }
    }

    /// A user's home directory.
    pub(crate) fn home_of(&mut self, user: &str) -> Run<Option<String>> {
        Ok(self.user(user)?.and_then(|line| line.get(5).cloned()))
    }

    /// Adds a group.
    pub(crate) fn add_group(&mut self, name: &str, gid: u32) -> Run<()> {
        self.check_name(name)?;
        let mut groups = self.groups()?;
        groups.push(vec![name.to_owned(), "x".into(), gid.to_string(), String::new()]);
        self.save(GROUP, &groups)?;
        if let Some(mut table) = self.table(GSHADOW)? {
            table.push(vec![name.to_owned(), "!".into(), String::new(), String::new()]);
            self.save(GSHADOW, &table)?;
        }
        self.effect(Effect::Group { name: name.to_owned(), gid });
        Ok(())
    }

    /// Adds a user.
    pub(crate) fn add_user(&mut self, user: &NewUser) -> Run<()> {
        self.check_name(&user.name)?;
        let NewUser { name, uid, gid, comment, home, shell, password, ageing } = user;
        for field in [comment, home, shell] {
            if field.contains([':', '\n']) {
                return self.unsupported(format!("an account with {field:?}"));
            }
        }
        let mut users = self.users()?;
        let fields = [name, "x", &uid.to_string(), &gid.to_string(), comment, home, shell];
        users.push(fields.iter().map(|field| (*field).to_owned()).collect());
        self.save(PASSWD, &users)?;
        if let Some(mut table) = self.table(SHADOW)? {
            let line = format!("{name}:{password}:{ageing}");
            table.push(line.split(':').map(str::to_owned).collect());
            self.save(SHADOW, &table)?;
        }
        self.effect(Effect::User { name: name.clone(), uid: *uid, gid: *gid });
        Ok(())
    }

    fn check_name(&mut self, name: &str) -> Run<()> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.$".contains(c);
        if name.is_empty() || name.starts_with('-') || !name.chars().all(fits) {
            return self.unsupported(format!("an account of the name {name:?}"));
        }
        Ok(())
    }

    /// Makes a user a member of a group that exists.
    pub(crate) fn add_member(&mut self, user: &str, group: &str) -> Run<()> {
        for (path, field) in [(GROUP, 3), (GSHADOW, 3)] {
            let Some(mut table) = self.table(path)? else { continue };
            let mut changed = false;
            for line in table.iter_mut().filter(|line| line.first().is_some_and(|n| n == group)) {
                let Some(members) = line.get_mut(field) else { continue };
                if members.split(',').any(|member| member == user) {
                    continue;
                }
                if !members.is_empty() {
                    members.push(',');
                }
                members.push_str(user);
                changed = true;
            }
            if changed {
                self.save(path, &table)?;
                self.effect(Effect::Member { user: user.to_owned(), group: group.to_owned() });
            }
        }
        Ok(())
    }

    /// Changes one field of a user's line in passwd(5).
    pub(crate) fn change_user(&mut self, user: &str, field: usize, value: &str) -> Run<()> {
        self.change_line(PASSWD, user, field, value)
    }

    /// Changes a user's password field in shadow(5).
    pub(crate) fn change_password(
        &mut self,
        user: &str,
        change: impl Fn(&str) -> String,
    ) -> Run<()> {
        let Some(table) = self.table(SHADOW)? else { return Ok(()) };
        let old = find(&table, user).and_then(|line| line.get(1).cloned()).unwrap_or_default();
        self.change_line(SHADOW, user, 1, &change(&old))
    }

    fn change_line(&mut self, path: &str, name: &str, field: usize, value: &str) -> Run<()> {
        if value.contains([':', '\n']) {
            return self.unsupported(format!("an account with {value:?}"));
        }
        let Some(mut table) = self.table(path)? else { return Ok(()) };
        let mut changed = false;
        for line in table.iter_mut().filter(|line| line.first().is_some_and(|n| n == name)) {
            if let Some(slot) = line.get_mut(field).filter(|slot| *slot != value) {
                value.clone_into(slot);
                changed = true;
            }
        }
        if changed { self.save(path, &table) } else { Ok(()) }
    }

    /// Takes away a user, also as a member of groups.
    pub(crate) fn remove_user(&mut self, name: &str) -> Run<()> {
        for path in [PASSWD, SHADOW] {
            self.remove_line(path, name)?;
        }
        for path in [GROUP, GSHADOW] {
            let Some(mut table) = self.table(path)? else { continue };
            for line in &mut table {
                if let Some(members) = line.get_mut(3) {
                    let rest: Vec<&str> = members.split(',').filter(|m| *m != name).collect();
                    *members = rest.join(",");
                }
            }
            self.save(path, &table)?;
        }
        Ok(())
    }

    /// Takes away a group.
    pub(crate) fn remove_group(&mut self, name: &str) -> Run<()> {
        self.remove_line(GROUP, name)?;
        self.remove_line(GSHADOW, name)
    }

    fn remove_line(&mut self, path: &str, name: &str) -> Run<()> {
        let Some(mut table) = self.table(path)? else { return Ok(()) };
        let before = table.len();
        table.retain(|line| line.first().is_none_or(|n| n != name));
        if table.len() == before { Ok(()) } else { self.save(path, &table) }
    }
}

fn find(table: &Table, key: &str) -> Option<Vec<String>> {
    let by_name = table.iter().find(|line| line.first().is_some_and(|name| name == key));
    let by_id = || {
        key.parse::<u32>().ok()?;
        table.iter().find(|line| line.get(2).is_some_and(|id| id == key))
    };
    by_name.or_else(by_id).cloned()
}

/// The number in a field of a line.
pub(crate) fn number(line: &[String], field: usize) -> Option<u32> {
    line.get(field)?.parse().ok()
}

/// The numbers that are taken in a table.
pub(crate) fn taken(table: &Table) -> BTreeSet<u32> {
    table.iter().filter_map(|line| number(line, 2)).collect()
}
