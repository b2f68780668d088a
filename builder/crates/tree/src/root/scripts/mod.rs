//! Maintainer scripts over a root in memory: unpacked and run in the order in which dpkg, apk and
//! OpenWrt's image builder would on a fresh root, with what these give scripts.
//!
//! A script that a rule of the recipes knows is left out: the rule says what it does
//! (`super::effects`). Packages of another base, which only the kernel is taken from, have a root of
//! their own.

mod carry;
mod files;
mod kernel;
mod order;
mod stage;

use std::collections::BTreeMap;

use wifibox_recipe::{Format, Recipe};
use wifibox_script::{Ecosystem, Installed, World, understand};

use super::Error;
use super::effects::Verdict;
use crate::packages::{ChosenPackage, Control, read_data};
use crate::scripts::{
    Script, ScriptReport, ScriptState, UnknownScript, UnknownScripts, fingerprint,
};
use crate::{Context, Kind, Origin};
use wifibox_ground::content::{Content, ReadBack};

pub use carry::carry;
pub(crate) use stage::ACCOUNTS;
pub use stage::{Stage, Touch};

/// The input for evaluating scripts.
pub(crate) struct Job<'a> {
    /// The composition.
    pub recipe: &'a Recipe,
    /// The guest's packages.
    pub packages: &'a [ChosenPackage],
    /// Their metadata, in the same order.
    pub controls: &'a [Control],
    /// The verdict of the rules on each of their scripts.
    pub verdicts: &'a [Vec<Verdict<'a>>],
    /// The account files as packages and recipes make them: passwd, group, shadow.
    pub accounts: &'a [String; 3],
    /// Work and caches on the build machine.
    pub context: &'a Context<'a>,
}

/// The result of evaluating scripts.
pub struct Outcome {
    /// A report on every script, by package.
    pub reports: Vec<ScriptReport>,
    /// The roots that they changed.
    pub stages: Vec<Stage>,
}

impl Outcome {
    /// The guest's account files, where scripts changed one.
    pub fn accounts(&self) -> Option<[String; 3]> {
        // Accounts that a kernel of another base would make are none of the guest's.
        self.stages.first().and_then(Stage::accounts)
    }
}

/// Evaluates all scripts that no rule knows.
///
/// # Errors
/// [`Error::Scripts`] names each that is not understood; a package is damaged.
pub fn run(job: &Job<'_>) -> Result<Outcome, Error> {
    let mut outcome = Outcome { reports: Vec::new(), stages: Vec::new() };
    let mut unknown = Vec::new();
    for of_kernel in [false, true] {
        let chosen: Vec<usize> = (0..job.packages.len())
            .filter(|place| job.packages.get(*place).is_some_and(|p| p.of_kernel == of_kernel))
            .collect();
        let mut installation = Installation::new(job, of_kernel, &chosen);
        if installation.is_needed(&chosen) {
            installation.world.kernel = kernel::release(job)?;
            let order = order::of_installation(job.packages, job.controls, &chosen);
            installation.install(&order)?;
        }
        unknown.append(&mut installation.unknown);
        outcome.reports.append(&mut installation.reports);
        outcome.stages.push(installation.stage);
    }
    if !unknown.is_empty() {
        return Err(UnknownScripts(unknown).into());
    }
    for (verdicts, control) in job.verdicts.iter().zip(job.controls) {
        for (verdict, script) in verdicts.iter().zip(&control.scripts) {
            outcome.reports.extend(verdict.report(script));
        }
    }
    let key = |report: &ScriptReport| (report.package.clone(), report.script.clone());
    outcome.reports.sort_by_key(key);
    Ok(outcome)
}

/// When a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Before,
    After,
    Trigger,
}

fn phase(script: &Script) -> Phase {
    match script.name.as_str() {
        "preinst" | "pre-install" => Phase::Before,
        "trigger" => Phase::Trigger,
        _ => Phase::After,
    }
}

/// An installation onto one root.
struct Installation<'a> {
    job: &'a Job<'a>,
    format: Format,
    stage: Stage,
    world: World,
    reports: Vec<ScriptReport>,
    unknown: Vec<UnknownScript>,
}

impl<'a> Installation<'a> {
    fn new(job: &'a Job<'a>, of_kernel: bool, chosen: &[usize]) -> Self {
        let recipe = job.recipe;
        let first = chosen.first().and_then(|place| job.packages.get(*place));
        let format = first.map_or(recipe.format.value, |package| package.format);
        let ecosystem = match format {
            Format::Dpkg => Ecosystem::Debian,
            Format::Apk => Ecosystem::Alpine,
            Format::Opkg | Format::Adb => Ecosystem::OpenWrt,
        };
        let from = recipe.kernel.from.as_ref().filter(|_| of_kernel);
        let architecture = from.map_or(&recipe.architecture, |from| &from.architecture);
        let mut world = World::new(ecosystem, &architecture.value);
        for (name, stand_in) in &recipe.stand_ins {
            if let Some(version) = &stand_in.value.version {
                let (version, files) = (version.clone(), Vec::new());
                world.packages.insert(name.clone(), Installed { version, configured: true, files });
            }
        }
        let mut stage = Stage::new();
        if !of_kernel {
            seed(recipe, &mut stage);
        }
        for (path, text) in ACCOUNTS.iter().zip(job.accounts) {
            let kind = Kind::File(Content::from_bytes(text.as_bytes()));
            stage.seed(path, kind, 0o644, Origin::Builder);
        }
        let (reports, unknown) = (Vec::new(), Vec::new());
        Installation { job, format, stage, world, reports, unknown }
    }

