//! Shared parts of the integration tests: a faulty web server, keys, package repositories of every format and a
//! progress that remembers. Everything is generated; nothing comes from outside.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // A fault of a test ends it.

pub mod adbkeys;
pub mod adbrepo;
pub mod adbwriter;
pub mod apkkeys;
pub mod apkrepo;
pub mod debrepo;
pub mod guest;
pub mod kernel;
pub mod keys;
pub mod minisign;
pub mod module;
pub mod openwrt;
pub mod opkgrepo;
pub mod pe;
pub mod rawtar;
pub mod registry;
pub mod server;
pub mod tarball;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use wifibox_ground::progress::{Progress, Task};

/// The program `wifibox-build` that Cargo built beside the test that is running.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // A test is in `deps/`, the program in the folder above.
    let folder = test.parent().and_then(Path::parent).unwrap();
    folder.join(format!("wifibox-build{}", std::env::consts::EXE_SUFFIX))
}

/// Runs the program with the recipes of `folder`, and with the store `NAME.cache` and the lock `lock` in it;
/// gives the exit code and what it said.
pub fn run(folder: &Path, name: &str, lock: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(program())
        .args(arguments)
        .arg("--recipes")
        .arg(folder)
        .arg("--cache-dir")
        .arg(folder.join(format!("{name}.cache")))
        .arg("--lock-file")
        .arg(folder.join(lock))
        .env_remove("SOURCE_DATE_EPOCH")
        .output()
        .unwrap();
    let all = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&all).into_owned())
}

/// Sends the signal, by its name without `SIG`, to a process; whether that worked. By the shell: `kill` is a program of its own only
/// where procps is.
pub fn kill(signal: &str, pid: u32) -> bool {
    let mut shell = Command::new("sh");
    shell.args(["-c", "kill -s \"$0\" \"$1\" 2>/dev/null", signal, &pid.to_string()]);
    shell.status().unwrap().success()
}

/// Remembers what was said.
#[derive(Default, Clone)]
pub struct Recorder {
    pub warnings: Arc<Mutex<Vec<String>>>,
    pub notes: Arc<Mutex<Vec<String>>>,
    pub advanced: Arc<Mutex<u64>>,
}

struct Counter(Arc<Mutex<u64>>);

impl Task for Counter {
    fn advance(&self, amount: u64) {
        *self.0.lock().unwrap() += amount;
    }
}

impl Progress for Recorder {
    fn begin(&self, _: &str, _: Option<u64>) -> Box<dyn Task> {
        Box::new(Counter(Arc::clone(&self.advanced)))
    }
    fn note(&self, message: &str) {
        self.notes.lock().unwrap().push(message.to_owned());
    }
    fn warn(&self, message: &str) {
        self.warnings.lock().unwrap().push(message.to_owned());
    }
}
