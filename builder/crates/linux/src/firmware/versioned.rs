//! Firmware names that end in a version: drivers start at the newest that they know and walk down.
//!
//! iwlwifi names `iwlwifi-cc-a0-77.ucode` in its `.modinfo` and takes 76, 75 and so on down to its
//! minimum; ath10k does it with `firmware-6.bin`, rtw89 with `rtw8852b_fw-1.bin`, whose version 0 is
//! `rtw8852b_fw.bin`.

use std::collections::BTreeMap;

/// A name taken apart: `iwlwifi-7265D-29.ucode` is `iwlwifi-7265D`, 29, `ucode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Versioned<'a> {
    /// The part before the version, without the `-`.
    pub prefix: &'a str,
    /// The part after the version, without the `.`.
    pub extension: &'a str,
    /// The version.
    pub version: u32,
}

impl<'a> Versioned<'a> {
    /// Takes a name apart; `None` when it is not `PREFIX-NUMBER.EXTENSION`.
    pub fn parse(name: &'a str) -> Option<Self> {
        let (stem, extension) = name.rsplit_once('.')?;
        let (prefix, digits) = stem.rsplit_once('-')?;
        let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if prefix.is_empty() || prefix.ends_with('/') || !all_digits {
            return None;
        }
        Some(Versioned { prefix, extension, version: digits.parse().ok()? })
    }
}

/// The newest version that a driver knows, by prefix and extension.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caps(BTreeMap<(String, String), u32>);

impl Caps {
    /// Notes a name that a driver gives.
    pub fn note(&mut self, name: Versioned<'_>) {
        let key = (name.prefix.to_owned(), name.extension.to_owned());
        let cap = self.0.entry(key).or_insert(name.version);
        *cap = (*cap).max(name.version);
    }

    /// The newest version that a driver names for a prefix.
    pub fn named(&self, prefix: &str, extension: &str) -> Option<u32> {
        self.0.get(&(prefix.to_owned(), extension.to_owned())).copied()
    }

    /// The newest version to take for a prefix that no driver names but one may put together at run
    /// time (iwlwifi does, from the revisions of a card's parts): that of the named prefixes which
    /// share the most parts with it, the `-` being between parts; the newest of those.
    pub(crate) fn assumed(&self, prefix: &str, extension: &str) -> Option<u32> {
        let shared = |other: &str| {
            prefix.split('-').zip(other.split('-')).take_while(|(a, b)| a == b).count()
        };
        self.0
            .iter()
            .filter(|((_, other), _)| other == extension)
            .map(|((other, _), cap)| (shared(other), *cap))
            .filter(|(shared, _)| *shared > 0)
            .max()
            .map(|(_, cap)| cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart_at_the_last_number() {
        let parts = |name| Versioned::parse(name).map(|v| (v.prefix, v.version, v.extension));
        assert_eq!(parts("iwlwifi-7265D-29.ucode"), Some(("iwlwifi-7265D", 29, "ucode")));
        assert_eq!(parts("iwlwifi-6000g2a-6.ucode"), Some(("iwlwifi-6000g2a", 6, "ucode")));
        assert_eq!(
            parts("iwlwifi-so-a0-gf-a0-89.ucode"),
            Some(("iwlwifi-so-a0-gf-a0", 89, "ucode"))
        );
        assert_eq!(
            parts("ath10k/QCA988X/hw2.0/firmware-5.bin"),
            Some(("ath10k/QCA988X/hw2.0/firmware", 5, "bin"))
        );
        for other in ["iwlwifi-so-a0-gf-a0.pnvm", "a.bin", "-5.bin", "x/-5.bin", "a-.bin", "a-5"] {
            assert_eq!(parts(other), None, "{other}");
        }
        assert_eq!(parts("a-99999999999.bin"), None);
    }

    #[test]
    fn an_unnamed_prefix_takes_its_nearest_relatives_cap() {
        let mut caps = Caps::default();
        for name in [
            "iwlwifi-bz-a0-gf-a0-93.ucode",
            "iwlwifi-gl-c0-fm-c0-94.ucode",
            "iwlwifi-cc-a0-77.ucode",
        ] {
            caps.note(Versioned::parse(name).expect("versioned"));
        }
        assert_eq!(caps.named("iwlwifi-cc-a0", "ucode"), Some(77));
        assert_eq!(caps.named("iwlwifi-bz-b0-gf-a0", "ucode"), None);
        assert_eq!(caps.assumed("iwlwifi-bz-b0-gf-a0", "ucode"), Some(93));
        assert_eq!(caps.assumed("iwlwifi-gl-d0-x", "ucode"), Some(94));
        assert_eq!(caps.assumed("iwlwifi-zz-a0", "ucode"), Some(94), "the driver's newest");
        assert_eq!(caps.assumed("other-zz", "ucode"), None);
        assert_eq!(caps.assumed("iwlwifi-bz", "bin"), None);
    }
}
