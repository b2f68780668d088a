//! Accounts of a guest: from recipes, or of packages that bring etc/passwd, etc/group and etc/shadow,
//! to which what recipes and scripts add is added.

use std::io::Read as _;

use super::Error;
use super::effects::Declared;
use crate::Context;
use crate::Tree;
use crate::accounts::Accounts;
use crate::packages::ChosenPackage;
use crate::packages::read_data;
use crate::place::read_file;
use crate::write_file;
use wifibox_ground::content::ReadBack;
use wifibox_ground::entry::EntryKind;

/// The most bytes that are read of an account file.
const SIZE_LIMIT: u64 = 1 << 20;

/// The accounts of a guest.
pub(crate) struct GuestAccounts {
    /// All of them.
    pub all: Accounts,
    /// The package that brings the first ones, and what it brings; `None` where recipes declare all.
    pub packaged: Option<Packaged>,
    /// The files passwd, group and shadow with all of them, as scripts are to see or have made them.
    pub texts: [String; 3],
}

/// Accounts that a package brings.
pub struct Packaged {
    /// The package.
    pub package: String,
    /// The accounts.
    accounts: Accounts,
    /// Whether scripts changed the files.
    changed: bool,
}

/// The accounts that recipes declare.
///
/// # Errors
/// [`Error::Accounts`].
pub(crate) fn of_recipes(declared: &Declared) -> Result<GuestAccounts, Error> {
    let all = declared.accounts()?;
    let texts = [all.passwd(), all.group(), all.shadow()];
    Ok(GuestAccounts { all, packaged: None, texts })
}

/// Reads the accounts that a package brings, and adds those that are declared besides.
///
/// # Errors
/// [`Error::NoAccounts`] where no package brings any; [`Error::Accounts`].
pub(crate) fn of_packages(
    packages: &[ChosenPackage],
    declared: &Declared,
    context: &Context<'_>,
) -> Result<GuestAccounts, Error> {
    for package in packages.iter().filter(|package| !package.of_kernel) {
        let (mut passwd, mut group, mut shadow) = (None, None, None);
        read_data(package, context, &mut |entry| {
            let slot = match entry.path.as_bytes() {
                b"etc/passwd" => &mut passwd,
                b"etc/group" => &mut group,
                b"etc/shadow" => &mut shadow,
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
            let accounts = Accounts::parse(&passwd, &group)?;
            let (users, groups) = declared.lists();
            let all = accounts.and(users, groups)?;
            let texts = [
                passwd + &added(&all.passwd(), &accounts.passwd()),
                group + &added(&all.group(), &accounts.group()),
                shadow.unwrap_or_default() + &added(&all.shadow(), &accounts.shadow()),
            ];
            let package = package.name.clone();
            let packaged = Some(Packaged { package, accounts, changed: false });
            return Ok(GuestAccounts { all, packaged, texts });
        }
    }
    Err(Error::NoAccounts)
}

impl GuestAccounts {
    /// The accounts after scripts have made the files what `texts` says.
    ///
    /// # Errors
    /// [`Error::Accounts`]: they do not fit together any more.
    pub fn after(self, texts: Option<[String; 3]>) -> Result<GuestAccounts, Error> {
        let Some(texts) = texts else { return Ok(self) };
        let [passwd, group, shadow] = &texts;
        let all = Accounts::of_files(passwd, group, shadow)?;
        let packaged = self.packaged.map(|packaged| Packaged { changed: true, ..packaged });
        Ok(GuestAccounts { all, packaged, texts })
    }
}

/// The lines of `all` whose names are not in `known`.
fn added(all: &str, known: &str) -> String {
    let name = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    let there: Vec<String> = known.lines().map(name).collect();
    let new = all.lines().filter(|line| !there.contains(&name(line)));
    new.map(|line| format!("{line}\n")).collect()
}

/// Adds the accounts that no package brought to the files that packages brought.
///
/// # Errors
/// [`Error`]: a file cannot be read or put.
pub(crate) fn add_to_files(accounts: &GuestAccounts, tree: &mut Tree) -> Result<(), Error> {
    let Some(packaged) = &accounts.packaged else { return Ok(()) };
    let (all, known) = (&accounts.all, &packaged.accounts);
    let [passwd, group, shadow] = &accounts.texts;
    let files = [
        ("etc/passwd", added(&all.passwd(), &known.passwd()), passwd, 0o644),
        ("etc/group", added(&all.group(), &known.group()), group, 0o644),
        ("etc/shadow", added(&all.shadow(), &known.shadow()), shadow, 0o640),
    ];
    for (path, new, whole, mode) in files {
        if packaged.changed {
            write_file(tree, path, whole.as_str(), mode)?;
        } else if !new.is_empty() {
            let mut text = read_file(tree, path)?.unwrap_or_default();
            text.extend_from_slice(new.as_bytes());
            write_file(tree, path, text, mode)?;
        }
    }
    Ok(())
}
