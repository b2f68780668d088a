//! `cargo xtask fuzz`: feeds damaged input to what reads other people's: files of apk v3 to everything that
//! reads them (`adb`), maintainer scripts to their evaluator (`script`).
//!
//! With `--plain` it is an ordinary program that mutates its seeds at random from a fixed seed: quick
//! to start, for continuous integration. Without it, a libFuzzer program in `xtask/fuzz` is built,
//! with coverage compiled in, and run: it finds its way by what the code does. A stable compiler will do.

mod adb;
mod clock;
mod libfuzzer;
mod mutate;
mod script;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clock::Clock;
use mutate::Words;

/// Feed damaged input to what reads other people's.
#[derive(clap::Args)]
pub struct Arguments {
    /// The fuzz target.
    #[arg(value_enum)]
    what: What,
    /// For how long.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Mutate at random in this process, without coverage.
    #[arg(long)]
    plain: bool,
    /// Where the random numbers of `--plain` begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Fail when the process has more memory than this, in MiB.
    #[arg(long, default_value_t = 512)]
    memory: u64,
    /// Begin with the files of this folder and of those in it, too.
    #[arg(long, value_name = "FOLDER")]
    with: Option<PathBuf>,
    /// The folder with the inputs that libFuzzer keeps [default: target/fuzz/corpus-WHAT].
    #[arg(long)]
    corpus: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// apk v3: indexes, packages, keys.
    Adb,
    /// Maintainer scripts.
    Script,
}

/// What the fuzzer works on.
struct Subject {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    words: Words,
    run: Run,
}

/// Gives bytes to what is fuzzed.
type Run = Box<dyn Fn(&[u8])>;

impl Subject {
    fn new(what: What) -> Self {
        match what {
            What::Adb => {
                let target = adb::Target::new();
                let run = Box::new(move |bytes: &[u8]| target.run(bytes));
                Subject {
                    name: "adb",
                    seeds: adb::seeds(),
                    words: Words::Numbers(&adb::WORDS),
                    run,
                }
            }
            What::Script => {
                let target = script::Target::new();
                let run = Box::new(move |bytes: &[u8]| target.run(bytes));
                let words = Words::Texts(&script::WORDS);
                Subject { name: "script", seeds: script::seeds(), words, run }
            }
        }
    }
}

/// Runs the chore.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut subject = Subject::new(arguments.what);
    if let Some(folder) = &arguments.with {
        read_seeds(folder, &mut subject.seeds)?;
    }
    let time = Duration::try_from_secs_f64(arguments.minutes * 60.0)?;
    if arguments.plain {
        return plain(&subject, time, arguments.seed, arguments.memory);
    }
    let corpus =
        arguments.corpus.unwrap_or_else(|| format!("target/fuzz/corpus-{}", subject.name).into());
    std::fs::create_dir_all(&corpus)?;
    for (number, seed) in subject.seeds.iter().enumerate() {
        std::fs::write(corpus.join(format!("seed-{number:02}")), seed)?;
    }
    libfuzzer::run(subject.name, subject.words, &corpus, time, arguments.memory)
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

/// A panic ends the program with the number of the input: the same seed brings it back.
#[expect(clippy::print_stdout, reason = "the result of a chore")]
fn plain(
    subject: &Subject,
    time: Duration,
    seed: u64,
    memory: u64,
) -> Result<(), Box<dyn std::error::Error>> {
    let Subject { name, seeds, words, run } = subject;
    seeds.iter().for_each(|seed| run(seed));
    let begin = Instant::now();
    let mut random = mutate::Random::new(seed);
    let (mut count, mut slowest) = (0u64, Duration::ZERO);
    while begin.elapsed() < time {
        let input = mutate::mutant(seeds, *words, &mut random);
        let start = Clock::start();
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&input)));
        if ran.is_err() {
            let file = std::env::temp_dir().join(format!("{name}-crash-{seed}-{count}"));
            std::fs::write(&file, &input)?;
            return Err(format!("input {count} of --seed {seed} fails: {}", file.display()).into());
        }
        slowest = slowest.max(start.elapsed());
        count += 1;
        if let Some(used) = peak_memory()
            && used > memory << 10
        {
            return Err(format!("input {count} of --seed {seed}: {used} KiB of memory").into());
        }
    }
    let peak = peak_memory().map_or("unknown".to_owned(), |used| format!("{} MiB", used >> 10));
    println!(
        "{count} inputs in {} s, no crash; slowest {} ms, peak memory {peak}",
        begin.elapsed().as_secs(),
        slowest.as_millis()
    );
    Ok(())
}

/// The most memory that this process ever had, in KiB, where the system says (Linux).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
