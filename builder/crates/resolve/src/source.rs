//! The places that a guest's packages come from: a release of its base, and of its kernel's base if
//! that is another one. Each has its own package format, repositories, world and lock.

use std::path::PathBuf;

use super::LockChoice;
use super::world::World;
use crate::lock::Target;
use wifibox_ground::version::Scheme;
use wifibox_recipe::{Catalog, Format, KernelSource, Recipe, Repository, Sourced};

/// A release of a base, and what a guest asks of it.
#[derive(Debug, Clone)]
pub struct Source {
    /// Base, release and architecture.
    pub target: Target,
    /// Package format.
    pub format: Format,
    /// Repositories, in the order in which they count.
    pub repositories: Vec<Repository>,
    /// The guest's requests to it.
    pub world: World,
    /// The series by whose name the release was asked for, where it is a point release.
    pub series: Option<String>,
    /// The day after which nobody mends holes of the release, `2028-08-09`.
    pub end_of_life: Option<String>,
    /// Whether it is the repository of a kernel that belongs to no base.
    pub published: bool,
}

/// The version order and dependency rules that go with a package format.
pub fn scheme(format: Format) -> Scheme {
    match format {
        Format::Dpkg => Scheme::Dpkg,
        Format::Apk | Format::Adb => Scheme::Apk,
        Format::Opkg => Scheme::Opkg,
    }
}

impl Source {
    /// The sources of a guest: its base's first, then its kernel's if that is another base's.
    pub fn all(recipe: &Recipe) -> Vec<Source> {
        let own = Source {
            target: Target {
                base: recipe.base.value.clone(),
                release: recipe.release.value.clone(),
                architecture: recipe.architecture.value.clone(),
            },
            format: recipe.format.value,
            repositories: values(&recipe.repositories),
            world: World::of(recipe),
            series: recipe.series.clone(),
            end_of_life: recipe.end_of_life.as_ref().map(|day| day.value.clone()),
            published: false,
        };
        let kernel = &recipe.kernel;
        let of_kernel = |from| Source::of_kernel(&kernel.name.value, from);
        [own].into_iter().chain(kernel.from.as_ref().map(of_kernel)).collect()
    }

    fn of_kernel(name: &str, from: &KernelSource) -> Source {
        Source {
            target: Target {
                base: from.base.value.clone(),
                release: from.release.value.clone(),
                architecture: from.architecture.value.clone(),
            },
            format: from.format.value,
            repositories: values(&from.repositories),
            world: World::of_kernel(name, from),
            series: None,
            end_of_life: None,
            published: from.published,
        }
    }

    /// The worlds of this base's kernels that guests of other bases take, if they take them from
    /// this release.
    pub fn lent(&self, catalog: &Catalog) -> Vec<World> {
        let lent = catalog.kernels_lent(&self.target.base, &self.target.architecture);
        let lent = lent.iter().map(|(name, from)| Source::of_kernel(name, from));
        lent.filter(|source| source.target == self.target).map(|source| source.world).collect()
    }

    /// What is to be said of a release that is past its end at `now`, in seconds since 1970.
    pub fn past_end(&self, now: i64) -> Option<String> {
        let day = self.end_of_life.as_ref()?;
        let now = jiff::Timestamp::from_second(now).ok()?.to_string();
        // Days in this form sort as they come.
        (now.get(..day.len())? > day.as_str()).then(|| {
            format!(
                "{} {} got its last updates on {day}: holes found since stay open; take a newer one with --release",
                self.target.base, self.target.release
            )
        })
    }

    /// The version order and dependency rules of its packages.
    pub fn scheme(&self) -> Scheme {
        scheme(self.format)
    }

    /// The usual name of its lock, below the folder of all. A series has one lock, which says of which point release it is.
    pub fn lock_name(&self) -> PathBuf {
        let release = self.series.as_ref().unwrap_or(&self.target.release).clone();
        Target { release, ..self.target.clone() }.default_path()
    }

    /// Where its lock is. `own` is the guest's base: its lock may be named, and the other base's
    /// lies beside it.
    pub fn lock_path(&self, own: &Source, lock: &LockChoice) -> PathBuf {
        let usual = lock.folder.join(self.lock_name());
        match (&lock.file, usual.file_name()) {
            (Some(named), _) if self.target == own.target => named.clone(),
            (Some(named), Some(name)) => named.with_file_name(name),
            _ => usual,
        }
    }
}

fn values(repositories: &[Sourced<Repository>]) -> Vec<Repository> {
    repositories.iter().map(|repository| repository.value.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wifibox_recipe::{Selection, Sources};

    #[test]
    fn a_release_past_its_end_is_named() {
        let catalog = Catalog::load(&Sources::embedded()).expect("loaded");
        let selection =
            Selection { base: "debian".into(), flavor: "hwsim".into(), ..Selection::default() };
        let recipe = catalog.compose(&selection).expect("composed");
        let mut source = Source::all(&recipe).remove(0);
        source.end_of_life = Some("2028-08-09".into());
        let at = |text: &str| text.parse::<jiff::Timestamp>().expect("a time").as_second();
        assert_eq!(source.past_end(at("2028-08-09T23:59:59Z")), None);
        let said = source.past_end(at("2028-08-10T00:00:00Z")).expect("past its end");
        assert!(said.contains("debian trixie") && said.contains("2028-08-09"), "{said}");
        source.end_of_life = None;
        assert_eq!(source.past_end(i64::from(u32::MAX)), None);
    }
}
