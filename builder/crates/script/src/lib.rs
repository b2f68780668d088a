//! Maintainer scripts of packages, understood without running them.
//!
//! A package's script is parsed and evaluated over a file tree in memory. The commands it may call are
//! a closed vocabulary: each has the effect on the tree that its documentation says, or none where it
//! only concerns a running system (`invoke-rc.d`, `ldconfig`). What is outside of it, what asks the
//! machine it runs on, and what does not end in time is refused, with the package, the script, the
//! line, the command and the text around it. No program is started, and nothing of the host is read.
//!
//! ```
//! use wifibox_script::{Ecosystem, MemoryFiles, Script, World, understand};
//!
//! let mut files = MemoryFiles::new()
//!     .with_file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0o644)
//!     .with_file("/etc/group", "root:x:0:root\nnogroup:x:65533:\n", 0o644);
//! let world = World::new(Ecosystem::Alpine, "x86_64");
//! let text = b"#!/bin/sh\nadduser -S -D -H -h /var/empty -s /sbin/nologin -g radvd radvd 2>/dev/null\n";
//! let script = Script::new("radvd", "2.20-r0", "pre-install", text);
//!
//! let understood = understand(&script, &world, &mut files)?;
//! let said: Vec<String> = understood.effects.iter().map(ToString::to_string).collect();
//! assert!(said.contains(&"makes the user radvd (100:65533)".to_owned()));
//! # Ok::<(), wifibox_script::Refused>(())
//! ```

mod accounts;
pub mod calls;
mod commands;
mod effect;
mod error;
mod eval;
mod files;
mod memory;
mod syntax;
mod world;

pub use effect::Effect;
pub use error::{Reason, Refused};
pub use files::{Entry, Files, Kind, Meta};
pub use memory::MemoryFiles;
pub use world::{Ecosystem, Installed, Script, World};

use std::collections::BTreeMap;

use eval::{Machine, Stop};

/// Scripts larger than this are not read.
const SIZE_LIMIT: usize = 1 << 20;

/// The outcome of a script that was understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Understood {
    /// Its effects in order, each once; empty for a script that does nothing on a fresh system.
    pub effects: Vec<Effect>,
    /// Its output on standard output and standard error.
    pub said: String,
    /// debconf's answers afterwards, by question, for the package's next script.
    pub answers: BTreeMap<String, String>,
}

/// Evaluates a script over the tree.
///
/// A script that is refused may have changed the tree already.
///
/// # Errors
/// [`Refused`] says where and why the script is not understood.
pub fn understand(
    script: &Script<'_>,
    world: &World,
    files: &mut dyn Files,
) -> Result<Understood, Refused> {
    let mut machine = Machine::new(files, world, &commands::VOCABULARY, script);
    // Whatever else may end a script is caught where it ends.
    if let Err(Stop::Refused(refused)) = machine.script() {
        return Err(*refused);
    }
    let Machine { effects, said, answers, .. } = machine;
    Ok(Understood { effects, said, answers })
}
