//! Where the parts of a guest go on a host: as FreeBSD's wifibox-core (the contract of wifibox-guest(5)),
//! libvirt and Xen's dom0 look for them.

use std::path::{Path, PathBuf};

use wifibox_ground::guest::HostPath;

use crate::{HostError, Hypervisor};

/// The record of what was installed, in the folder of the images.
pub(crate) const RECORD: &str = "installed.json";
/// The folder of the images before the last upgrade, in the folder of the images.
pub(crate) const PREVIOUS: &str = "previous";

/// A host's folders, as the host sees them, and how what is installed there reaches its programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The hypervisor whose programs look there.
    pub hypervisor: Hypervisor,
    /// For programs and documents: `/usr/local`.
    pub prefix: String,
    /// The images.
    pub images: String,
    /// The configuration: samples, what was made of them, and the link `app_config`.
    pub configuration: String,
    /// The share `var`.
    pub var: String,
}

impl Layout {
    /// The folders of a host with this hypervisor.
    ///
    /// # Errors
    /// [`HostError::Unfit`]: guests are started from their output's folder there.
    pub fn new(hypervisor: Hypervisor, prefix: &HostPath) -> Result<Self, HostError> {
        let prefix = prefix.as_str().to_owned();
        let (images, configuration, var) = match hypervisor {
            Hypervisor::Bhyve => (
                format!("{prefix}/share/wifibox"),
                format!("{prefix}/etc/wifibox"),
                crate::bhyve::VAR.to_owned(),
            ),
            Hypervisor::Libvirt => elsewhere(crate::libvirt::IMAGES),
            Hypervisor::Xen => elsewhere(crate::xen::IMAGES),
            Hypervisor::Qemu | Hypervisor::L4re => {
                return Err(HostError::Unfit {
                    hypervisor,
                    why: "guests start from their output's folder there, and nothing is installed; \
                          'wifibox-build boot' starts one, host/ in the output has what else there is"
                        .to_owned(),
                });
            }
        };
        Ok(Self { hypervisor, prefix, images, configuration, var })
    }

    /// The record of what was installed.
    #[must_use]
    pub fn record(&self) -> String {
        format!("{}/{RECORD}", self.images)
    }

    /// The folder of the images before the last upgrade.
    #[must_use]
    pub fn previous(&self) -> String {
        format!("{}/{PREVIOUS}", self.images)
    }

    /// The folder in which the control sockets of the guest's hostapd appear.
    pub(crate) fn sockets(&self) -> String {
        self.above_shares().join("hostapd").display().to_string()
    }

    /// The folder of the system's above that of the shares.
    pub(crate) fn above_shares(&self) -> &Path {
        Path::new(&self.var).ancestors().nth(2).unwrap_or(Path::new("/"))
    }

    /// The folder of the files for this host: what is to be copied by hand, and what was installed from it.
    #[must_use]
    pub fn examples(&self) -> String {
        format!("{}/share/examples/wifibox", self.prefix)
    }

    /// The folder of licences and bills of materials.
    #[must_use]
    pub fn documents(&self) -> String {
        format!("{}/share/doc/wifibox-guest", self.prefix)
    }

    /// The guest's man page. wifibox-core links `wifibox-guest.5.gz` to this name.
    #[must_use]
    pub fn man_page(&self) -> String {
        let name = match self.hypervisor {
            Hypervisor::Bhyve => "wifibox-alpine",
            _ => "wifibox-guest",
        };
        format!("{}/share/man/man5/{name}.5.gz", self.prefix)
    }

    /// Where a program looks for the file `path` of the output's folder `host/`, if it looks for one.
    #[must_use]
    pub(super) fn live(&self, path: &str) -> Option<String> {
        match (self.hypervisor, path) {
            (Hypervisor::Bhyve, "bhyve/bhyve.conf" | "bhyve/core.conf") => {
                let name = path.rsplit('/').next().unwrap_or(path);
                Some(format!("{}/{name}", self.configuration))
            }
            (Hypervisor::Bhyve, "bhyve/loader.conf") => {
                Some("/boot/loader.conf.d/wifibox.conf".to_owned())
            }
            (Hypervisor::Xen, "xen/wifibox.cfg") => Some("/etc/xen/wifibox.cfg".to_owned()),
            _ => None,
        }
    }
}

fn elsewhere(images: &str) -> (String, String, String) {
    (images.to_owned(), "/etc/wifibox".to_owned(), "/var/lib/wifibox".to_owned())
}

/// The file `path` of a host whose root folder is `root`.
#[must_use]
pub fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}
