//! The system as a script sees it: everything is passed in, nothing is read from the host.

use std::collections::BTreeMap;

/// The family of distributions whose package manager runs the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ecosystem {
    /// dpkg, with dash as `/bin/sh`, adduser, update-alternatives, deb-systemd-helper.
    Debian,
    /// apk, with BusyBox as `/bin/sh`.
    Alpine,
    /// OpenWrt's image builder: packages are unpacked at `IPKG_INSTROOT`.
    OpenWrt,
}

/// A package of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its version.
    pub version: String,
    /// Whether its own postinst has run.
    pub configured: bool,
    /// Its files, absolute, as `dpkg -L` lists them. A script that asks is refused where there are none.
    pub files: Vec<String>,
}

/// The system a script is installed on, apart from its files.
#[derive(Debug, Clone)]
pub struct World {
    /// The family of distributions whose package manager runs it.
    pub ecosystem: Ecosystem,
    /// The architecture, as the ecosystem names it: `amd64`, `x86_64`.
    pub architecture: String,
    /// The release of the guest's kernel, for scripts that ask `uname -r`. Those are refused where it
    /// is not given.
    pub kernel: Option<String>,
    /// The packages of the system, by name, this script's own included.
    pub packages: BTreeMap<String, Installed>,
    /// Preseeded answers to debconf's questions, by question.
    pub answers: BTreeMap<String, String>,
    /// The date of an account's last password change in shadow(5), in days since 1970.
    pub day: u32,
}

impl World {
    /// A system without packages.
    pub fn new(ecosystem: Ecosystem, architecture: &str) -> Self {
        World {
            ecosystem,
            architecture: architecture.to_owned(),
            kernel: None,
            packages: BTreeMap::new(),
            answers: BTreeMap::new(),
            day: 0,
        }
    }
}

/// A maintainer script, with the arguments it gets on a fresh system.
#[derive(Debug, Clone)]
pub struct Script<'a> {
    /// The package.
    pub package: &'a str,
    /// The package's version.
    pub version: &'a str,
    /// The script's name: `preinst`, `postinst`, `pre-install`, `post-install`, `trigger`.
    pub name: &'a str,
    /// Its text.
    pub text: &'a [u8],
    /// The changed directories that apk passes to a trigger.
    pub paths: &'a [String],
    /// debconf's templates of the package (`templates` of its control archive).
    pub templates: Option<&'a str>,
}

impl<'a> Script<'a> {
    /// A script without paths and templates.
    pub fn new(package: &'a str, version: &'a str, name: &'a str, text: &'a [u8]) -> Self {
        Script { package, version, name, text, paths: &[], templates: None }
    }

    /// `$0`: where the package manager keeps the script while it runs.
    pub(crate) fn path(&self, ecosystem: Ecosystem) -> String {
        let Script { package, name, .. } = self;
        match (ecosystem, *name) {
            (Ecosystem::Debian, "preinst" | "config") => format!("/var/lib/dpkg/tmp.ci/{name}"),
            (Ecosystem::Debian, _) => format!("/var/lib/dpkg/info/{package}.{name}"),
            (Ecosystem::Alpine, _) => format!("/lib/apk/exec/{package}.{name}"),
            (Ecosystem::OpenWrt, _) => format!("/usr/lib/opkg/info/{package}.{name}"),
        }
    }

    /// The arguments on a fresh system (Debian Policy, 6.5; apk-package(5)).
    pub(crate) fn arguments(&self, ecosystem: Ecosystem) -> Vec<String> {
        let own = |text: &str| text.to_owned();
        match (ecosystem, self.name) {
            (Ecosystem::Debian, "preinst") => vec![own("install")],
            // dpkg gives the last configured version: none, which is an empty word.
            (Ecosystem::Debian, _) => vec![own("configure"), String::new()],
            (Ecosystem::Alpine, "trigger") => self.paths.to_vec(),
            (Ecosystem::Alpine, _) => vec![own(self.version)],
            (Ecosystem::OpenWrt, _) => vec![own("configure")],
        }
    }

    /// The environment, beside `PATH`.
    pub(crate) fn environment(&self, world: &World) -> Vec<(&'static str, String)> {
        match world.ecosystem {
            Ecosystem::Debian => vec![
                ("DPKG_MAINTSCRIPT_NAME", self.name.to_owned()),
                ("DPKG_MAINTSCRIPT_PACKAGE", self.package.to_owned()),
                ("DPKG_MAINTSCRIPT_ARCH", world.architecture.clone()),
                ("DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT", "1".to_owned()),
                ("DPKG_ADMINDIR", "/var/lib/dpkg".to_owned()),
                ("DPKG_ROOT", String::new()),
                ("DPKG_RUNNING_VERSION", "1.22.0".to_owned()),
                ("DEBIAN_FRONTEND", "noninteractive".to_owned()),
                ("HOME", "/root".to_owned()),
            ],
            Ecosystem::Alpine => vec![("APK_PACKAGE", self.package.to_owned())],
            // The tree's root: files are named below it.
            Ecosystem::OpenWrt => vec![("IPKG_INSTROOT", "/.".to_owned())],
        }
    }
}
