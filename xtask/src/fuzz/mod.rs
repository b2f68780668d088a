//! `cargo xtask fuzz adb`: feeds damaged ADB files to everything that reads them.
//!
//! With `--plain` it is an ordinary program that mutates its seeds at random from a fixed seed: quick
//! to start, for continuous integration. Without it, the libFuzzer program in `xtask/fuzz` is built,
//! with coverage compiled in, and run: it finds its way by what the code does. A stable compiler will do.

mod libfuzzer;
mod mutate;
mod seeds;
mod target;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use target::Target;

/// Feed damaged files to the readers of a format.
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
    /// The folder with the inputs that libFuzzer keeps.
    #[arg(long, default_value = "target/fuzz/corpus-adb")]
    corpus: PathBuf,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// apk v3: indexes, packages, keys.
    Adb,
}

/// Runs the chore.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let What::Adb = arguments.what;
    let time = Duration::try_from_secs_f64(arguments.minutes * 60.0)?;
    if arguments.plain {
        return plain(time, arguments.seed, arguments.memory);
    }
    std::fs::create_dir_all(&arguments.corpus)?;
    for (number, seed) in seeds::all().iter().enumerate() {
        std::fs::write(arguments.corpus.join(format!("seed-{number:02}")), seed)?;
    }
    libfuzzer::run(&arguments.corpus, time, arguments.memory)
}

/// A panic ends the program with the number of the input: the same seed brings it back.
#[expect(clippy::print_stdout, reason = "the result of a chore")]
fn plain(time: Duration, seed: u64, memory: u64) -> Result<(), Box<dyn std::error::Error>> {
    let (seeds, target, begin) = (seeds::all(), Target::new(), Instant::now());
    for seed in &seeds {
        target.run(seed);
    }
    let mut random = mutate::Random::new(seed);
    let (mut count, mut slowest) = (0u64, Duration::ZERO);
    while begin.elapsed() < time {
        let input = mutate::mutant(&seeds, &mut random);
        let start = Instant::now();
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target.run(&input)));
        if run.is_err() {
            let file = std::env::temp_dir().join(format!("adb-crash-{seed}-{count}"));
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
