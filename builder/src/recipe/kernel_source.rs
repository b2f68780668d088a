//! Kernels of another base than the guest's: which release and repositories they come from, and
//! what they ask of those.

use super::base::{Base, Kernel, Repository};
use super::catalog::{Catalog, Document};
use super::composed::KernelSource;
use super::entries::Entry;
use super::fragment::Fragment;
use super::located::{At, Sourced};

impl Catalog {
    /// What `kernel` takes from its own base, in that base's default release. `None` if there is no
    /// such base, which a catalog never lets through.
    pub(super) fn kernel_source(&self, kernel: &Document<Kernel>) -> Option<KernelSource> {
        let base = self.bases.get(&kernel.value.base.value)?;
        let (file, needs) = (&kernel.file, &kernel.value.needs);
        let release = base.value.default.release.sourced(&base.file);
        let repository = |given: &At<Repository>| Sourced {
            value: given.value.with_release(&release.value),
            origin: given.origin(&base.file),
        };
        let stub = kernel
            .value
            .efi_stub
            .as_ref()
            .map(|stub| Sourced { value: stub.value.package.clone(), origin: stub.origin(file) });
        let more = needs.packages.iter().filter_map(|entry| match entry {
            Entry::Add(package) => Some(package.sourced(file)),
            Entry::Remove(_) => None,
        });
        let packages = std::iter::once(kernel.value.package.sourced(file)).chain(stub).chain(more);
        let stand_ins = needs.stand_ins.iter().map(|(name, stand_in)| {
            let origin = name.origin(file);
            (name.value.clone(), Sourced { value: stand_in.value.clone(), origin })
        });
        Some(KernelSource {
            base: kernel.value.base.sourced(file),
            format: base.value.format.sourced(&base.file),
            architecture: kernel.value.architecture.sourced(file),
            repositories: base.value.repositories.iter().map(repository).collect(),
            packages: packages.collect(),
            stand_ins: stand_ins.collect(),
            release,
        })
    }

    /// The kernels of `base` that other bases take from it, by name.
    pub fn kernels_lent(&self, base: &str) -> Vec<(String, KernelSource)> {
        let lent = self.kernels.values().filter(|kernel| {
            let borrows = |other: &Document<Base>| {
                other.name != base && other.value.kernels.iter().any(|k| k.value == kernel.name)
            };
            kernel.value.base.value == base && self.bases.values().any(borrows)
        });
        lent.filter_map(|kernel| Some((kernel.name.clone(), self.kernel_source(kernel)?))).collect()
    }
}

/// Of what a kernel of another base needs, the part that the guest's own packages do not serve.
pub(super) fn without_packages(needs: &Fragment) -> Fragment {
    Fragment { packages: Vec::new(), stand_ins: Default::default(), ..needs.clone() }
}
