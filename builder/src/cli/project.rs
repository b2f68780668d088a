//! A user's project on the command line: where its file is, which of its guests are meant, and what is built where the
//! command line leaves it to the project.

use std::path::PathBuf;

use super::context::Context;
use super::named_file::readable;
use super::options::{OutputArgs, ProjectArgs, SelectArgs, TargetArgs, parse_block_size};
use super::render::failure::Failure;
use wifibox_linux::drivers::{ArchiveChoice, FirmwareAdd};
use wifibox_pipeline::{BuildRequest, RequestOf, default_out};
use wifibox_recipe::{At, GuestPlan, ProjectGuest, Recipe, Selection};

/// Block size of root.img where nothing else is asked for, in KiB.
const BLOCK_SIZE: u32 = 256;

/// A guest that is asked for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Its name, unique among those asked for: in a project its own, else its flavor's.
    pub name: String,
    /// Its composition.
    pub selection: Selection,
    /// What the project says of it.
    pub guest: Option<&'a ProjectGuest>,
    /// Whether it is one of several flavors of that guest.
    pub is_one_of_several: bool,
}

impl<'a> Wanted<'a> {
    /// The guest of a flavor, of which `composition` says all else.
    pub fn of_flavor(
        flavor: &str,
        composition: &Selection,
        guest: Option<&'a ProjectGuest>,
        is_one_of_several: bool,
    ) -> Self {
        let name = match guest.and_then(ProjectGuest::name) {
            Some(name) if is_one_of_several => format!("{name}/{flavor}"),
            Some(name) => name.to_owned(),
            None => flavor.to_owned(),
        };
        let selection = Selection { flavor: flavor.to_owned(), ..composition.clone() };
        Wanted { name, selection, guest, is_one_of_several }
    }
}

impl Context {
    /// The guests of the project that the arguments mean: one without an entry where there is no project.
    fn project_guests(&self, args: &ProjectArgs) -> Result<Vec<Option<&ProjectGuest>>, Failure> {
        let Some(project) = self.catalog.project() else { return Ok(vec![None]) };
        if args.guest.is_empty() {
            return Ok(project.guests().map(Some).collect());
        }
        let named = args.guest.iter().map(|name| Ok(Some(project.guest(name)?)));
        named.collect()
    }

