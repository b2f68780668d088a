//! The effects of maintainer scripts, as far as the recipe's rules declare them.

use crate::accounts::{self, AccountError, Accounts};
use crate::packages::Control;
use crate::scripts::{Known, Rule, Script, ScriptReport, ScriptState, fingerprint, look_up};
use wifibox_ground::path::GuestPath;
use wifibox_recipe::{Directory, Effects, FileText, Group, Recipe, ScriptName, ScriptRule, User};

/// The effects of all scripts of a guest's packages together.
#[derive(Debug, Default)]
pub(crate) struct Declared {
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

/// The verdict of the rules on a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'r> {
    /// It does nothing on a fresh system.
    Empty,
    /// A rule declares its effects, for this reason.
    Rule(&'r str),
    /// No rule applies: it has to be evaluated.
    Unknown {
        /// Whether a rule names this package and script, but with other hashes.
        changed: bool,
    },
}

impl Verdict<'_> {
    /// The manifest's entry for a script that is not evaluated; `None` for one that is.
    pub fn report(&self, script: &Script) -> Option<ScriptReport> {
        let (state, why) = match self {
            Verdict::Empty => (ScriptState::Empty, None),
            Verdict::Rule(why) => (ScriptState::ByRule, Some((*why).to_owned())),
            Verdict::Unknown { .. } => return None,
        };
        let (package, name) = (script.package.clone(), script.name.clone());
        let (sha256, effects) = (fingerprint(script), Vec::new());
        Some(ScriptReport { package, script: name, sha256, state, why, effects })
    }
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

/// Adds up what the rules' scripts would do with the recipe's own accounts, and says of each script of
/// `controls` what the rules say.
pub fn declare<'r>(recipe: &'r Recipe, controls: &[Control]) -> (Declared, Vec<Vec<Verdict<'r>>>) {
    let rules: Vec<Rule<&ScriptRule>> = recipe
        .scripts
        .iter()
        .filter_map(|rule| {
            // The recipe was checked when it was read: its globs compile.
            let package = globset::Glob::new(&rule.value.package).ok()?.compile_matcher();
            Some(Rule {
                package,
                script: script_name(rule.value.script).to_owned(),
                known: rule.value.sha256.clone(),
                effect: &rule.value,
            })
        })
        .collect();
    let mut declared = Declared {
        users: recipe.users.iter().map(|user| user.value.clone()).collect(),
        groups: recipe.groups.iter().map(|group| group.value.clone()).collect(),
        ..Declared::default()
    };
    let mut verdict = |script: &Script| match look_up(script, &rules) {
        Known::Empty => Verdict::Empty,
        Known::Unknown { changed } => Verdict::Unknown { changed },
        Known::Rule(rule) => {
            declared.add(&format!("{} of {}", script.name, script.package), &rule.does);
            Verdict::Rule(&rule.why)
        }
    };
    let verdicts =
        controls.iter().map(|control| control.scripts.iter().map(&mut verdict).collect());
    let verdicts = verdicts.collect();
    (declared, verdicts)
}

/// Two scripts that make the same account make it once.
fn add<T: PartialEq + Clone>(list: &mut Vec<T>, item: &T) {
    if !list.contains(item) {
        list.push(item.clone());
    }
}

impl Declared {
    /// Adds what the script `from` does.
    fn add(&mut self, from: &str, effects: &Effects) {
        for user in &effects.accounts.users {
            add(&mut self.users, &user.value);
        }
        for group in &effects.accounts.groups {
            add(&mut self.groups, &group.value);
        }
        let own = || from.to_owned();
        let directories = effects.directories.iter();
        self.directories.extend(directories.map(|d| (own(), d.value.clone())));
        let links = effects.links.iter();
        self.links.extend(links.map(|(path, to)| (own(), path.value.clone(), to.value.clone())));
        let files = effects.files.iter();
        self.files.extend(files.map(|(path, f)| (own(), path.value.clone(), f.value.clone())));
        let texts = effects.append.iter();
        self.appended.extend(texts.map(|(path, t)| (own(), path.value.clone(), t.value.clone())));
    }

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
