//! `cargo xtask apt-compare`: the solver's choice against apt's own, on worlds over several archives of Debian, with and
//! without `-t`.
//!
//! apt gets a folder of its own: the archives of the recipe `debian`, from the mirrors of this host's apt configuration or
//! the recipe's, and an empty system. It downloads the indexes (some 60 MB unpacked), checks them, and says for each world
//! what it would download (`apt-get install --no-install-recommends --print-uris`: a simulation sorts the packages too, which
//! takes apt longer than to choose them). The solver reads the same files. With and without `-t` go side by side.
//!
//! Where apt gives up and the solver does not, that is no difference: apt looks at one version of each package and does
//! not go back. It is counted, and printed with `--verbose`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use clap::Parser;
use wifibox_formats::Package;
use wifibox_formats::deb::apt_sources;
use wifibox_formats::dpkg_index::{self, Mentions};
use wifibox_ground::version::Scheme;
use wifibox_recipe::{Catalog, Selection, Sources};
use wifibox_solver::{Repository, Request, Universe, resolve};

/// Compare the solver's choices with apt's, over several archives.
#[derive(Parser)]
pub struct Arguments {
    /// How many worlds
    #[arg(long, default_value_t = 200)]
    worlds: u32,
    /// Which worlds: the same number makes the same ones of the same indexes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder of apt's state, kept and used again [default: a temporary one]
    #[arg(long)]
    state: Option<PathBuf>,
    /// The release of Debian
    #[arg(long, default_value = "trixie")]
    release: String,
    /// Print what apt gives up on, and the choices that are the same
    #[arg(long)]
    verbose: bool,
}

type Failure = Box<dyn Error>;

/// A suite of an archive, as apt is told of it.
struct Suite {
    name: String,
    mirror: String,
    components: Vec<String>,
    keyring: String,
}

/// Compares; an error if a choice differs.
#[expect(clippy::print_stdout, reason = "the result of a chore")]
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let temporary = tempfile::tempdir()?;
    let state = arguments.state.as_deref().unwrap_or(temporary.path());
    let suites = suites(&arguments.release)?;
    let apt = Apt::prepare(state, &suites)?;
    let target = format!("{}-backports", arguments.release);
    let archives = apt.indexes(&suites)?;
    let plain = universe(&suites, &archives, &target, false)?;
    let preferring = universe(&suites, &archives, &target, true)?;
    let pool = Pool::of(&archives);
    let mut random = Random(arguments.seed);
    let worlds: Vec<_> = (0..arguments.worlds).map(|_| pool.world(&mut random)).collect();
    let compare = |universe, target| compare(&apt, universe, &worlds, target, arguments.verbose);
    let tallies = std::thread::scope(|scope| {
        let other =
            scope.spawn(|| compare(&preferring, Some(&target)).map_err(|error| error.to_string()));
        let first = compare(&plain, None)?;
        let other = other.join().map_err(|_| "the other half of the comparison ended early")??;
        Ok::<_, Failure>([first, other])
    })?;
    let [same, gave_up, different, packages] = tallies.iter().fold([0; 4], |sum, tally| {
        let Tally { same, gave_up, different, packages } = tally;
        [sum[0] + same, sum[1] + gave_up, sum[2] + different, sum[3] + packages]
    });
    println!(
        "{} worlds, each with and without -t {target}: {same} the same ({packages} packages), apt gave up on \
         {gave_up}, {different} different",
        arguments.worlds
    );
    if different > 0 { Err(format!("{different} choices differ").into()) } else { Ok(()) }
}

/// How many choices came out how.
#[derive(Default)]
struct Tally {
    same: usize,
    gave_up: usize,
    different: usize,
    /// In the choices that are the same.
    packages: usize,
}

