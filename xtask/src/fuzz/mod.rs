//! `cargo xtask fuzz`: feeds damaged input to everything that reads other people's files (`targets`).
//!
//! Every target runs in a process of its own, with a limit on its memory and on the time of one input (`worker`,
//! `workers`): seeds that are right are damaged at random, from a fixed seed, so that the same numbers bring the same
//! inputs back. An input that panics, or ends the process, is kept in a file.
//!
//! With `--coverage`, for the targets that know it, a libFuzzer program in `xtask/fuzz` is built instead, with
//! coverage compiled in, and run: it finds its way by what the code does. A stable compiler will do.

mod adb;
mod libfuzzer;
mod mutate;
mod script;
mod targets;
mod worker;
mod workers;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use targets::{TARGETS, Target};

/// Feed damaged input to what reads other people's.
#[derive(clap::Args)]
pub struct Arguments {
    /// The fuzz target.
    #[arg(value_parser = PossibleValuesParser::new(TARGETS.iter().map(|target| target.name).chain(["all"])))]
    what: String,
    /// For how long, each, of processor time.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// The same in seconds.
    #[arg(long, conflicts_with = "minutes")]
    seconds: Option<f64>,
    /// Where the random numbers begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many targets run at a time.
    #[arg(long, default_value = "1")]
    jobs: NonZeroUsize,
    /// An input fails that brings the process above so many MiB. It cannot get more than four times as many.
    #[arg(long, default_value_t = 512)]
    memory: u64,
    /// An input fails that takes more seconds of processor time than this.
    #[arg(long, default_value_t = 5)]
    slowest: u64,
    /// Begin with the files of this folder and of those in it, too.
    #[arg(long, value_name = "FOLDER")]
    with: Option<PathBuf>,
    /// Where every input is before it runs [default: target/fuzz/NAME.input]; those that fail are kept beside it.
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Build and run libFuzzer, with coverage (adb, script).
    #[arg(long)]
    coverage: bool,
    /// The folder with the inputs that libFuzzer keeps [default: target/fuzz/corpus-NAME].
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// Run the target in this process.
    #[arg(long, hide = true)]
    here: bool,
}

impl Arguments {
    fn time(&self) -> Result<Duration, Box<dyn std::error::Error>> {
        let seconds = self.seconds.unwrap_or(self.minutes * 60.0);
        Ok(Duration::try_from_secs_f64(seconds)?)
    }
}

/// Runs the chore.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let time = arguments.time()?;
    let chosen = |target: &&Target| arguments.what == "all" || target.name == arguments.what;
    let chosen: Vec<&'static Target> = TARGETS.iter().filter(chosen).collect();
    let plan = worker::Plan {
        time,
        seed: arguments.seed,
        memory: arguments.memory,
        slowest: Duration::from_secs(arguments.slowest),
        with: arguments.with,
        keep: arguments.keep,
    };
    match chosen.as_slice() {
        [target] if arguments.coverage => {
            if !libfuzzer::PROGRAMS.contains(&target.name) {
                let known = libfuzzer::PROGRAMS.join(", ");
                return Err(format!("--coverage is for {known}").into());
            }
            let corpus = arguments.corpus;
            let corpus =
                corpus.unwrap_or_else(|| format!("target/fuzz/corpus-{}", target.name).into());
            std::fs::create_dir_all(&corpus)?;
            for (number, seed) in worker::seeds(target, plan.with.as_deref())?.iter().enumerate() {
                std::fs::write(corpus.join(format!("seed-{number:02}")), seed)?;
            }
            libfuzzer::run(target.name, target.words, &corpus, time, plan.memory)
        }
        _ if arguments.coverage => Err("--coverage is for one target".into()),
        [target] if arguments.here => worker::run(target, &plan),
        several => workers::run(several, &plan, arguments.jobs),
    }
}
