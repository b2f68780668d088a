//! Kernels from elsewhere than the guest's base: which release and repositories they come from, and what they ask of
//! those.

use super::base::Base;
use super::catalog::Catalog;
use super::composed::KernelSource;
use super::document::Document;
use super::entries::Entry;
use super::fragment::Fragment;
use super::kernel::{Kernel, Published};
use super::kinds::Format;
use super::located::{At, Origin, Sourced};
use super::machine::Spelling;
use super::repository::Repository;

/// Where a kernel's packages are.
struct Home {
    base: Sourced<String>,
    format: Sourced<Format>,
    release: Sourced<String>,
    repositories: Vec<Sourced<Repository>>,
}

impl Home {
    /// A base, in its default release.
    fn of_base(kernel: &Document<Kernel>, base: &Document<Base>, architecture: &str) -> Self {
        let mut release = base.value.default.release.sourced(&base.file);
        if let Some((_, number)) = base.value.release(&release.value) {
            release.value = number;
        }
        let named = kernel.value.base.as_ref().map(|own| own.origin(&kernel.file));
        Home {
            base: Sourced {
                value: base.name.clone(),
                origin: named.unwrap_or_else(|| Origin::whole(kernel.file.clone())),
            },
            format: base.value.format_of(&release.value).sourced(&base.file),
            repositories: base.value.repositories_of(&release.value, architecture, &base.file),
            release,
        }
    }

    /// The kernel's own repository.
    fn of_its_own(kernel: &Document<Kernel>, published: &Published, architecture: &str) -> Self {
        let file = &kernel.file;
        let release = published.release.sourced(file);
        let value = published.repository.value.of(&release.value, architecture);
        let origin = published.repository.origin(file);
        Home {
            base: Sourced { value: kernel.name.clone(), origin: origin.clone() },
            format: Sourced { value: Format::Apk, origin: origin.clone() },
            repositories: vec![Sourced { value, origin }],
            release,
        }
    }
}

impl Catalog {
    /// The base whose repositories hold the kernel; none of one that is published by itself.
    pub(super) fn base_of(&self, kernel: &Document<Kernel>) -> Option<&Document<Base>> {
        self.bases.get(&kernel.value.base.as_ref()?.value)
    }

    /// The bases that it is for: the one that holds it, or those that name one which is published by itself.
    pub(super) fn bases_with(&self, kernel: &Document<Kernel>) -> Vec<String> {
        if let Some(base) = &kernel.value.base {
            return vec![base.value.clone()];
        }
        let all = self.bases.values().filter(|base| names(base, kernel));
        all.map(|base| base.name.clone()).collect()
    }

    /// The part of `kernel` from its own base, in that base's default release, or from its own repository, for the
    /// machine of `architecture`. `None` if there is no such base or the kernel is not for that machine, which a
    /// catalog never lets through.
    pub(super) fn kernel_source(
        &self,
        kernel: &Document<Kernel>,
        architecture: &str,
    ) -> Option<KernelSource> {
        let own = kernel.value.architecture_like(architecture)?;
        let spelling = Spelling(own);
        let Home { base, format, release, repositories } = match &kernel.value.published {
            Some(published) => Home::of_its_own(kernel, published, own),
            None => Home::of_base(kernel, self.base_of(kernel)?, own),
        };
        let (file, needs) = (&kernel.file, &kernel.value.needs);
        let stub = kernel.value.efi_stub.as_ref().map(|stub| Sourced {
            value: stub.value.of(&spelling).package,
            origin: stub.origin(file),
        });
        let more = needs.packages.iter().filter_map(|entry| match entry {
            Entry::Add(package) => Some(package.sourced(file)),
            Entry::Remove(_) => None,
        });
        let package = filled(&kernel.value.package, &spelling, file);
        let packages = std::iter::once(package).chain(stub).chain(more);
        let stand_ins = needs.stand_ins.iter().map(|(name, stand_in)| {
            let origin = name.origin(file);
            (name.value.clone(), Sourced { value: stand_in.value.clone(), origin })
        });
        Some(KernelSource {
            base,
            format,
            architecture: Sourced {
                value: own.to_owned(),
                origin: kernel.value.architecture.origin(file),
            },
            repositories,
            archive: kernel.value.archive.as_ref().map(|archive| archive.sourced(file)),
            packages: packages.collect(),
            stand_ins: stand_ins.collect(),
            published: kernel.value.published.is_some(),
            release,
        })
    }

    /// The kernels of `base` for `architecture` that other bases take from it, by name. A kernel that is published by
    /// itself is lent by its own name.
    pub fn kernels_lent(&self, base: &str, architecture: &str) -> Vec<(String, KernelSource)> {
        let lent = self.kernels.values().filter(|kernel| {
            let is_home = match kernel.value.published {
                Some(_) => kernel.name == base,
                None => kernel.value.is_of(base),
            };
            let borrows = |other: &Document<Base>| {
                other.name != base
                    && other.value.architecture_like(architecture).is_some()
                    && names(other, kernel)
            };
            is_home && self.bases.values().any(borrows)
        });
        let source = |kernel: &Document<Kernel>| self.kernel_source(kernel, architecture);
        lent.filter_map(|kernel| Some((kernel.name.clone(), source(kernel)?))).collect()
    }
}

/// Whether a base has the kernel.
fn names(base: &Document<Base>, kernel: &Document<Kernel>) -> bool {
    base.value.kernels.iter().any(|named| named.value == kernel.name)
}

/// A text of `file` with the names of the architecture filled in.
pub(super) fn filled(
    text: &At<String>,
    spelling: &Spelling<'_>,
    file: &std::sync::Arc<str>,
) -> Sourced<String> {
    Sourced { value: spelling.fill(text), origin: text.origin(file) }
}

/// Of what a kernel of another base needs, the part that the guest's own packages do not serve.
pub(super) fn without_packages(needs: &Fragment) -> Fragment {
    Fragment { packages: Vec::new(), stand_ins: Default::default(), ..needs.clone() }
}
