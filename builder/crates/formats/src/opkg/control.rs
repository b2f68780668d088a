//! The control files of an `.ipk`: fields, scripts and configuration files.
//!
//! The fields are those that OpenWrt's `package-pack.mk` writes, in the form of deb-control(5).

use std::collections::BTreeMap;

use super::error::IpkError;
use crate::Package;
use crate::deb822;
use crate::dpkg_index::first_line;

/// The control files of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Control {
    /// The fields of `control`, by name as written; a folded value keeps its line breaks.
    pub fields: BTreeMap<String, String>,
    /// `preinst`, `postinst`, `prerm`, `postrm`, and the package's own parts `postinst-pkg` and
    /// `prerm-pkg`, which OpenWrt's standard scripts call. By name.
    pub scripts: BTreeMap<String, Vec<u8>>,
    /// `conffiles`: absolute paths of files that an upgrade keeps.
    pub conffiles: Vec<String>,
    /// All others by name.
    pub others: BTreeMap<String, Vec<u8>>,
}

impl Control {
    /// Reads the control files of `package`, given by name.
    ///
    /// # Errors
    /// [`IpkError::Format`], [`IpkError::Control`].
    pub fn parse(package: &str, mut files: BTreeMap<String, Vec<u8>>) -> Result<Self, IpkError> {
        let wrong =
            |why: &str| IpkError::Format { package: package.to_owned(), why: why.to_owned() };
        let bad = |source| IpkError::Control { package: package.to_owned(), source };
        let text = files.remove("control").ok_or_else(|| wrong("it has no file control"))?;
        let mut reader = deb822::Reader::new(&text[..]).blanks_continue();
        let mut control = Control::default();
        let record = reader.next_record().map_err(bad)?;
        let record = record.ok_or_else(|| wrong("its file control is empty"))?;
        for (name, value) in record.fields() {
            if control.fields.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(bad(record.error(format!("the field {name} appears twice"))));
            }
        }
        for field in ["Package", "Version"] {
            if control.field(field).is_none_or(str::is_empty) {
                return Err(bad(record.error(format!("there is no field {field}"))));
            }
        }
        if reader.next_record().map_err(bad)?.is_some() {
            return Err(wrong("its file control describes more than one package"));
        }
        for (name, bytes) in files {
            if SCRIPTS.contains(&&*name) {
                control.scripts.insert(name, bytes);
            } else if name == "conffiles" {
                let text =
                    String::from_utf8(bytes).map_err(|_| wrong("its conffiles are not UTF-8"))?;
                control.conffiles = text.split_ascii_whitespace().map(str::to_owned).collect();
            } else {
                control.others.insert(name, bytes);
            }
        }
        Ok(control)
    }

    /// The value of a field; `None` where the package does not have it.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// The package as an index would list it, but for its file.
    pub fn to_package(&self) -> Package {
        let field = |name: &str| self.field(name).unwrap_or_default().to_owned();
        Package {
            name: self.name().to_owned(),
            version: field("Version"),
            architecture: field("Architecture"),
            depends: field("Depends"),
            conflicts: field("Conflicts"),
            provides: field("Provides"),
            replaces: field("Replaces"),
            license: field("License"),
            origin: field("Source"),
            description: first_line(self.field("Description").unwrap_or_default()),
            build_time: field("SourceDateEpoch").parse().unwrap_or_default(),
            ..Package::default()
        }
    }

    /// `Package`, with the ABI version in it (`libubox20230523`).
    pub fn name(&self) -> &str {
        self.field("Package").unwrap_or_default()
    }

    /// `ABIVersion`: the part of the name that changes with the binary interface.
    pub fn abi_version(&self) -> Option<&str> {
        self.field("ABIVersion")
    }

    /// The name without the ABI version, as recipes and dependencies of source packages write it:
    /// `libubox` of `libubox20230523`, `libsqlite3` of `libsqlite3-0`.
    pub fn base_name(&self) -> &str {
        let name = self.name();
        self.abi_version().and_then(|abi| name.strip_suffix(abi)).unwrap_or(name)
    }

    /// `Require-User`: the accounts that the package needs, one word each; only the package says
    /// this, not the index.
    pub fn required_users(&self) -> impl Iterator<Item = &str> {
        self.field("Require-User").unwrap_or_default().split_ascii_whitespace()
    }

    /// `Alternatives`: `priority:path:target`, one of each.
    pub fn alternatives(&self) -> impl Iterator<Item = &str> {
        let list = self.field("Alternatives").unwrap_or_default().split(',');
        list.map(str::trim).filter(|entry| !entry.is_empty())
    }
}

const SCRIPTS: [&str; 8] = [
    "preinst",
    "postinst",
    "prerm",
    "postrm",
    "preinst-pkg",
    "postinst-pkg",
    "prerm-pkg",
    "postrm-pkg",
];
