//! Contradictions that show only in a composed recipe: one id for two names, one path for two
//! things, a service without a script, a package both installed and stood in for.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::catalog::Catalog;
use super::composed::Recipe;
use super::error::{Problem, RecipeError, Texts};
use super::kinds::{AccountsFrom, InitSystem};
use super::located::{At, Origin, Sourced};
use super::project::ProjectGuest;
use super::records::{Group, User};
use super::scripts::ScriptRule;
use wifibox_ground::path::GuestPath;

/// Checks a recipe after all its parts were merged.
///
/// # Errors
/// [`RecipeError::Invalid`] with the places of both sides.
pub(super) fn check(catalog: &Catalog, recipe: &Recipe) -> Result<(), RecipeError> {
    let texts = &catalog.texts;
    accounts(texts, recipe)?;
    paths(texts, recipe)?;
    packages(texts, recipe)?;
    scripts(texts, &recipe.scripts)?;
    runlevels(texts, recipe)?;
    own_paths(texts, recipe)?;
    for service in &recipe.services {
        let script = format!("root/etc/sv/{}", service.value);
        let own = GuestPath::new(format!("etc/sv/{}", service.value));
        if own.is_ok_and(|own| recipe.own.contains_key(&own)) {
            continue;
        }
        let has = |overlay: &Sourced<String>| {
            catalog.overlays.get(&overlay.value).is_some_and(|files| files.contains(&script))
        };
        if !recipe.overlays.iter().any(has) {
            let overlays: Vec<&str> = recipe.overlays.iter().map(|o| o.value.as_str()).collect();
            return Err(RecipeError::invalid(
                Problem::new(format!("no overlay holds {script}, the script of this service"))
                    .at(texts.place(&service.origin))
                    .help(format!("the overlays of this recipe are: {}", overlays.join(", "))),
            ));
        }
    }
    Ok(())
}

/// The files that are made of the recipe's accounts, and of what it is.
const GENERATED: [(&str, &str); 4] = [
    ("/etc/passwd", "declare users under \"accounts\""),
    ("/etc/group", "declare groups under \"accounts\""),
    ("/etc/shadow", "declare users under \"accounts\""),
    ("/etc/os-release", "it says what the guest is made of"),
];
/// Folders that are mounted when a guest starts.
const AT_BOOT: [&str; 5] = ["dev", "proc", "run", "sys", "tmp"];

/// The user's own files must be seen in the guest.
fn own_paths(texts: &Texts, recipe: &Recipe) -> Result<(), RecipeError> {
    for (path, own) in &recipe.own {
        let refuse = |what: String, help: &str| {
            let problem = Problem::new(what).at(texts.place(&own.origin)).help(help);
            Err(RecipeError::invalid(problem))
        };
        let text = path.to_string();
        let generated = recipe.accounts_from.value == AccountsFrom::Recipes;
        if let Some((_, help)) = GENERATED.iter().find(|(name, _)| *name == text && generated) {
            return refuse(format!("{path} is made by the builder"), help);
        }
        let below = |folder: &str| text.strip_prefix(folder).is_some_and(|r| r.starts_with('/'));
        if let Some(folder) = AT_BOOT.iter().find(|folder| below(&format!("/{folder}"))) {
            let what = format!("{path} would not be seen: /{folder} is made when the guest starts");
            return refuse(what, "let a service make it there");
        }
        let shared = recipe.shares.iter().find(|share| below(&share.value.path.to_string()));
        if let Some(share) = shared {
            let what = format!(
                "{path} would not be seen: {} is the share \"{}\" of the host",
                share.value.path, share.value.tag
            );
            return refuse(what, "what the host is to start from goes under \"samples\"");
        }
    }
    Ok(())
}

