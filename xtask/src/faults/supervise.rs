//! Runs a program in which one call fails.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, Signal};

use super::calls::{Asked, CALLS, Class};
use super::seccomp::{Answer, Listener, ask_for};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Fault {
    /// The process is killed before the call.
    Kill,
    /// The disk is full from this call on: what takes room fails.
    Full,
    /// This call fails: what it would change is not changed.
    Broken,
    /// Half of what is written is written.
    Short,
    /// This call fails: what it would read is not read.
    Unreadable,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 5] =
        [Fault::Kill, Fault::Full, Fault::Broken, Fault::Short, Fault::Unreadable];

    /// Whether it is of calls that only read.
    pub fn is_for_reading(self) -> bool {
        self == Fault::Unreadable
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Kill => "kill",
            Fault::Full => "full",
            Fault::Broken => "broken",
            Fault::Short => "short",
            Fault::Unreadable => "unreadable",
        })
    }
}

/// Which call it happens to.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// What goes wrong.
    pub fault: Fault,
    /// The how many-th call of those that the fault is of, over all threads, from 1.
    pub number: usize,
}

/// How many calls there were.
#[derive(Debug, Default, Clone, Copy)]
pub struct Calls {
    /// That took room or changed something.
    pub changing: usize,
    /// That read.
    pub reading: usize,
}

/// What was seen.
pub struct Seen {
    /// The calls.
    pub calls: Calls,
    /// The call that the fault happened to, and its file; nothing if the program made fewer calls.
    pub met: Option<String>,
    /// How the program ended.
    pub status: ExitStatus,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Seen {
    /// Whether it was killed by what was planned.
    pub fn was_killed(&self) -> bool {
        self.status.signal() == Some(libc::SIGKILL)
    }
}

/// Runs the program to its end.
pub fn supervise(mut command: Command, plan: Option<Plan>) -> io::Result<Seen> {
    let numbers: Vec<libc::c_long> = CALLS.iter().map(super::calls::Call::number).collect();
    let socket = ask_for(&mut command, &numbers)?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // The program cannot start before somebody answers.
    let answers = std::thread::spawn(move || -> io::Result<(Calls, Option<String>)> {
        let Some(listener) = Listener::receive(&socket)? else { return Ok(Default::default()) };
        let mut judge = Judge { plan, calls: Calls::default(), met: None };
        while let Some(question) = listener.next()? {
            let asked = Asked::new(question.call, question.arguments, question.thread);
            let answer = asked.map_or(Ok(Answer::Go), |asked| judge.answer(&asked))?;
            listener.answer(&question, &answer)?;
        }
        Ok((judge.calls, judge.met))
    });
    let mut child = command.spawn()?;
    // Its end of the socket: without it, a program that was never started is waited for.
    drop(command);
    let mut stderr = Vec::new();
    if let Some(mut pipe) = child.stderr.take() {
        pipe.read_to_end(&mut stderr)?;
    }
    let status = child.wait()?;
    let answered = answers.join().map_err(|_| io::Error::other("the supervisor panicked"))?;
    let (calls, met) = answered?;
    Ok(Seen { calls, met, status, stderr: String::from_utf8_lossy(&stderr).into_owned() })
}

struct Judge {
    plan: Option<Plan>,
    calls: Calls,
    met: Option<String>,
}

impl Judge {
    fn answer(&mut self, asked: &Asked<'_>) -> io::Result<Answer> {
        let Some(path) = asked.path() else { return Ok(Answer::Go) };
        let class = asked.class();
        // Before and beside the program's own work: the loader's libraries, what the kernel tells.
        if ["/proc/", "/sys/", "/etc/", "/lib", "/usr/lib"].iter().any(|top| path.starts_with(top))
        {
            return Ok(Answer::Go);
        }
        let (count, reads) = match class {
            Class::Reading => (&mut self.calls.reading, true),
            Class::Taking | Class::Changing => (&mut self.calls.changing, false),
        };
        *count += 1;
        let Some(plan) = self.plan else { return Ok(Answer::Go) };
        if plan.fault.is_for_reading() != reads || *count < plan.number {
            return Ok(Answer::Go);
        }
        let first = *count == plan.number;
        if first {
            self.met = Some(format!("{} {path}", asked.name()));
        }
        Ok(match plan.fault {
            Fault::Kill if first => {
                let pid = Pid::from_raw(asked.thread as i32).ok_or(io::ErrorKind::NotFound)?;
                // A signal to a thread's number goes to its process.
                rustix::process::kill_process(pid, Signal::KILL)?;
                Answer::Error(libc::EINTR)
            }
            Fault::Full if class == Class::Taking => Answer::Error(libc::ENOSPC),
            Fault::Broken | Fault::Unreadable if first => Answer::Error(libc::EIO),
            Fault::Short if first => half(asked)?,
            _ => Answer::Go,
        })
    }
}

/// Writes the first half in the program's place.
fn half(asked: &Asked<'_>) -> io::Result<Answer> {
    let Some(bytes) = asked.written().filter(|bytes| bytes.len() > 1) else {
        return Ok(Answer::Go);
    };
    let process = process_of(asked.thread)?;
    let process = rustix::process::pidfd_open(process, PidfdFlags::empty())?;
    let descriptor = asked.arguments[0] as i32;
    let flags = PidfdGetfdFlags::empty();
    let file = File::from(rustix::process::pidfd_getfd(process, descriptor, flags)?);
    let first = &bytes[..bytes.len() / 2];
    let length = match asked.name() {
        "pwrite64" => file.write_at(first, asked.arguments[3])?,
        _ => io::Write::write(&mut &file, first)?,
    };
    Ok(Answer::Value(i64::try_from(length).map_err(io::Error::other)?))
}

/// The process of a thread.
fn process_of(thread: u32) -> io::Result<Pid> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status"))?;
    let process = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
    let process = process.and_then(|text| text.trim().parse().ok()).and_then(Pid::from_raw);
    process.ok_or_else(|| io::ErrorKind::NotFound.into())
}
