//! Package URLs: <https://github.com/package-url/purl-spec>.

use std::fmt;

use crate::licences::Distribution;
use wifibox_formats::Package;
use wifibox_recipe::Format;

/// A package URL, written out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageUrl(String);

impl fmt::Display for PackageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PackageUrl {
    /// `pkg:KIND/NAMESPACE/NAME@VERSION?QUALIFIERS`; qualifiers without a value are left out.
    pub fn new(
        kind: &str,
        namespace: &str,
        name: &str,
        version: &str,
        qualifiers: &[(&str, &str)],
    ) -> Self {
        let mut text = format!("pkg:{kind}/");
        if !namespace.is_empty() {
            text.push_str(&encode(namespace));
            text.push('/');
        }
        text.push_str(&encode(name));
        if !version.is_empty() {
            text.push('@');
            text.push_str(&encode(version));
        }
        let mut qualifiers: Vec<_> =
            qualifiers.iter().filter(|(_, value)| !value.is_empty()).collect();
        qualifiers.sort();
        for (number, (key, value)) in qualifiers.into_iter().enumerate() {
            text.push(if number == 0 { '?' } else { '&' });
            text.push_str(&format!("{key}={}", encode(value)));
        }
        PackageUrl(text)
    }
}

/// The package URL of a distribution's package. `upstream` is the source package, which scanners for
/// vulnerabilities look up.
pub(crate) fn package_url(
    distribution: Distribution<'_>,
    package: &Package,
    upstream: &str,
) -> PackageUrl {
    let release = distribution.release;
    let (kind, namespace) = match (distribution.format, distribution.base) {
        (Format::Dpkg, base) => ("deb", base),
        // Its packages are Alpine's.
        (Format::Apk, "wifibox") => ("apk", "alpine"),
        (Format::Apk | Format::Adb, base) => ("apk", base),
        (Format::Opkg, base) => ("opkg", base),
    };
    let upstream = if upstream == package.name { "" } else { upstream };
    let qualifiers =
        [("arch", package.architecture.as_str()), ("distro", release), ("upstream", upstream)];
    PackageUrl::new(kind, namespace, &package.name, &package.version, &qualifiers)
}

/// Percent-encoding as the specification has it: a colon stays.
fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_as_the_specification_writes_them() {
        let package = Package {
            name: "busybox-static".into(),
            version: "1:1.37.0-6+b9".into(),
            architecture: "amd64".into(),
            ..Package::default()
        };
        let debian = Distribution { base: "debian", release: "trixie", format: Format::Dpkg };
        let wifibox = Distribution { base: "wifibox", release: "3.23", format: Format::Apk };
        let url = package_url(debian, &package, "busybox");
        assert_eq!(
            url.to_string(),
            "pkg:deb/debian/busybox-static@1:1.37.0-6%2Bb9?arch=amd64&distro=trixie&upstream=busybox"
        );
        let url = package_url(wifibox, &package, "busybox-static");
        assert!(url.to_string().starts_with("pkg:apk/alpine/busybox-static@"), "{url}");
        assert!(!url.to_string().contains("upstream"), "{url}");
        assert_eq!(PackageUrl::new("cargo", "", "a", "1", &[]).to_string(), "pkg:cargo/a@1");
    }
}