/// A project's services need the guest's own init system; elsewhere they would be passed over.
///
/// # Errors
/// [`RecipeError::Invalid`] with the first one that nothing would start.
pub(super) fn own_services(
    texts: &Texts,
    recipe: &Recipe,
    guest: Option<&ProjectGuest>,
) -> Result<(), RecipeError> {
    let help = match recipe.init_system.value {
        InitSystem::Supervised => return Ok(()),
        InitSystem::Openrc => "put it into a runlevel: runlevels: { default: [NAME] }",
        InitSystem::Procd => "an etc/init.d/NAME among your files is enabled without being named",
    };
    let Some(guest) = guest else { return Ok(()) };
    let own = |service: &&Sourced<String>| service.origin.file == guest.place().file;
    let Some(service) = recipe.services.iter().find(own) else { return Ok(()) };
    Err(RecipeError::invalid(
        Problem::new(format!(
            "nothing would start the service {}: {} has an init system of its own",
            service.value, recipe.base.value
        ))
        .at(texts.place(&service.origin))
        .help(help),
    ))
}

/// Only OpenRC has runlevels, and only procd enables what packages bring.
fn runlevels(texts: &Texts, recipe: &Recipe) -> Result<(), RecipeError> {
    let off = recipe.services_off.first();
    if let Some(service) = off.filter(|_| recipe.init_system.value != InitSystem::Procd) {
        return Err(RecipeError::invalid(
            Problem::new(format!("the service {} is switched off, without procd", service.value))
                .at(texts.place(&service.origin))
                .also(
                    "the guest is started in another way",
                    texts.place(&recipe.init_system.origin),
                )
                .help("put it under 'on' of a base with 'init_system: procd'"),
        ));
    }
    let first = recipe.runlevels.values().flatten().next();
    let Some(service) = first.filter(|_| recipe.init_system.value != InitSystem::Openrc) else {
        return Ok(());
    };
    Err(RecipeError::invalid(
        Problem::new(format!("the service {} is in a runlevel, without OpenRC", service.value))
            .at(texts.place(&service.origin))
            .also("the guest is started in another way", texts.place(&recipe.init_system.origin))
            .help("put it under 'on' of a base with 'init_system: openrc'"),
    ))
}

/// Remembers who claimed what first.
struct Claims<'a, K, V> {
    texts: &'a Texts,
    claimed: BTreeMap<K, (V, Origin)>,
}

impl<'a, K: Ord + Clone + Display, V: PartialEq + Display> Claims<'a, K, V> {
    fn new(texts: &'a Texts) -> Self {
        Claims { texts, claimed: BTreeMap::new() }
    }

    fn claim(&mut self, what: &str, key: K, value: V, origin: &Origin) -> Result<(), RecipeError> {
        match self.claimed.get(&key) {
            Some((first, _)) if *first == value => {}
            Some((first, where_first)) => {
                return Err(RecipeError::invalid(
                    Problem::new(format!("{what} {key} is both {first} and {value}"))
                        .at(self.texts.place(origin))
                        .also(format!("it is {first} here"), self.texts.place(where_first)),
                ));
            }
            None => {
                self.claimed.insert(key, (value, origin.clone()));
            }
        }
        Ok(())
    }
}

