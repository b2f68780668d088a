//! What maintainer scripts would do, as the recipe's rules declare it.

use crate::accounts::{self, AccountError, Accounts};
use crate::scripts::{Rule, Script, UnknownScripts, recognise};
use wifibox_ground::path::GuestPath;
use wifibox_recipe::{Directory, Effects, FileText, Group, Recipe, ScriptName, User};

/// The effects of all scripts of a guest's packages together.
#[derive(Debug, Default)]
pub struct Declared {
    /// Users, the recipe's own included.
    pub users: Vec<User>,
    /// Groups, the recipe's own included.
    pub groups: Vec<Group>,
    /// Directories that scripts would make.
    pub directories: Vec<(String, Directory)>,
    /// Links that scripts would make.
    pub links: Vec<(String, GuestPath, String)>,
    /// Files that scripts would write.
    pub files: Vec<(String, GuestPath, FileText)>,
    /// Text that scripts would add to the end of files.
    pub appended: Vec<(String, GuestPath, String)>,
}

/// dpkg's name of a script that runs at installation; `None` for one that does not. `config` only
/// asks questions, but what it asks may matter, so it needs a rule too.
pub fn script_name(name: ScriptName) -> &'static str {
    match name {
        ScriptName::Preinst => "preinst",
        ScriptName::Postinst => "postinst",
        ScriptName::Config => "config",
        ScriptName::PreInstall => "pre-install",
        ScriptName::PostInstall => "post-install",
        ScriptName::Trigger => "trigger",
    }
}

/// Recognises all scripts and adds up what they would do with the recipe's own accounts.
///
/// # Errors
/// [`UnknownScripts`] names every script without a rule.
pub fn declare(recipe: &Recipe, scripts: &[Script]) -> Result<Declared, UnknownScripts> {
    let rules: Vec<Rule<Effects>> = recipe
        .scripts
        .iter()
        .filter_map(|rule| {
            // The recipe was checked when it was read: its globs compile.
            let package = globset::Glob::new(&rule.value.package).ok()?.compile_matcher();
            Some(Rule {
                package,
                script: script_name(rule.value.script).to_owned(),
                known: rule.value.sha256.clone(),
                effect: rule.value.does.clone(),
            })
        })
        .collect();
    let mut declared = Declared {
        users: recipe.users.iter().map(|user| user.value.clone()).collect(),
        groups: recipe.groups.iter().map(|group| group.value.clone()).collect(),
        ..Declared::default()
    };
    for (script, effects) in recognise(scripts, &rules)? {
        let from = format!("{} of {}", script.name, script.package);
        for user in &effects.accounts.users {
            add(&mut declared.users, &user.value);
        }
        for group in &effects.accounts.groups {
            add(&mut declared.groups, &group.value);
        }
        let directories = effects.directories.iter();
        declared.directories.extend(directories.map(|d| (from.clone(), d.value.clone())));
        let links = effects.links.iter();
        declared
            .links
            .extend(links.map(|(path, to)| (from.clone(), path.value.clone(), to.value.clone())));
        let files = effects.files.iter();
        declared.files.extend(
            files.map(|(path, file)| (from.clone(), path.value.clone(), file.value.clone())),
        );
        let appended = effects.append.iter();
        declared.appended.extend(
            appended.map(|(path, text)| (from.clone(), path.value.clone(), text.value.clone())),
        );
    }
    Ok(declared)
}

/// Two scripts that make the same account make it once.
fn add<T: PartialEq + Clone>(list: &mut Vec<T>, item: &T) {
    if !list.contains(item) {
        list.push(item.clone());
    }
}

impl Declared {
    /// The guest's accounts.
    ///
    /// # Errors
    /// [`AccountError`] for a clash or a missing group.
    pub fn accounts(&self) -> Result<Accounts, AccountError> {
        let (users, groups) = self.lists();
        Accounts::new(users, groups)
    }

    /// The declared users and groups.
    pub fn lists(&self) -> (Vec<accounts::User>, Vec<accounts::Group>) {
        let absolute = |path: &GuestPath| path.to_string();
        let user = |user: &User| accounts::User {
            name: user.name.clone(),
            uid: user.uid,
            group: user.group.clone(),
            groups: user.groups.clone(),
            home: absolute(&user.home),
            shell: absolute(&user.shell),
            gecos: user.gecos.clone(),
            password: match user.password {
                wifibox_recipe::Password::Empty => accounts::Password::Empty,
                wifibox_recipe::Password::None => accounts::Password::None,
                wifibox_recipe::Password::Locked => accounts::Password::Locked,
            },
        };
        let group = |group: &Group| accounts::Group { name: group.name.clone(), gid: group.gid };
        (self.users.iter().map(user).collect(), self.groups.iter().map(group).collect())
    }
}
