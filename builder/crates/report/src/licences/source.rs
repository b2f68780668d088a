//! Where the source of a package is: what a GNU licence asks to be offered.

use serde::{Deserialize, Serialize};

use wifibox_formats::Package;
use wifibox_recipe::Format;
use wifibox_tree::packages::licences::Control;

/// A source package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// The distribution that has it.
    pub base: String,
    /// Its name.
    pub name: String,
    /// Its version; empty where nothing says it.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub version: String,
    /// Where it is found.
    #[serde(rename = "where")]
    pub place: String,
}

/// The distribution that packages come from.
#[derive(Debug, Clone, Copy)]
pub struct Distribution<'a> {
    /// Name of the base.
    pub base: &'a str,
    /// Release of the base.
    pub release: &'a str,
    /// Package format.
    pub format: Format,
}

impl Distribution<'_> {
    /// The source that `package` was built from. Without a control file the index says it.
    pub fn source(&self, package: &Package, control: Option<&Control>) -> Source {
        let named = control.and_then(|control| control.source.clone());
        let origin = (!package.origin.is_empty()).then(|| package.origin.clone());
        let name = named.or(origin).unwrap_or_else(|| package.name.clone());
        let said = control.and_then(|control| control.source_version.clone());
        let version = said.unwrap_or_else(|| match self.format {
            Format::Dpkg => without_rebuild(&package.version).to_owned(),
            Format::Apk | Format::Adb | Format::Opkg => package.version.clone(),
        });
        let mut source = self.at(&name, &version);
        if let (Format::Apk, "alpine" | "wifibox", Some(commit)) =
            (self.format, self.base, control.and_then(|control| control.commit.as_ref()))
        {
            source.place = format!("https://gitlab.alpinelinux.org/alpine/aports/-/tree/{commit}");
        }
        source
    }

    /// The source package `name` in `version`.
    pub fn at(&self, name: &str, version: &str) -> Source {
        let release = self.release;
        let place = match (self.format, self.base) {
            (Format::Dpkg, "debian") => {
                let version = version.replace('+', "%2B");
                format!("https://snapshot.debian.org/package/{name}/{version}/")
            }
            (Format::Apk, "alpine" | "wifibox") => format!(
                "https://gitlab.alpinelinux.org/alpine/aports, branch {release}-stable, package \
                 {name}; archives at https://distfiles.alpinelinux.org/distfiles/v{release}/"
            ),
            (_, "openwrt") => format!(
                "https://git.openwrt.org/, release {release}, package {name}; archives at \
                 https://sources.openwrt.org/"
            ),
            (_, base) => format!("the sources of {base} {release}, package {name}"),
        };
        let owned = str::to_owned;
        Source { base: owned(self.base), name: owned(name), version: owned(version), place }
    }
}

/// A rebuild without a change of source has `+b1` at the end of its version (Debian's binary
/// non-maintainer uploads).
fn without_rebuild(version: &str) -> &str {
    match version.rsplit_once("+b") {
        Some((source, number))
            if !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()) =>
        {
            source
        }
        _ => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_named_with_version_and_place() {
        let debian = Distribution { base: "debian", release: "trixie", format: Format::Dpkg };
        let package = Package {
            name: "busybox-static".into(),
            version: "1:1.37.0-6+b9".into(),
            origin: "busybox".into(),
            ..Package::default()
        };
        let source = debian.source(&package, None);
        assert_eq!((&*source.name, &*source.version), ("busybox", "1:1.37.0-6"));
        assert_eq!(source.place, "https://snapshot.debian.org/package/busybox/1:1.37.0-6/");
        let control = Control {
            source: Some("linux-signed-amd64".into()),
            source_version: Some("6.12.1+1".into()),
            ..Control::default()
        };
        let source = debian.source(&package, Some(&control));
        assert_eq!((&*source.name, &*source.version), ("linux-signed-amd64", "6.12.1+1"));
        assert!(source.place.ends_with("/6.12.1%2B1/"), "{}", source.place);
        let alpine = Distribution { base: "alpine", release: "3.23", format: Format::Apk };
        let control = Control { commit: Some("abc".into()), ..Control::default() };
        let source = alpine.source(&package, Some(&control));
        assert_eq!((&*source.name, &*source.version), ("busybox", "1:1.37.0-6+b9"));
        assert!(source.place.ends_with("/aports/-/tree/abc"), "{}", source.place);
        assert_eq!(without_rebuild("13.8+deb13u7"), "13.8+deb13u7");
        assert_eq!(without_rebuild("1+b"), "1+b");
    }
}
