//! Tells the program its commit and the commit's date, for `--version`, where it is built from a checkout of its
//! own repository. From a release's archive, from crates.io or as a port it has its version only.
//!
//! The date is the commit's, never the clock's.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let version = env!("CARGO_PKG_VERSION");
    let version = commit().map_or(version.to_owned(), |commit| format!("{version} ({commit})"));
    println!("cargo:rustc-env=WIFIBOX_BUILD_VERSION={version}");
}

/// `0123456789 2026-11-21`; and has this script run again when that changes.
fn commit() -> Option<String> {
    // Unpacked inside somebody else's repository (a ports tree, a vendor folder) this is not our commit.
    if git(&["rev-parse", "--show-prefix"])? != "builder/"
        || git(&["ls-files", "--", "Cargo.toml", "build.rs"])? != "Cargo.toml\nbuild.rs"
    {
        return None;
    }
    let own = PathBuf::from(git(&["rev-parse", "--absolute-git-dir"])?);
    let shared = PathBuf::from(git(&["rev-parse", "--path-format=absolute", "--git-common-dir"])?);
    watch(&own.join("HEAD"));
    watch(&shared.join("packed-refs"));
    if let Some(branch) = git(&["symbolic-ref", "--quiet", "HEAD"]) {
        let mut place = shared.join(branch);
        // A packed branch has no file until the next commit makes one.
        while !place.exists() && place.pop() {}
        watch(&place);
    }
    git(&["log", "-1", "--abbrev=10", "--format=%h %cs"])
}

fn watch(path: &Path) {
    // Cargo takes one that is not there for changed, every time.
    if path.exists() {
        println!("cargo:rerun-if-changed={}", path.display());
    }
}

/// The output of git, without the line's end; `None` where there is no git, or it fails.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}
