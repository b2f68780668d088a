//! One target in this process: makes inputs, runs them, and counts.
//!
//! A panic is caught, and told once for each place in the code. What cannot be caught (an overflow of the stack, memory
//! that is not to be had, an endless loop) ends the process; the input is in the file then, which was written before.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::time::ClockId;

use super::mutate::{Random, mutant};
use super::targets::Target;

/// The exit code of a worker that met an input which takes too long.
pub const SLOW: i32 = 3;
/// With which a worker's line of results begins.
pub const RESULT: &str = "fuzz-result ";
/// Waiting for others' locks and disks is no fault of the input, unless it is as long as this.
const STUCK: Duration = Duration::from_secs(60);

/// How a target is run.
pub struct Plan {
    /// For how much processor time.
    pub time: Duration,
    /// Where the random numbers begin.
    pub seed: u64,
    /// The most memory, in MiB.
    pub memory: u64,
    /// The longest time of one input, of the processor's.
    pub slowest: Duration,
    /// More seeds.
    pub with: Option<PathBuf>,
    /// Where each input is before it runs.
    pub keep: Option<PathBuf>,
}

impl Plan {
    /// The file in which each input of `target` is before it runs.
    pub fn kept(&self, target: &Target) -> PathBuf {
        let usual = || format!("target/fuzz/{}.input", target.name).into();
        self.keep.clone().unwrap_or_else(usual)
    }
}

/// What became of a run.
#[derive(Default)]
pub struct Outcome {
    /// How many inputs were run.
    pub inputs: u64,
    /// How many of them were understood.
    pub read: u64,
    /// For how long, in milliseconds of processor time.
    pub millis: u64,
    /// The most memory, in KiB.
    pub peak: u64,
    /// The time of the slowest input, in milliseconds of processor time.
    pub slowest: u64,
    /// How many inputs failed, each in a place of its own.
    pub failures: u64,
}

impl Outcome {
    fn line(&self) -> String {
        let Outcome { inputs, read, millis, peak, slowest, failures } = self;
        format!("{RESULT}{inputs} {read} {millis} {peak} {slowest} {failures}")
    }

    /// Reads a worker's line.
    pub fn parse(line: &str) -> Option<Self> {
        let mut numbers =
            line.strip_prefix(RESULT)?.split(' ').map(|number| number.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        Some(Outcome {
            inputs: next()?,
            read: next()?,
            millis: next()?,
            peak: next()?,
            slowest: next()?,
            failures: next()?,
        })
    }
}

/// The target's seeds, and the files of the folder `with`.
pub fn seeds(target: &Target, with: Option<&Path>) -> std::io::Result<Vec<Vec<u8>>> {
    let mut seeds = (target.seeds)();
    if let Some(folder) = with {
        read_seeds(folder, &mut seeds)?;
    }
    Ok(seeds)
}

/// Reads the files of a folder, and of the folders in it.
fn read_seeds(folder: &Path, seeds: &mut Vec<Vec<u8>>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        match entry.file_type()?.is_dir() {
            true => read_seeds(&entry.path(), seeds)?,
            false => seeds.push(std::fs::read(entry.path())?),
        }
    }
    Ok(())
}

/// Runs the target, and prints the line of results.
#[expect(clippy::print_stdout, reason = "the result of a chore")]
pub fn run(target: &Target, plan: &Plan) -> Result<(), Box<dyn std::error::Error>> {
    let seeds = seeds(target, plan.with.as_deref())?;
    let path = plan.kept(target);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let keep = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
    let mut bench = Bench {
        target,
        run: (target.run)(),
        keep,
        path,
        plan,
        told: remember_panics(),
        places: BTreeSet::new(),
        current: Arc::default(),
        outcome: Outcome::default(),
    };
    bench.watch();
    let begin = processor_time();
    let used = || processor_time().saturating_sub(begin);
    for seed in &seeds {
        bench.one(seed)?;
    }
    let mut random = Random::new(plan.seed);
    while used() < plan.time {
        bench.one(&mutant(&seeds, target.words, &mut random))?;
    }
    let Bench { outcome, .. } = &mut bench;
    outcome.millis = millis(used());
    outcome.peak = peak_memory().unwrap_or(0);
    println!("{}", outcome.line());
    match outcome.failures {
        0 => Ok(()),
        failures => Err(format!("{}: {failures} failures", target.name).into()),
    }
}

