//! The hypervisors that files are written for, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A hypervisor that files are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hypervisor {
    /// FreeBSD's bhyve: wifibox-core, bhyve by itself, vm-bhyve.
    Bhyve,
    /// QEMU by itself, with KVM where that is.
    Qemu,
    /// QEMU under libvirt.
    Libvirt,
    /// Xen, by xl.
    Xen,
    /// L4Re with uvmm.
    L4re,
}

impl Hypervisor {
    /// All of them, by name.
    pub const ALL: [Hypervisor; 5] =
        [Self::Bhyve, Self::L4re, Self::Libvirt, Self::Qemu, Self::Xen];

    /// Its name, as in `--hypervisor`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bhyve => "bhyve",
            Self::Qemu => "qemu",
            Self::Libvirt => "libvirt",
            Self::Xen => "xen",
            Self::L4re => "l4re",
        }
    }

    /// Whether the file `path` of the folder `host/` is one of this hypervisor's: those in the folder
    /// of its name, and those with its name and an extension.
    #[must_use]
    pub fn owns(self, path: &str) -> bool {
        path.strip_prefix(self.name()).is_some_and(|rest| rest.starts_with(['/', '.']))
    }
}

impl fmt::Display for Hypervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Hypervisor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl FromStr for Hypervisor {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|hypervisor| hypervisor.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|hypervisor| hypervisor.name()).collect();
            format!("expected one of {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_one_owner() {
        assert!(Hypervisor::Qemu.owns("qemu.sh") && Hypervisor::Bhyve.owns("bhyve/run.sh"));
        assert!(!Hypervisor::Qemu.owns("qemu-other") && !Hypervisor::Xen.owns("xenon/a"));
        for hypervisor in Hypervisor::ALL {
            assert_eq!(hypervisor.name().parse(), Ok(hypervisor));
        }
    }
}
