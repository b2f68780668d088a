//! The world of a run: a generated distribution, and what lies on the disk when the program starts.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use wifibox_testkit::guest::Guest;

use super::supervise::{Calls, Plan, Seen, supervise};
use crate::compare_tree::{self, Listing};

/// What the program is asked for, and what is there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Story {
    /// A first build: nothing is there but a lock.
    First,
    /// A build over the output of an older lock, with what its caches hold.
    Change,
    /// A newer lock over an old one.
    Lock,
}

impl Story {
    /// All of them.
    pub const ALL: [Story; 3] = [Story::First, Story::Change, Story::Lock];

    /// What it changes, in the folder of the run.
    fn subject(self) -> &'static str {
        match self {
            Story::First | Story::Change => "out",
            Story::Lock => "lock",
        }
    }

    fn verb(self) -> &'static [&'static str] {
        match self {
            Story::First | Story::Change => &["build", "--flavor", "f"],
            Story::Lock => &["lock", "--upgrade"],
        }
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Story::First => "first",
            Story::Change => "change",
            Story::Lock => "lock",
        })
    }
}

/// How a story must end.
struct Ends {
    /// What it changes, before; nothing if it is not there.
    before: Option<Listing>,
    /// And after.
    after: Option<Listing>,
    /// The names of all files, caches included, when it has been told twice.
    names: BTreeSet<Vec<u8>>,
}

/// A distribution with a folder to work in, which is the same one for all runs: its path is in the caches.
pub struct Scene {
    program: PathBuf,
    guest: Guest,
    first: Option<Ends>,
    change: Option<Ends>,
    lock: Option<Ends>,
}

impl Scene {
    /// Makes the distribution, and tells each story once without a fault.
    pub fn new(program: &Path) -> Result<Self, String> {
        let guest = Guest::new();
        let program = program.to_owned();
        let mut scene = Scene { program, guest, first: None, change: None, lock: None };
        std::fs::create_dir(scene.work()).map_err(|error| error.to_string())?;
        scene.tell(Story::Lock)?;
        scene.tell(Story::Change)?;
        scene.guest.publish_as("1.1", 1_700_000_100, |_| {});
        scene.save(Story::Lock)?;
        scene.tell(Story::Lock)?;
        scene.save(Story::Change)?;
        for name in ["out", "cache"] {
            std::fs::remove_dir_all(scene.work().join(name)).map_err(|error| error.to_string())?;
        }
        scene.save(Story::First)?;
        scene.first = Some(scene.ends(Story::First)?);
        scene.change = Some(scene.ends(Story::Change)?);
        scene.lock = Some(scene.ends(Story::Lock)?);
        Ok(scene)
    }

    fn work(&self) -> PathBuf {
        self.guest.path("work")
    }

    fn saved(&self, story: Story) -> PathBuf {
        self.guest.path(&format!("before-{story}"))
    }

    fn save(&self, story: Story) -> Result<(), String> {
        copy(&self.work(), &self.saved(story))
    }

    /// Lays out what is there before the story.
    pub fn restore(&self, story: Story) -> Result<(), String> {
        let work = self.work();
        if work.exists() {
            std::fs::remove_dir_all(&work)
                .map_err(|error| format!("cannot remove {}: {error}", work.display()))?;
        }
        copy(&self.saved(story), &work)
    }

    fn command(&self, story: Story) -> Command {
        let work = self.work();
        let mut command = Command::new(&self.program);
        command.args(story.verb());
        if story.subject() == "out" {
            command.arg("--out").arg(work.join("out"));
        }
        command.arg("--lock-file").arg(work.join("lock"));
        command.arg("--cache-dir").arg(work.join("cache"));
        command.arg("--recipes").arg(self.guest.path(""));
        command.arg("--trust-key").arg(self.guest.path("key.gpg"));
        command.arg("--mirror").arg(format!("test={}", self.guest.path("mirror").display()));
        command.env_remove("SOURCE_DATE_EPOCH").env_remove("WIFIBOX_BUILD_CACHE");
        command.current_dir(self.guest.path(""));
        command
    }

    /// Tells the story with a fault.
    pub fn tell_with(&self, story: Story, plan: Plan) -> Result<Seen, String> {
        supervise(self.command(story), Some(plan)).map_err(|error| format!("supervisor: {error}"))
    }

    /// Tells the story without one, which must end well.
    pub fn tell(&self, story: Story) -> Result<(), String> {
        self.succeed(story, self.command(story))
    }