/// Panics are remembered here by their place, with what they say, and not printed.
fn remember_panics() -> Arc<Mutex<Option<(String, String)>>> {
    let told: Arc<Mutex<Option<(String, String)>>> = Arc::default();
    let into = Arc::clone(&told);
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        let said = panic.payload_as_str().unwrap_or("a panic").to_owned();
        *into.lock().unwrap_or_else(PoisonError::into_inner) = Some((place, said));
    }));
    told
}

/// A target under test.
struct Bench<'t> {
    target: &'t Target,
    run: super::targets::Run,
    keep: File,
    path: PathBuf,
    plan: &'t Plan,
    told: Arc<Mutex<Option<(String, String)>>>,
    places: BTreeSet<String>,
    /// The number of the input that runs, from 1 on.
    current: Arc<AtomicU64>,
    outcome: Outcome,
}

impl Bench<'_> {
    /// Runs one input.
    #[expect(clippy::print_stderr, reason = "the result of a chore")]
    fn one(&mut self, input: &[u8]) -> std::io::Result<()> {
        self.keep.set_len(0)?;
        self.keep.write_all_at(input, 0)?;
        self.outcome.inputs += 1;
        let number = self.outcome.inputs;
        self.current.store(number, Ordering::Relaxed);
        let start = processor_time();
        let ran = catch_unwind(AssertUnwindSafe(|| (self.run)(input)));
        self.current.store(0, Ordering::Relaxed);
        self.outcome.slowest =
            self.outcome.slowest.max(millis(processor_time().saturating_sub(start)));
        let mut failure = match ran {
            Ok(read) => {
                self.outcome.read += u64::from(read);
                None
            }
            Err(_) => self.told.lock().unwrap_or_else(PoisonError::into_inner).take(),
        };
        if let Some(used) = peak_memory()
            && used > self.plan.memory << 10
        {
            failure.get_or_insert(("memory".to_owned(), format!("{} MiB of memory", used >> 10)));
        }
        let Some((place, said)) = failure else { return Ok(()) };
        if self.places.insert(place.clone()) {
            let file = self.path.with_extension(format!("failed-{}", self.places.len()));
            std::fs::write(&file, input)?;
            self.outcome.failures += 1;
            let (name, seed) = (self.target.name, self.plan.seed);
            eprintln!(
                "{name}: input {number} of --seed {seed}: {said} ({place}); it is {}",
                file.display()
            );
        }
        Ok(())
    }

    /// Ends the process when an input takes too long.
    #[expect(clippy::print_stderr, reason = "the result of a chore")]
    fn watch(&self) {
        let (current, slowest) = (Arc::clone(&self.current), self.plan.slowest);
        let (name, seed) = (self.target.name, self.plan.seed);
        std::thread::spawn(move || {
            let (mut seen, mut at, mut since) = (0, Duration::ZERO, Instant::now());
            loop {
                std::thread::sleep(Duration::from_millis(50));
                let number = current.load(Ordering::Relaxed);
                if number != seen || number == 0 {
                    (seen, at, since) = (number, processor_time(), Instant::now());
                    continue;
                }
                if processor_time().saturating_sub(at) > slowest
                    || since.elapsed() > STUCK.max(slowest)
                {
                    eprintln!(
                        "{name}: input {number} of --seed {seed} takes more than {slowest:?}"
                    );
                    std::process::exit(SLOW);
                }
            }
        });
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The processor time of this process until now.
fn processor_time() -> Duration {
    rustix::time::clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}

/// The most memory that this process ever had, in KiB, where the system says (Linux).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
