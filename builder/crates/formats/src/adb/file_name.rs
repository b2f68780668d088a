//! Where a package of an index lies: the index's `pkgname-spec` (`apk-package(5)`, `apk-mkndx(8)`).

use super::AdbError;
use wifibox_ground::path::GuestPath;

/// The rule of apk for an index that has none.
pub(super) const DEFAULT: &str = "${name}-${version}.apk";

/// The values of a rule's variables.
pub(super) struct Variables<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) arch: &'a str,
    /// The hash of the package in hexadecimal digits.
    pub(super) hash: &'a str,
}

/// Puts the values in: `${name}`, or `${hash:2}` for its first two characters. The result is relative
/// to the index and does not climb.
pub(super) fn expand(rule: &str, variables: &Variables<'_>) -> Result<String, String> {
    let unknown = |what: &str| {
        format!(
            "its rule for file names, {rule:?}, {what}; ${{name}}, ${{version}}, ${{arch}} and \
             ${{hash}} are known"
        )
    };
    if rule.contains("://") {
        return Err(format!(
            "its packages lie on other servers, at {rule:?}, which is not supported"
        ));
    }
    let mut path = String::new();
    let mut rest = rule;
    while let Some((literal, after)) = rest.split_once("${") {
        let (variable, after) =
            after.split_once('}').ok_or_else(|| unknown("has a variable that does not end"))?;
        let (variable, length) = match variable.split_once(':') {
            None => (variable, usize::MAX),
            Some((variable, length)) => {
                (variable, length.parse().map_err(|_| unknown("has a length that is no number"))?)
            }
        };
        let value = match variable {
            "name" => variables.name,
            "version" => variables.version,
            "arch" => variables.arch,
            "hash" => variables.hash,
            other => return Err(unknown(&format!("has the variable {other:?}"))),
        };
        path.push_str(literal);
        path.extend(value.chars().take(length));
        rest = after;
    }
    path.push_str(rest);
    match GuestPath::from_archive(path.as_bytes()) {
        Ok(checked) if checked.as_bytes() == path.as_bytes() && !checked.is_root() => Ok(path),
        Ok(_) => Err(format!("its rule for file names leads to {path:?}")),
        Err(error) => Err(format!("its rule for file names: {error}")),
    }
}

/// Tells an index whose rule cannot be used from the start.
pub(super) fn check(file: &str, rule: &str) -> Result<(), AdbError> {
    let variables = Variables { name: "n", version: "1", arch: "a", hash: "00" };
    expand(rule, &variables).map(drop).map_err(|why| AdbError::format(file, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTAPD: Variables<'_> =
        Variables { name: "hostapd", version: "2.11-r0", arch: "x86_64", hash: "0123456789abcdef" };

    #[test]
    fn rules_are_expanded() {
        for (rule, path) in [
            (DEFAULT, "hostapd-2.11-r0.apk"),
            ("${arch}/${name}-${version}.apk", "x86_64/hostapd-2.11-r0.apk"),
            ("${hash:2}/${name}-${hash:8}.apk", "01/hostapd-01234567.apk"),
            ("${name:4}/${name}_${version}", "host/hostapd_2.11-r0"),
            ("x", "x"),
        ] {
            assert_eq!(expand(rule, &HOSTAPD).as_deref(), Ok(path));
        }
    }

    #[test]
    fn rules_that_lead_elsewhere_are_refused() {
        for (rule, why) in [
            ("../${name}.apk", "climbs"),
            ("/${name}.apk", "absolute"),
            ("https://example.org/${name}.apk", "other servers"),
            ("${name", "does not end"),
            ("${host}.apk", "variable \"host\""),
            ("${hash:two}", "no number"),
            ("${hash:0}", "leads to"),
            ("a//b", "leads to"),
            ("", "leads to"),
        ] {
            let error = expand(rule, &HOSTAPD).expect_err(rule);
            assert!(error.contains(why), "{error}");
            assert!(check("x.adb", rule).is_err());
        }
    }
}