    /// Whether there is a script that no rule knows.
    fn is_needed(&self, chosen: &[usize]) -> bool {
        let mut verdicts = chosen.iter().filter_map(|place| self.job.verdicts.get(*place));
        verdicts.any(|list| list.iter().any(|verdict| matches!(verdict, Verdict::Unknown { .. })))
    }

    fn install(&mut self, order: &[usize]) -> Result<(), Error> {
        // apk finishes one package after the other; the others unpack all of them first.
        let one_by_one = self.format == Format::Apk;
        for place in order {
            self.job.context.work.check()?;
            self.begin(*place);
            self.scripts(*place, Phase::Before);
            self.unpack(*place)?;
            if one_by_one {
                self.scripts(*place, Phase::After);
            }
        }
        let mut rest = if one_by_one { Vec::new() } else { order.to_vec() };
        if matches!(self.format, Format::Opkg | Format::Adb) {
            // By the names of their scripts.
            rest.sort_by_key(|place| self.job.packages.get(*place).map(|package| &package.name));
        }
        for place in rest {
            self.scripts(place, Phase::After);
        }
        for place in order {
            self.scripts(*place, Phase::Trigger);
        }
        Ok(())
    }

    /// The package manager knows of the package from now on.
    fn begin(&mut self, place: usize) {
        if let Some(package) = self.job.packages.get(place) {
            let (version, files) = (package.record.version.clone(), Vec::new());
            let installed = Installed { version, configured: false, files };
            self.world.packages.insert(package.name.clone(), installed);
        }
    }

    fn unpack(&mut self, place: usize) -> Result<(), Error> {
        let Some(package) = self.job.packages.get(place) else { return Ok(()) };
        let mut files = Vec::new();
        let stage = &mut self.stage;
        read_data(package, self.job.context, &mut |entry| {
            files.push(stage::absolute(&entry.path));
            let what = || format!("{} of package {}", entry.path, package.name);
            let what = what();
            let unpacked = stage.unpack(&package.name, entry);
            unpacked.map_err(|source| Error::from(ReadBack { what, source }))
        })?;
        if let Some(installed) = self.world.packages.get_mut(&package.name) {
            installed.files = files;
        }
        Ok(())
    }

    /// Evaluates the scripts of a package that run now.
    fn scripts(&mut self, place: usize, now: Phase) {
        let job = self.job;
        let (Some(package), Some(control), Some(verdicts)) =
            (job.packages.get(place), job.controls.get(place), job.verdicts.get(place))
        else {
            return;
        };
        let mut answers = BTreeMap::new();
        // `config` comes before `postinst`, as in the list.
        for (script, verdict) in control.scripts.iter().zip(verdicts) {
            if let Verdict::Unknown { changed } = verdict
                && phase(script) == now
            {
                self.script(place, package, (control, script), *changed, &mut answers);
            }
        }
        if now == Phase::After
            && let Some(installed) = self.world.packages.get_mut(&package.name)
        {
            installed.configured = true;
        }
    }

    fn script(
        &mut self,
        place: usize,
        package: &ChosenPackage,
        (control, script): (&Control, &Script),
        changed: bool,
        answers: &mut BTreeMap<String, String>,
    ) {
        let paths = match phase(script) {
            Phase::Trigger => self.stage.directories(&control.triggers),
            Phase::Before | Phase::After => Vec::new(),
        };
        let evaluated = wifibox_script::Script {
            package: &package.name,
            version: &package.record.version,
            name: &script.name,
            text: &script.text,
            paths: &paths,
            templates: control.templates.as_deref(),
        };
        self.stage.running =
            Touch { package: place, script: format!("{} of {}", script.name, package.name) };
        self.world.answers.clone_from(answers);
        let (package, name) = (script.package.clone(), script.name.clone());
        match understand(&evaluated, &self.world, &mut self.stage) {
            Ok(understood) => {
                *answers = understood.answers;
                let effects: Vec<String> =
                    understood.effects.iter().map(ToString::to_string).collect();
                let state = match effects.is_empty() {
                    true => ScriptState::Empty,
                    false => ScriptState::Understood,
                };
                let (sha256, why) = (fingerprint(script), None);
                let report = ScriptReport { package, script: name, sha256, state, why, effects };
                self.reports.push(report);
            }
            Err(refused) => self.unknown.push(UnknownScript {
                package,
                script: name,
                digest: fingerprint(script),
                changed,
                why: refused.place(),
            }),
        }
    }
}

/// Adds the recipe's entries before any package: links, directories, and files that take precedence
/// over those of packages.
fn seed(recipe: &Recipe, stage: &mut Stage) {
    let origin = |file: &str| Origin::Recipe(file.to_owned());
    for (path, target) in &recipe.links {
        let kind = Kind::Symlink(target.value.clone().into_bytes());
        stage.seed(&path.to_string(), kind, 0o777, origin(&target.origin.file));
    }
    for directory in &recipe.directories {
        let (path, mode) = (directory.value.path.to_string(), directory.value.mode.0);
        stage.seed(&path, Kind::Directory, mode, origin(&directory.origin.file));
    }
    for (path, file) in &recipe.files {
        let kind = Kind::File(Content::from_bytes(file.value.text.clone()));
        stage.seed(&path.to_string(), kind, file.value.mode.0, origin(&file.origin.file));
    }
}