    /// The guests that the arguments ask for, by the project or without.
    ///
    /// # Errors
    /// There is no such guest, or its flavor is not said.
    pub fn wanted(&self, args: &SelectArgs) -> Result<Vec<Wanted<'_>>, Failure> {
        let guests = self.project_guests(&args.project)?;
        let names: Vec<&str> = guests.iter().flatten().filter_map(|guest| guest.name()).collect();
        if guests.len() > 1 && !args.flavor.is_empty() {
            let what =
                "the project has several guests, and the flavor is given on the command line";
            return Err(Failure::usage(what).with_hint(format!(
                "say for which with -p: {}; or do without the project: --no-project",
                names.join(", ")
            )));
        }
        let mut all = Vec::new();
        for guest in guests {
            let composition = self.composition(args, guest)?;
            let flavors = match guest {
                Some(guest) if args.flavor.is_empty() => guest.flavors(),
                _ => args.flavor.clone(),
            };
            if flavors.is_empty() {
                return Err(no_flavor(guest));
            }
            let is_one_of_several = flavors.len() > 1;
            let of =
                |flavor: &String| Wanted::of_flavor(flavor, &composition, guest, is_one_of_several);
            all.extend(flavors.iter().map(of));
        }
        Ok(all)
    }

    /// The composition that the arguments ask for in all flavors, and what the project says of it.
    ///
    /// # Errors
    /// As [`Context::wanted`].
    pub(crate) fn of_all_flavors(
        &self,
        args: &SelectArgs,
    ) -> Result<(Selection, Option<&ProjectGuest>), Failure> {
        match self.project_guests(&args.project)?.as_slice() {
            [guest] => Ok((self.composition(args, *guest)?, *guest)),
            _ => Err(Failure::usage("--all-flavors: the project has several guests")
                .with_hint("name one with -p, or do without the project: --no-project")),
        }
    }

    /// The one guest that the arguments ask for.
    ///
    /// # Errors
    /// As [`Context::wanted`]; there are several.
    pub fn one(&self, args: &SelectArgs) -> Result<Selection, Failure> {
        if args.all_flavors {
            return Err(Failure::usage(
                "--all-flavors does not work here: name one flavor with --flavor",
            ));
        }
        let mut wanted = self.wanted(args)?;
        match (wanted.pop(), wanted.is_empty()) {
            (Some(only), true) => Ok(only.selection),
            (Some(last), false) if last.guest.is_some() => {
                let names = wanted.iter().map(|other| other.name.clone()).chain([last.name]);
                let names = names.collect::<Vec<_>>().join(", ");
                Err(Failure::usage("the project has several guests: this command takes one")
                    .with_hint(format!("name one with -p, and its flavor with --flavor: {names}")))
            }
            _ => Err(Failure::usage("several flavors are given: this command takes one")),
        }
    }

    /// The base, release and architecture of each guest that the arguments mean.
    ///
    /// # Errors
    /// There is no such guest.
    pub fn targets(
        &self,
        project: &ProjectArgs,
        target: &TargetArgs,
    ) -> Result<Vec<Selection>, Failure> {
        let mut targets: Vec<Selection> = Vec::new();
        for guest in self.project_guests(project)? {
            let said = |given: &Option<String>, pick: fn(&GuestPlan) -> Option<&At<String>>| {
                given.clone().or_else(|| guest?.value(pick))
            };
            let base = said(&target.base, |plan| plan.base.as_ref());
            let target = self.as_locked(Selection {
                base: self.base(base.as_ref())?,
                release: said(&target.release, |plan| plan.release.as_ref()),
                architecture: said(&target.arch, |plan| plan.arch.as_ref()),
                ..Selection::default()
            });
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        Ok(targets)
    }

    /// What is asked for beside the composition of `wanted`; several outputs go into one folder.
    ///
    /// # Errors
    /// The project says something that cannot be.
    pub fn request(
        &self,
        args: &OutputArgs,
        wanted: &Wanted<'_>,
        several: bool,
    ) -> Result<RequestOf, Failure> {
        let guest = wanted.guest;
        let named = guest.and_then(ProjectGuest::name).is_some();
        let out = match (&args.out, guest.and_then(ProjectGuest::out)) {
            (Some(out), _) if several => Some(out.join(&wanted.name)),
            (Some(out), _) => Some(out.clone()),
            (None, Some(out)) if wanted.is_one_of_several => {
                Some(self.at(&out).join(&wanted.selection.flavor))
            }
            (None, Some(out)) => Some(self.at(&out)),
            (None, None) if named => Some(self.at("out").join(&wanted.name)),
            (None, None) => None,
        };
        let values = |given: &[String], pick: fn(&GuestPlan) -> &Vec<At<String>>| {
            let own = guest.map(|guest| guest.values(pick)).unwrap_or_default();
            if given.is_empty() { own } else { given.to_vec() }
        };
        let accepted = values(&[], |plan| &plan.accept_licence);
        let archive = guest.and_then(|guest| guest.value(|plan| plan.firmware_archive.as_ref()));
        let archive = archive.map(|text| match text.as_str() {
            "upstream" => ArchiveChoice::Upstream,
            path => ArchiveChoice::File(self.at(path)),
        });
        let firmware = guest.map(ProjectGuest::firmware).unwrap_or_default();
        let firmware = firmware
            .into_iter()
            .map(|own| FirmwareAdd { file: self.at(&own.from), name: own.name });
        let archive = args.firmware_archive.clone().or(archive);
        if let Some(ArchiveChoice::File(file)) = &archive {
            readable("the firmware archive", file)?;
        }
        let request = BuildRequest {
            out: PathBuf::new(),
            firmware_files: values(&args.firmware_file, |plan| &plan.firmware_file),
            firmware_adds: firmware.chain(args.firmware_add.iter().cloned()).collect(),
            firmware_archive: archive,
            accepted_licences: [&args.accept_licence[..], &accepted].concat(),
            device: args.device.or_else(|| guest.and_then(ProjectGuest::device)),
            block_size: self.block_size(args, guest)?.saturating_mul(1024),
            force: args.force,
        };
        let folder = self.folder().to_owned();
        Ok(Box::new(move |recipe: &Recipe| BuildRequest {
            out: out.clone().unwrap_or_else(|| folder.join(default_out(recipe))),
            ..request.clone()
        }))
    }

    fn block_size(&self, args: &OutputArgs, guest: Option<&ProjectGuest>) -> Result<u32, Failure> {
        let said = guest.and_then(|guest| guest.choice(|plan| plan.block_size.as_ref()));
        match (args.block_size, said) {
            (Some(size), _) => Ok(size),
            (None, None) => Ok(BLOCK_SIZE),
            (None, Some(said)) => parse_block_size(&said.value.to_string()).map_err(|why| {
                Failure::usage(format!("{}: block_size is {}: {why}", said.origin, said.value))
            }),
        }
    }
}

fn no_flavor(guest: Option<&ProjectGuest>) -> Failure {
    let what = match guest {
        Some(guest) => format!("{}: the flavor of this guest is missing", guest.place()),
        None => "--flavor is missing".to_owned(),
    };
    Failure::usage(what).with_hint(
        "'wifibox-build detect' says which one a card needs; 'wifibox-build list' shows all",
    )
}
