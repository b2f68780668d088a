//! `cargo xtask faults`: nothing is lost and nothing is half written, whichever system call fails.
//!
//! A small guest of generated packages ([`Scene`]) is built again and again, and in each run another call that touches a
//! file fails, or is the last one ([`Fault`]). The calls are seen by a supervisor outside of the program
//! ([`supervise`]), so that what is tried is the program as it is, its libraries included. After each run the
//! output is the old or the new one, byte for byte; a failure was said in words; and the next build, without a fault,
//! is byte-identical and leaves nothing that does not belong there.

mod calls;
mod run;
mod scene;
mod seccomp;
mod supervise;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use run::Case;
use scene::{Scene, Story};
use supervise::{Fault, Plan};

/// Build a small guest with every call that touches a file failing once.
#[derive(clap::Args)]
pub struct Arguments {
    /// The program [default: the wifibox-build beside this one].
    #[arg(long)]
    program: Option<PathBuf>,
    /// Only every so many-th call.
    #[arg(long, default_value = "1", value_name = "N")]
    every: NonZeroUsize,
    /// The first of these calls.
    #[arg(long, default_value_t = 1, value_name = "N")]
    first: usize,
    /// Only this story.
    #[arg(long)]
    story: Option<Story>,
    /// Only this fault.
    #[arg(long)]
    fault: Option<Fault>,
    /// How many programs run at a time.
    #[arg(long, default_value = "2")]
    jobs: NonZeroUsize,
}

/// How often is said how far it is.
const EVERY: Duration = Duration::from_secs(10);

/// What became of the cases.
struct Tally {
    /// How many cases there are, and how many are done.
    all: usize,
    done: usize,
    /// When that was said last.
    said: Instant,
    /// Runs whose fault was met, by story and fault, and how many of those ended well in spite of it.
    runs: BTreeMap<(Story, Fault), (usize, usize)>,
    failures: Vec<String>,
}

/// Runs the chore.
#[expect(clippy::print_stdout, reason = "the result of a chore")]
pub fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let program = match &arguments.program {
        Some(program) => std::path::absolute(program)?,
        None => std::env::current_exe()?.with_file_name("wifibox-build"),
    };
    if !program.is_file() {
        return Err(format!(
            "{}: no such program; build it (cargo build --bins) or name it with --program",
            program.display()
        )
        .into());
    }
    let stories = Story::ALL.into_iter().filter(|it| arguments.story.is_none_or(|one| one == *it));
    let faults: Vec<Fault> =
        Fault::ALL.into_iter().filter(|it| arguments.fault.is_none_or(|one| one == *it)).collect();
    let scenes: Vec<Scene> =
        (0..arguments.jobs.get()).map(|_| Scene::new(&program)).collect::<Result<_, _>>()?;
    let mut cases = Vec::new();
    for story in stories {
        let calls = scenes[0].count(story)?;
        println!(
            "{story}: {} calls that change something, {} others",
            calls.changing, calls.reading
        );
        for &fault in &faults {
            let most = if fault.is_for_reading() { calls.reading } else { calls.changing };
            let numbers = (arguments.first..=most).step_by(arguments.every.get());
            cases.extend(numbers.map(|number| Case { story, plan: Plan { fault, number } }));
        }
    }
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::new(cases.len())));
    std::thread::scope(|scope| {
        for scene in &scenes {
            let (next, tally, cases) = (&next, &tally, &cases);
            scope.spawn(move || {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = case.run(scene);
                    tally.lock().unwrap_or_else(PoisonError::into_inner).add(case, outcome);
                }
            });
        }
    });
    tally.into_inner().unwrap_or_else(PoisonError::into_inner).print()
}

impl Tally {
    fn new(all: usize) -> Self {
        let (runs, failures) = (BTreeMap::new(), Vec::new());
        Tally { all, done: 0, said: Instant::now(), runs, failures }
    }

    #[expect(clippy::print_stderr, reason = "failures are told as they come")]
    fn add(&mut self, case: &Case, outcome: Result<run::End, String>) {
        self.done += 1;
        if self.said.elapsed() >= EVERY {
            self.said = Instant::now();
            eprintln!("{} of {}", self.done, self.all);
        }
        let (runs, well) = self.runs.entry((case.story, case.plan.fault)).or_default();
        match outcome {
            Ok(run::End::NotMet) => {}
            Ok(end) => {
                *runs += 1;
                *well += usize::from(matches!(end, run::End::Well));
            }
            Err(what) => {
                *runs += 1;
                eprintln!("{case}: {what}");
                self.failures.push(case.to_string());
            }
        }
    }

    #[expect(clippy::print_stdout, reason = "the result of a chore")]
    fn print(self) -> Result<(), Box<dyn std::error::Error>> {
        println!("{:<10}{:<14}{:>8}{:>20}", "story", "fault", "runs", "ended well anyway");
        let mut all = 0;
        for ((story, fault), (runs, well)) in &self.runs {
            println!("{:<10}{:<14}{runs:>8}{well:>20}", story.to_string(), fault.to_string());
            all += runs;
        }
        if all == 0 {
            return Err("no fault was met".into());
        }
        if self.failures.is_empty() {
            println!(
                "{all} runs: the old or the new output each time, and the next build byte-identical"
            );
            return Ok(());
        }
        Err(format!("{} of {all} runs failed", self.failures.len()).into())
    }
}
