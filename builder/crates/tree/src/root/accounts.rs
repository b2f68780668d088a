//! Accounts of a guest whose packages bring them: etc/passwd, etc/group and etc/shadow stay as they
//! are, and what recipes and scripts add is added to them.

use std::io::Read as _;

use super::Error;
use super::effects::Declared;
use crate::Context;
use crate::Tree;
use crate::accounts::Accounts;
use crate::packages::ChosenPackage;
use crate::packages::read_data;
use crate::{read_file, write_file};
use wifibox_ground::content::ReadBack;
use wifibox_ground::entry::EntryKind;

/// Account files larger than this are none.
const SIZE_LIMIT: u64 = 1 << 20;

/// The accounts of a guest.
pub struct GuestAccounts {
    /// All of them.
    pub all: Accounts,
    /// Those of packages, and the package that brings them; `None` where recipes declare all.
    pub packaged: Option<(String, Accounts)>,
}

/// Reads the accounts that a package brings, and adds those that are declared besides.
///
/// # Errors
/// [`Error::NoAccounts`] where no package brings any; [`Error::Accounts`].
pub fn of_packages(
    packages: &[ChosenPackage],
    declared: &Declared,
    context: &Context<'_>,
) -> Result<GuestAccounts, Error> {
    for package in packages.iter().filter(|package| !package.of_kernel) {
        let (mut passwd, mut group) = (None, None);
        read_data(package, context, &mut |entry| {
            let slot = match entry.path.as_bytes() {
                b"etc/passwd" => &mut passwd,
                b"etc/group" => &mut group,
                _ => return Ok::<(), Error>(()),
            };
            if let EntryKind::File { content, .. } = entry.kind {
                let mut bytes = Vec::new();
                let what = format!("{} of package {}", entry.path, package.name);
                let read = content.take(SIZE_LIMIT).read_to_end(&mut bytes);
                read.map_err(|source| ReadBack { what, source })?;
                *slot = Some(String::from_utf8_lossy(&bytes).into_owned());
            }
            Ok(())
        })?;
        if let (Some(passwd), Some(group)) = (passwd, group) {
            let packaged = Accounts::parse(&passwd, &group)?;
            let (users, groups) = declared.lists();
            let all = packaged.and(users, groups)?;
            return Ok(GuestAccounts { all, packaged: Some((package.name.clone(), packaged)) });
        }
    }
    Err(Error::NoAccounts)
}

/// Adds the accounts that no package brought to the files that packages brought.
///
/// # Errors
/// [`Error`]: a file cannot be read or put.
pub fn add_to_files(accounts: &GuestAccounts, tree: &mut Tree) -> Result<(), Error> {
    let Some((_, packaged)) = &accounts.packaged else { return Ok(()) };
    let all = &accounts.all;
    let files = [
        ("etc/passwd", all.passwd(), packaged.passwd(), 0o644),
        ("etc/group", all.group(), packaged.group(), 0o644),
        ("etc/shadow", all.shadow(), packaged.shadow(), 0o640),
    ];
    for (path, all, packaged, mode) in files {
        let name = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
        let there: Vec<String> = packaged.lines().map(name).collect();
        let new: String = all
            .lines()
            .filter(|line| !there.contains(&name(line)))
            .map(|line| format!("{line}\n"))
            .collect();
        if !new.is_empty() {
            let mut text = read_file(tree, path)?.unwrap_or_default();
            text.extend_from_slice(new.as_bytes());
            write_file(tree, path, text, mode)?;
        }
    }
    Ok(())
}