    fn succeed(&self, story: Story, mut command: Command) -> Result<(), String> {
        let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{} without a fault, {}: {}", story, output.status, said.trim_end()))
    }

    /// Tells it once more, in full, an hour later.
    pub fn tell_later(&self, story: Story) -> Result<(), String> {
        let hour = Duration::from_secs(3600);
        let set = |path: &Path| {
            let file = std::fs::File::open(path)?;
            file.set_modified(file.metadata()?.modified()? - hour)
        };
        for name in compare_tree::folder(&self.work())?.keys() {
            let path = self.work().join(OsStr::from_bytes(name));
            if path.symlink_metadata().is_ok_and(|data| data.is_file()) {
                set(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        let mut command = self.command(story);
        if story.subject() == "out" {
            command.arg("--force");
        }
        self.succeed(story, command)
    }

    /// The calls of the story.
    pub fn count(&self, story: Story) -> Result<Calls, String> {
        self.restore(story)?;
        let seen = supervise(self.command(story), None);
        let seen = seen.map_err(|error| format!("supervisor: {error}"))?;
        if seen.status.success() { Ok(seen.calls) } else { Err(seen.stderr) }
    }

    fn ends(&self, story: Story) -> Result<Ends, String> {
        self.restore(story)?;
        let before = self.subject(story)?;
        self.tell(story)?;
        let after = self.subject(story)?;
        self.tell(story)?;
        Ok(Ends { before, after, names: self.names()? })
    }

    /// What the story changes, as it is.
    fn subject(&self, story: Story) -> Result<Option<Listing>, String> {
        let path = self.work().join(story.subject());
        if path.exists() { compare_tree::folder(&path).map(Some) } else { Ok(None) }
    }

    fn names(&self) -> Result<BTreeSet<Vec<u8>>, String> {
        Ok(compare_tree::folder(&self.work())?.into_keys().map(without_numbers).collect())
    }

    fn end_of(&self, story: Story) -> Result<&Ends, String> {
        let ends = match story {
            Story::First => &self.first,
            Story::Change => &self.change,
            Story::Lock => &self.lock,
        };
        ends.as_ref().ok_or_else(|| format!("{story} has not been told"))
    }

    /// Fails unless what the story changes is as before, or as after it.
    pub fn is_whole(&self, story: Story) -> Result<(), String> {
        let (found, ends) = (self.subject(story)?, self.end_of(story)?);
        if found == ends.before || found == ends.after {
            return Ok(());
        }
        let after = ends.after.as_ref().ok_or("nothing was made without a fault")?;
        match found {
            None => Err("what was there is gone".to_owned()),
            Some(found) => Err(format!("neither old nor new: {}", differences(after, &found))),
        }
    }

    /// Fails unless it is as after the story.
    pub fn is_done(&self, story: Story) -> Result<(), String> {
        let (found, ends) = (self.subject(story)?, self.end_of(story)?);
        if found == ends.after {
            return Ok(());
        }
        match (&ends.after, &found) {
            (Some(after), Some(found)) => {
                Err(format!("not the new: {}", differences(after, found)))
            }
            _ => Err("not there".to_owned()),
        }
    }

    /// Fails if there is a file that is not there without a fault.
    pub fn is_clean(&self, story: Story) -> Result<(), String> {
        let (found, ends) = (self.names()?, self.end_of(story)?);
        let left: Vec<_> =
            found.difference(&ends.names).map(|name| String::from_utf8_lossy(name)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("left behind: {}", left.join(", "))) }
    }
}

/// A path whose long numbers are all the same: the caches' files go by hashes with a key that each cache has of its own,
/// and by how many there were before.
fn without_numbers(path: Vec<u8>) -> Vec<u8> {
    const LONG: usize = 10;
    let number = |run: &[u8]| run.len() >= LONG && run[0].is_ascii_hexdigit();
    let runs = path.chunk_by(|a, b| a.is_ascii_hexdigit() == b.is_ascii_hexdigit());
    runs.map(|run| if number(run) { b"#" } else { run }).collect::<Vec<_>>().concat()
}

/// The first differences, in a line.
fn differences(expected: &Listing, found: &Listing) -> String {
    let all = compare_tree::compare(expected, found);
    let few: Vec<String> = all.iter().take(4).map(ToString::to_string).collect();
    format!("{} ({} in all)", few.join("; "), all.len())
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status();
    if done.is_ok_and(|status| status.success()) {
        Ok(())
    } else {
        Err(format!("cannot copy {} to {}", from.display(), to.display()))
    }
}