fn accounts(texts: &Texts, recipe: &Recipe) -> Result<(), RecipeError> {
    let mut users: Vec<(&User, Origin)> =
        recipe.users.iter().map(|user| (&user.value, user.origin.clone())).collect();
    let mut groups: Vec<(&Group, Origin)> =
        recipe.groups.iter().map(|group| (&group.value, group.origin.clone())).collect();
    for rule in &recipe.scripts {
        let made = &rule.value.does.accounts;
        let file = &rule.origin.file;
        users.extend(made.users.iter().map(|user| (&user.value, user.origin(file))));
        groups.extend(made.groups.iter().map(|group| (&group.value, group.origin(file))));
    }
    let mut gids = Claims::new(texts);
    let mut names = Claims::new(texts);
    for (group, origin) in &groups {
        gids.claim("gid", group.gid, group.name.as_str(), origin)?;
        names.claim("group", group.name.as_str(), group.gid, origin)?;
    }
    let known: Vec<&str> = groups.iter().map(|(group, _)| group.name.as_str()).collect();
    let (mut uids, mut names) = (Claims::new(texts), Claims::new(texts));
    for (user, origin) in &users {
        uids.claim("uid", user.uid, user.name.as_str(), origin)?;
        names.claim("user", user.name.as_str(), user.uid, origin)?;
        let from_recipes = recipe.accounts_from.value == AccountsFrom::Recipes;
        for group in std::iter::once(&user.group).chain(&user.groups).filter(|_| from_recipes) {
            needed(texts, "group", group, &known, origin)?;
        }
    }
    let users: Vec<&str> = users.iter().map(|(user, _)| user.name.as_str()).collect();
    if recipe.accounts_from.value == AccountsFrom::Packages {
        // Who else there is shows when the packages are read.
        return Ok(());
    }
    for directory in &recipe.directories {
        needed(texts, "user", &directory.value.user, &users, &directory.origin)?;
        needed(texts, "group", &directory.value.group, &known, &directory.origin)?;
    }
    for rule in &recipe.scripts {
        for directory in &rule.value.does.directories {
            let origin = directory.origin(&rule.origin.file);
            needed(texts, "user", &directory.value.user, &users, &origin)?;
            needed(texts, "group", &directory.value.group, &known, &origin)?;
        }
    }
    Ok(())
}

fn needed(
    texts: &Texts,
    what: &str,
    name: &str,
    known: &[&str],
    origin: &Origin,
) -> Result<(), RecipeError> {
    if known.contains(&name) {
        return Ok(());
    }
    Err(RecipeError::invalid(
        Problem::new(format!("the {what} \"{name}\" is not declared"))
            .at(texts.place(origin))
            .expected(name, known.iter().copied()),
    ))
}

fn paths(texts: &Texts, recipe: &Recipe) -> Result<(), RecipeError> {
    let mut kinds: Claims<'_, GuestPath, String> = Claims::new(texts);
    for directory in &recipe.directories {
        let path = directory.value.path.clone();
        kinds.claim("the path", path, "a directory".to_owned(), &directory.origin)?;
    }
    for (path, link) in &recipe.links {
        let target = format!("a link to {}", link.value);
        kinds.claim("the path", path.clone(), target, &link.origin)?;
    }
    for (path, file) in &recipe.files {
        kinds.claim("the path", path.clone(), "a file".to_owned(), &file.origin)?;
    }
    let mut mounts = Claims::new(texts);
    for share in &recipe.shares {
        let tag = format!("the mount point of {}", share.value.tag);
        mounts.claim("the path", share.value.path.clone(), tag, &share.origin)?;
    }
    Ok(())
}

fn packages(texts: &Texts, recipe: &Recipe) -> Result<(), RecipeError> {
    // A kernel of another base has stand-ins of its own.
    let package = recipe.kernel.from.is_none().then_some(&recipe.kernel.package);
    for request in recipe.packages.iter().chain(&recipe.firmware_packages).chain(package) {
        let end = |c: char| c.is_whitespace() || "<>=~!@(|:".contains(c);
        let name = request.value.split(end).next().unwrap_or_default();
        if let Some(stand_in) = recipe.stand_ins.get(name) {
            return Err(RecipeError::invalid(
                Problem::new(format!("the package {name} is both installed and stood in for"))
                    .at(texts.place(&request.origin))
                    .also("it is stood in for here", texts.place(&stand_in.origin)),
            ));
        }
    }
    Ok(())
}

fn scripts(texts: &Texts, rules: &[Sourced<ScriptRule>]) -> Result<(), RecipeError> {
    let mut links = Claims::new(texts);
    for rule in rules {
        if rule.value.package.is_empty() {
            return Err(RecipeError::invalid(
                Problem::new("a rule for a script needs the name of a package")
                    .at(texts.place(&rule.origin)),
            ));
        }
        for (path, target) in rule.value.does.links.iter() {
            let At { value: path, line, column } = path.clone();
            let origin = Origin { file: rule.origin.file.clone(), line, column };
            // Scripts of different packages may make one link, but not two of one path.
            links.claim("the link", path, target.value.clone(), &origin)?;
        }
    }
    Ok(())
}
