//! Version order of the three package ecosystems.
//!
//! Each order lives in its own file, after the program that defines it: [`apk`] after
//! apk-tools, [`dpkg`] after dpkg (Debian Policy 5.6.12), [`opkg`] after opkg. Nothing is read or
//! written. [`Scheme`] is how the rest of the library names an ecosystem.

pub mod apk;
pub mod dpkg;
pub mod opkg;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A package ecosystem: whose version order, dependency syntax and preferences apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Alpine's apk-tools, and OpenWrt from 25.12 on.
    Apk,
    /// Debian's dpkg and apt.
    Dpkg,
    /// OpenWrt's opkg, up to 24.10.
    Opkg,
}

impl Scheme {
    /// Every ecosystem.
    pub const ALL: [Scheme; 3] = [Scheme::Apk, Scheme::Dpkg, Scheme::Opkg];

    /// The order of two versions; `None` when one of them is not a version that the ecosystem's
    /// own program accepts in a comparison.
    pub fn compare(self, a: &str, b: &str) -> Option<Ordering> {
        match self {
            Scheme::Apk => apk::compare(a, b),
            Scheme::Dpkg => dpkg::compare(a, b),
            Scheme::Opkg => opkg::compare(a, b),
        }
    }

    /// Whether [`Scheme::compare`] accepts `version`.
    pub fn is_valid(self, version: &str) -> bool {
        match self {
            Scheme::Apk => apk::is_valid(version),
            Scheme::Dpkg => dpkg::is_valid(version),
            Scheme::Opkg => opkg::is_valid(version),
        }
    }

    /// The name used on command lines: `apk`, `dpkg` or `opkg`.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Apk => "apk",
            Scheme::Dpkg => "dpkg",
            Scheme::Opkg => "opkg",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that does not name an ecosystem.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a package format; known are apk, dpkg and opkg")]
pub struct UnknownScheme(String);

impl FromStr for Scheme {
    type Err = UnknownScheme;
    fn from_str(text: &str) -> Result<Self, UnknownScheme> {
        let known = Scheme::ALL.into_iter().find(|scheme| scheme.name() == text);
        known.ok_or_else(|| UnknownScheme(text.to_owned()))
    }
}

/// Compares two runs of ASCII digits as whole numbers of any size.
pub(crate) fn compare_digits(a: &[u8], b: &[u8]) -> Ordering {
    let significant = |digits: &[u8]| {
        let zeros = digits.iter().take_while(|d| **d == b'0').count();
        digits.len() - zeros
    };
    let (la, lb) = (significant(a), significant(b));
    la.cmp(&lb).then_with(|| a[a.len() - la..].cmp(&b[b.len() - lb..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Text with the characters that matter to one of the orders, and some that do not belong.
    fn versions() -> impl Strategy<Value = String> {
        let part =
            "(0|1|2|10|01|a|b|_|_p|_rc|_pre1|_git|\\.|\\.0|\\.01|\\.10|~|~ab|-|-r1|-r|\\+|:|é)";
        proptest::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
    }

    #[test]
    fn scheme_names_round_trip() {
        for scheme in Scheme::ALL {
            assert_eq!(scheme.to_string().parse(), Ok(scheme));
        }
        assert!("rpm".parse::<Scheme>().is_err());
    }

    proptest! {
        #[test]
        fn orders_are_antisymmetric_and_reflexive(a in versions(), b in versions()) {
            for scheme in Scheme::ALL {
                let there = scheme.compare(&a, &b);
                prop_assert_eq!(there, scheme.compare(&b, &a).map(Ordering::reverse));
                prop_assert_eq!(there.is_some(), scheme.is_valid(&a) && scheme.is_valid(&b));
                if scheme.is_valid(&a) {
                    prop_assert_eq!(scheme.compare(&a, &a), Some(Ordering::Equal));
                }
            }
        }

        #[test]
        fn orders_are_transitive(a in versions(), b in versions(), c in versions()) {
            // apk compares ".01" with ".1" as text but ".1" with ".10" as numbers, so that its order
            // is only transitive where no later part starts with 0.
            let fraction = [&a, &b, &c].iter().any(|v| v.contains(".0"));
            for scheme in Scheme::ALL.into_iter().filter(|s| *s != Scheme::Apk || !fraction) {
                let at_most = |x: &str, y: &str| scheme.compare(x, y).map(Ordering::is_le);
                if at_most(&a, &b) == Some(true) && at_most(&b, &c) == Some(true) {
                    prop_assert_eq!(at_most(&a, &c), Some(true), "{} <= {} <= {}", a, b, c);
                }
            }
        }

        #[test]
        fn digits_compare_as_numbers(a in any::<u64>(), b in any::<u64>(), zeros in 0..3usize) {
            let padded = format!("{}{a}", "0".repeat(zeros));
            prop_assert_eq!(compare_digits(padded.as_bytes(), b.to_string().as_bytes()), a.cmp(&b));
        }
    }
}
