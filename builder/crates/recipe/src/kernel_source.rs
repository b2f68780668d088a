//! Kernels of another base than the guest's: which release and repositories they come from, and
//! what they ask of those.

use super::base::{Base, Kernel};
use super::catalog::Catalog;
use super::composed::KernelSource;
use super::document::Document;
use super::entries::Entry;
use super::fragment::Fragment;
use super::located::{At, Sourced};
use super::machine::Spelling;

impl Catalog {
    /// The part of `kernel` from its own base, in that base's default release, for the machine of `architecture`.
    /// `None` if there is no such base or the kernel is not for that machine, which a catalog never lets through.
    pub(super) fn kernel_source(
        &self,
        kernel: &Document<Kernel>,
        architecture: &str,
    ) -> Option<KernelSource> {
        let own = kernel.value.architecture_like(architecture)?;
        let spelling = Spelling(own);
        let base = self.bases.get(&kernel.value.base.value)?;
        let (file, needs) = (&kernel.file, &kernel.value.needs);
        let mut release = base.value.default.release.sourced(&base.file);
        if let Some((_, number)) = base.value.release(&release.value) {
            release.value = number;
        }
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
            base: kernel.value.base.sourced(file),
            format: base.value.format_of(&release.value).sourced(&base.file),
            architecture: Sourced {
                value: own.to_owned(),
                origin: kernel.value.architecture.origin(file),
            },
            repositories: base.value.repositories_of(&release.value, own, &base.file),
            archive: kernel.value.archive.as_ref().map(|archive| archive.sourced(file)),
            packages: packages.collect(),
            stand_ins: stand_ins.collect(),
            release,
        })
    }

    /// The kernels of `base` for `architecture` that other bases take from it, by name.
    pub fn kernels_lent(&self, base: &str, architecture: &str) -> Vec<(String, KernelSource)> {
        let lent = self.kernels.values().filter(|kernel| {
            let borrows = |other: &Document<Base>| {
                other.name != base
                    && other.value.architecture_like(architecture).is_some()
                    && other.value.kernels.iter().any(|k| k.value == kernel.name)
            };
            kernel.value.base.value == base && self.bases.values().any(borrows)
        });
        let source = |kernel: &Document<Kernel>| self.kernel_source(kernel, architecture);
        lent.filter_map(|kernel| Some((kernel.name.clone(), source(kernel)?))).collect()
    }
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
