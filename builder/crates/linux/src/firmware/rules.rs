//! The rules of manifests that go beyond the names in the modules' metadata.

use globset::{GlobBuilder, GlobMatcher};

use super::report::FirmwareError;

/// Files that go with another: `brcmfmac43602-pcie.txt` with `brcmfmac43602-pcie.bin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Companion {
    /// Which names have companions: a pattern.
    pub of: String,
    /// The extensions that take the place of the name's own and of its version, without the `.`.
    pub extensions: Vec<String>,
}

/// Names with the machine's name in them, which drivers ask for first: for each kept name that
/// matches, `STEM.BOARD.EXTENSION` becomes a link to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardLink {
    /// Which kept names get such a link: a pattern.
    pub of: String,
    /// The machine's name, as the driver spells it (`FreeBSD-BHYVE`).
    pub board: String,
}

/// A wish of the user's that narrows the choice: what matches none of its patterns stays out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The wish in the user's words: `--device 8086:2725`.
    pub label: String,
    /// Patterns of the names that may come in.
    pub patterns: Vec<String>,
}

/// Something that a flavor says will be in the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// At least one kept name must match one of these patterns.
    pub patterns: Vec<String>,
    /// Packages that hold such files, for the error.
    pub packages: Vec<String>,
}

/// The rules of manifests. Patterns are globs over names below `lib/firmware`, without compression suffixes; `*` and
/// `?` do not match `/`, `**` does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Names whose version is the newest that the driver takes: see [`super::versioned`].
    pub walk_down: Vec<String>,
    /// Files that go with others.
    pub companions: Vec<Companion>,
    /// Files to keep although no module names them. Of those under `walk_down`, the newest that the
    /// driver takes.
    pub include: Vec<String>,
    /// Files to leave out, whoever names them.
    pub exclude: Vec<String>,
    /// Files of the user's own to keep: names, not patterns.
    pub own: Vec<String>,
    /// Files to keep where they are offered; no line says that one is not.
    pub optional: Vec<String>,
    /// Limits on the choice: all of these must let a name through. The regulatory database and the user's own files
    /// always come in.
    pub limits: Vec<Limit>,
    /// Links by board name.
    pub boards: Vec<BoardLink>,
    /// Links to make: name and target, the target relative to the link's directory.
    pub links: Vec<(String, String)>,
    /// Files that must be there.
    pub promises: Vec<Promise>,
}

/// The wireless regulatory database and its signature.
pub(crate) const REGULATORY: [&str; 2] = ["regulatory.db", "regulatory.db.p7s"];

impl Rules {
    /// The rules of Linux's drivers, whatever the manifest: iwlwifi, ath10k and rtw89 walk down from their newest
    /// version, iwlwifi has `.pnvm` files, brcmfmac has settings beside its firmware.
    pub fn of_linux() -> Self {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let companion =
            |of: &str, list: &[&str]| Companion { of: of.to_owned(), extensions: texts(list) };
        Rules {
            walk_down: texts(&["iwlwifi-*.ucode", "ath10k/*/*/firmware-*.bin", "rtw89/*_fw-*.bin"]),
            companions: vec![
                companion("iwlwifi-*.ucode", &["pnvm"]),
                companion("brcm/brcmfmac*.bin", &["txt", "clm_blob", "txcap_blob"]),
            ],
            ..Rules::default()
        }
    }

    /// Adds the wireless regulatory database, without which cfg80211 keeps to the world's smallest
    /// common set of channels: the file and its signature must both be there.
    pub fn with_regulatory(mut self, packages: &[&str]) -> Self {
        for name in REGULATORY {
            let packages = packages.iter().map(|package| (*package).to_owned()).collect();
            self.include.push(name.to_owned());
            self.promises.push(Promise { patterns: vec![name.to_owned()], packages });
        }
        self
    }
}

/// The names, below `lib/firmware`, under which one of these patterns or names would find a file of
/// this base name.
///
/// # Errors
/// [`FirmwareError::Pattern`].
pub fn places<'a>(
    patterns: impl Iterator<Item = &'a str>,
    base: &str,
) -> Result<Vec<String>, FirmwareError> {
    let mut found = std::collections::BTreeSet::new();
    for text in patterns {
        let folder = text.rsplit_once('/').map(|(folder, _)| folder);
        let name = folder.map_or_else(|| base.to_owned(), |folder| format!("{folder}/{base}"));
        // A folder that is a pattern itself does not say which one is meant.
        if !folder.is_some_and(is_glob) && (text == name || Pattern::new(text)?.matches(&name)) {
            found.insert(name);
        }
    }
    Ok(found.into_iter().collect())
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) text: String,
    matcher: GlobMatcher,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Self, FirmwareError> {
        let built = GlobBuilder::new(text).literal_separator(true).build();
        let glob = built.map_err(|error| FirmwareError::Pattern {
            pattern: text.to_owned(),
            problem: error.kind().to_string(),
        })?;
        Ok(Pattern { text: text.to_owned(), matcher: glob.compile_matcher() })
    }

    pub(super) fn all(texts: &[String]) -> Result<Vec<Self>, FirmwareError> {
        texts.iter().map(|text| Pattern::new(text)).collect()
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }
}

/// The first of the patterns that matches.
pub(super) fn first_match<'a>(patterns: &'a [Pattern], name: &str) -> Option<&'a Pattern> {
    patterns.iter().find(|pattern| pattern.matches(name))
}

/// Whether a name in a module's metadata is a pattern.
pub(super) fn is_glob(name: &str) -> bool {
    name.contains(['*', '?', '['])
}
