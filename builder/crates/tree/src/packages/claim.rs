//! Whose files a package may take.

/// The facts of one package that decide it, from the package itself: an index of apk does not
/// repeat them.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Claim {
    /// Relations in the package's own syntax.
    pub replaces: String,
    /// Of two packages that replace each other the higher one wins (apk).
    pub priority: u32,
    /// The source package; empty if it is not said.
    pub origin: String,
}