#[expect(clippy::print_stdout, reason = "the result of a chore")]
fn compare(
    apt: &Apt,
    universe: &Universe,
    worlds: &[Vec<String>],
    target: Option<&str>,
    verbose: bool,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    for (number, world) in worlds.iter().enumerate() {
        let theirs = apt.choice(world, target)?;
        let ours = choice(universe, world)?;
        let label = format!("{number}: {}{}", world.join(" "), target_text(target));
        match (theirs, ours) {
            (Some(theirs), Some(ours)) if theirs == ours => {
                tally.same += 1;
                tally.packages += ours.len();
                if verbose {
                    println!("same, {} packages: {label}", ours.len());
                }
            }
            (None, None) => tally.same += 1,
            (None, Some(_)) => {
                tally.gave_up += 1;
                if verbose {
                    println!("apt gives up: {label}");
                }
            }
            (theirs, ours) => {
                tally.different += 1;
                let (theirs, ours) = (theirs.unwrap_or_default(), ours.unwrap_or_default());
                println!("DIFFERENT: {label}");
                for line in theirs.difference(&ours) {
                    println!("  apt   {line}");
                }
                for line in ours.difference(&theirs) {
                    println!("  ours  {line}");
                }
            }
        }
    }
    Ok(tally)
}

fn target_text(target: Option<&str>) -> String {
    target.map(|target| format!(" (-t {target})")).unwrap_or_default()
}

/// The suites of the recipe, from where this host has them.
fn suites(release: &str) -> Result<Vec<Suite>, Failure> {
    let catalog = Catalog::load(&Sources::embedded())?;
    let recipe = catalog.compose(&Selection {
        base: "debian".to_owned(),
        release: Some(release.to_owned()),
        flavor: "hwsim".to_owned(),
        ..Selection::default()
    })?;
    let mut suites = Vec::new();
    for repository in recipe.repositories.iter().map(|repository| &repository.value) {
        for suite in &repository.suites {
            let of_host = apt_sources::debian_mirror(Path::new("/etc/apt"), suite);
            let mirror = of_host.map(|mirror| mirror.to_string());
            let mirror = mirror.or_else(|| repository.mirrors.first().cloned());
            let keyring = repository.keyrings.iter().find(|path| Path::new(path).is_file());
            suites.push(Suite {
                name: suite.clone(),
                mirror: mirror.ok_or_else(|| format!("no mirror of {suite}"))?,
                components: repository.components.clone(),
                keyring: keyring.cloned().ok_or("no keyring of Debian on this machine")?,
            });
        }
    }
    Ok(suites)
}

/// apt with a folder of its own.
struct Apt {
    configuration: PathBuf,
    lists: PathBuf,
}

impl Apt {
    fn prepare(state: &Path, suites: &[Suite]) -> Result<Apt, Failure> {
        let state = std::path::absolute(state)?;
        for folder in ["etc/preferences.d", "state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(state.join(folder))?;
        }
        fs::write(state.join("status"), "")?;
        let lines = suites.iter().map(|suite| {
            let Suite { name, mirror, components, keyring } = suite;
            let components = components.join(" ");
            format!("deb [arch=amd64 signed-by={keyring}] {mirror} {name} {components}\n")
        });
        fs::write(state.join("etc/sources.list"), lines.collect::<String>())?;
        let here = state.display();
        let configuration = state.join("apt.conf");
        let text = format!(
            "Dir \"{here}\";\nDir::Etc \"{here}/etc\";\nDir::State \"{here}/state\";\n\
             Dir::State::status \"{here}/status\";\nDir::Cache \"{here}/cache\";\n\
             Dir::Bin::methods \"/usr/lib/apt/methods\";\nAPT::Architecture \"amd64\";\n\
             APT::Architectures {{ \"amd64\"; }};\nAPT::Sandbox::User \"root\";\n\
             Acquire::Languages \"none\";\nAcquire::GzipIndexes \"false\";\n"
        );
        fs::write(&configuration, text)?;
        let apt = Apt { configuration, lists: state.join("state/lists") };
        let output = apt.command(&["update", "--quiet", "--error-on=any"]).output()?;
        if !output.status.success() {
            return Err(
                format!("apt-get update: {}", String::from_utf8_lossy(&output.stderr)).into()
            );
        }
        Ok(apt)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("apt-get");
        command.env("APT_CONFIG", &self.configuration).env("LC_ALL", "C").args(arguments);
        command
    }

