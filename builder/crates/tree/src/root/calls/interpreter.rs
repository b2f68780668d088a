//! The first line of a script: which program reads it.

use wifibox_ground::path::GuestPath;

use super::{FOLDERS, in_folder, is_program};
use crate::Tree;

/// The program that a script names in its first line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Interpreter {
    /// The program: a path, or a name behind `/usr/bin/env`.
    pub program: Option<String>,
    /// Whether the script is a shell script.
    pub is_shell: bool,
    /// Whether the shell is bash.
    pub bash: bool,
    /// Scripts that the interpreter reads along: where it has several places for one, all of them.
    pub frame: Vec<String>,
    /// Folders that it looks for programs in, beside the usual ones.
    pub folders: &'static [&'static str],
}

/// Of OpenRC, which has moved them: its scripts for services, and its programs for them.
const OPENRC: [&str; 2] = ["/usr/libexec/rc/sh/openrc-run.sh", "/lib/rc/sh/openrc-run.sh"];
const OPENRC_FOLDERS: [&str; 4] =
    ["usr/libexec/rc/bin", "usr/libexec/rc/sbin", "lib/rc/bin", "lib/rc/sbin"];

impl Interpreter {
    /// The shell, for a file without such a line.
    pub(super) fn shell() -> Self {
        Interpreter { is_shell: true, ..Interpreter::default() }
    }

    /// As the first line of this text says; `None` for a text without one.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let line = text.strip_prefix(b"#!")?.split(|b| *b == b'\n').next()?;
        let line = std::str::from_utf8(line).ok()?;
        let mut words = line.split_whitespace();
        let mut program = words.next()?.to_owned();
        if program.ends_with("/env") {
            program = words.find(|word| !word.starts_with('-'))?.to_owned();
        }
        let mut short = program.rsplit('/').next().unwrap_or_default().to_owned();
        if short == "busybox" {
            short = words.next()?.to_owned();
        }
        let mut interpreter =
            Interpreter { program: Some(program), bash: short == "bash", ..Interpreter::default() };
        match short.as_str() {
            "sh" | "ash" | "dash" | "bash" => {
                interpreter.is_shell = true;
                // OpenWrt's services: the shell runs /etc/rc.common, which reads the script in.
                interpreter
                    .frame
                    .extend(words.find(|word| word.starts_with('/')).map(str::to_owned));
            }
            "openrc-run" => {
                interpreter.is_shell = true;
                interpreter.frame.extend(OPENRC.map(str::to_owned));
                interpreter.folders = &OPENRC_FOLDERS;
            }
            _ => {}
        }
        Some(interpreter)
    }

    /// The program, if it is not in the guest.
    pub(super) fn missing(&self, tree: &Tree) -> Option<&str> {
        let program = self.program.as_deref()?;
        let there = match program.strip_prefix('/') {
            Some(path) => GuestPath::new(path).is_ok_and(|path| is_program(tree, &path)),
            None => FOLDERS.iter().any(|folder| in_folder(tree, folder, program)),
        };
        (!there).then_some(program)
    }
}
