//! One run with a fault, and what must hold after it.

use std::fmt;

use super::scene::{Scene, Story};
use super::supervise::{Fault, Plan, Seen};

/// A story, and what goes wrong in it.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub story: Story,
    pub plan: Plan,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case { story, plan } = self;
        write!(f, "--story {story} --fault {} --first {}", plan.fault, plan.number)
    }
}

/// How a run ended that did as it should.
pub enum End {
    /// The program made fewer calls this time.
    NotMet,
    /// It did what it was asked for.
    Well,
    /// It was killed, or said what was wrong.
    Failed,
}

impl Case {
    /// Runs it, and the same without a fault afterwards.
    ///
    /// # Errors
    /// What should not be so.
    pub fn run(&self, scene: &Scene) -> Result<End, String> {
        scene.restore(self.story)?;
        let seen = scene.tell_with(self.story, self.plan)?;
        let Some(met) = seen.met.clone() else { return Ok(End::NotMet) };
        let told = |what: String| format!("at {met}: {what}; {}", said(&seen));
        let end = self.end(&seen).map_err(told)?;
        scene.is_whole(self.story).map_err(told)?;
        if matches!(end, End::Well) {
            scene
                .is_done(self.story)
                .map_err(|what| told(format!("it said that all is well: {what}")))?;
        }
        let next = |what: String| told(format!("the next run: {what}"));
        scene.tell(self.story).map_err(next)?;
        scene.is_done(self.story).map_err(next)?;
        if scene.is_clean(self.story).is_err() {
            // Nothing was to be done, or it could not be told yet whether another builder lives.
            scene.tell_later(self.story).map_err(next)?;
            scene.is_clean(self.story).map_err(next)?;
        }
        Ok(end)
    }

    /// How the program ended.
    fn end(&self, seen: &Seen) -> Result<End, String> {
        let Fault::Kill = self.plan.fault else { return self.said(seen) };
        if seen.was_killed() { Ok(End::Failed) } else { Err(seen.status.to_string()) }
    }

    /// The same, where it was not killed: it did its work or said why not.
    fn said(&self, seen: &Seen) -> Result<End, String> {
        let reason = match self.plan.fault {
            _ if seen.status.success() => return Ok(End::Well),
            Fault::Full => "No space left on device",
            // Where `mkdir` says that it is there, std looks whether it is a folder, and if that fails, says so, too.
            Fault::Unreadable if seen.stderr.contains("File exists") => "File exists",
            Fault::Broken | Fault::Unreadable => "Input/output error",
            Fault::Kill | Fault::Short => return Err("it failed".to_owned()),
        };
        let code = seen.status.code().ok_or_else(|| seen.status.to_string())?;
        // A file that an option names is an option's fault.
        if code != 1 && code != 2 {
            return Err(format!("exit code {code}"));
        }
        if !seen.stderr.contains(reason) {
            return Err(format!("\"{reason}\" was not said"));
        }
        Ok(End::Failed)
    }
}

/// What the program said, in a line.
fn said(seen: &Seen) -> String {
    let text = seen.stderr.trim().replace('\n', " | ");
    format!("{}, \"{text}\"", seen.status)
}