    /// The indexes, in the order in which apt reads them, by suite.
    fn indexes(&self, suites: &[Suite]) -> Result<Vec<Vec<Package>>, Failure> {
        let names: Vec<PathBuf> = fs::read_dir(&self.lists)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        let mut mentions = Mentions::default();
        let mut archives = Vec::new();
        for suite in suites {
            let mut packages = Vec::new();
            for component in &suite.components {
                for architecture in ["amd64", "all"] {
                    let end =
                        format!("_dists_{}_{component}_binary-{architecture}_Packages", suite.name);
                    let file = names.iter().find(|path| path.to_string_lossy().ends_with(&end));
                    if let Some(file) = file {
                        let reader = BufReader::with_capacity(1 << 16, File::open(file)?);
                        packages.extend(dpkg_index::parse_after(&mut mentions, reader)?);
                    }
                }
            }
            if packages.is_empty() && !suite.name.ends_with("-updates") {
                return Err(format!("apt has no index of {}", suite.name).into());
            }
            archives.push(packages);
        }
        Ok(archives)
    }

    /// What apt would install; `None` if it gives up.
    fn choice(
        &self,
        world: &[String],
        target: Option<&str>,
    ) -> Result<Option<BTreeSet<String>>, Failure> {
        let mut command =
            self.command(&["--yes", "--no-install-recommends", "--print-uris", "install"]);
        if let Some(target) = target {
            command.args(["-t", target]);
        }
        let output = command.args(world).output()?;
        if !output.status.success() {
            return Ok(None);
        }
        let text = String::from_utf8(output.stdout)?;
        let chosen = text.lines().filter_map(|line| {
            // 'http://.../iw_6.9-1_amd64.deb' iw_6.9-1_amd64.deb 107860 SHA256:...
            let mut parts =
                line.strip_prefix('\'')?.split("' ").nth(1)?.split(' ').next()?.split('_');
            let (name, version) = (parts.next()?, parts.next()?);
            Some(format!("{name} {}", version.replace("%3a", ":")))
        });
        Ok(Some(chosen.collect()))
    }
}

fn universe(
    suites: &[Suite],
    archives: &[Vec<Package>],
    target: &str,
    prefer: bool,
) -> Result<Universe, Failure> {
    let repositories = suites.iter().zip(archives).map(|(suite, packages)| {
        let packages: Arc<[Package]> = packages.clone().into();
        let is_target = suite.name == target;
        let priority = match (is_target, prefer) {
            (true, true) => Repository::TARGET_PRIORITY,
            (true, false) => 100,
            (false, _) => Repository::USUAL_PRIORITY,
        };
        Repository { priority, ..Repository::new(packages) }
    });
    Ok(Universe::new(Scheme::Dpkg, Some("amd64"), repositories.collect(), Vec::new())?)
}

fn choice(universe: &Universe, world: &[String]) -> Result<Option<BTreeSet<String>>, Failure> {
    let requests = world.iter().map(|name| Request::parse(Scheme::Dpkg, name));
    let requests: Vec<Request> = requests.collect::<Result<_, _>>()?;
    let Ok(solution) = resolve(universe, &requests) else { return Ok(None) };
    let chosen = solution.packages.iter().map(|chosen| universe.package(chosen.item));
    Ok(Some(chosen.map(|package| format!("{} {}", package.name, package.version)).collect()))
}

/// The names that worlds are made of.
struct Pool {
    all: Vec<String>,
    /// Those that two archives have in different versions.
    in_several: Vec<String>,
}

impl Pool {
    fn of(archives: &[Vec<Package>]) -> Pool {
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for package in archives.iter().flatten() {
            versions.entry(&package.name).or_default().insert(&package.version);
        }
        let all = versions.keys().map(|name| (*name).to_owned()).collect();
        let several = versions.iter().filter(|(_, versions)| versions.len() > 1);
        Pool { all, in_several: several.map(|(name, _)| (*name).to_owned()).collect() }
    }

    /// One to four names, half of them of those that several archives have.
    fn world(&self, random: &mut Random) -> Vec<String> {
        let count = 1 + random.below(4);
        let mut world = BTreeSet::new();
        for _ in 0..count {
            let from = if random.below(2) == 0 { &self.all } else { &self.in_several };
            world.extend(from.get(random.below(from.len().max(1))).cloned());
        }
        world.into_iter().collect()
    }
}

/// Numbers that look random and are the same each time (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (limit.max(1) as u64)).unwrap_or(0)
    }
}
