//! `cargo xtask bench`: how long things take, as medians of several runs, as a table and as JSON.
//!
//! Nothing here passes or fails by the clock: the numbers are for people, and for
//! docs/performance.md. Build with `--release`.

mod measure;
mod resolve;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;

use measure::Measure;

/// The arguments of the chore.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
    /// How often each measure is taken; the median counts
    #[arg(long, default_value_t = 7, global = true)]
    runs: usize,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum What {
    /// Resolve ten packages over whole indexes in Alpine's format
    Resolve {
        /// Real indexes (APKINDEX, plain or .tar.gz), all of them as one universe; generated ones of
        /// 5,600 and 17,600 packages if none is named
        #[arg(long, value_name = "FILE")]
        index: Vec<PathBuf>,
        /// The packages to resolve over real indexes
        #[arg(long, value_name = "PACKAGE")]
        world: Vec<String>,
    },
}

/// Takes the measures and prints them.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let runs = arguments.runs.max(1);
    let measures = match &arguments.what {
        What::Resolve { index, world } if !index.is_empty() => resolve::real(index, world, runs)?,
        What::Resolve { .. } => resolve::generated(runs)?,
    };
    let text =
        if arguments.json { serde_json::to_string(&measures)? + "\n" } else { table(&measures) };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn table(measures: &[Measure]) -> String {
    let mut text = format!("{:<44} {:>10} {:>10} {:>10}\n", "measure", "median", "best", "worst");
    let ms = |seconds: f64| format!("{:.1} ms", seconds * 1e3);
    for measure in measures {
        let (median, best, worst) = (ms(measure.median), ms(measure.best), ms(measure.worst));
        text += &format!("{:<44} {median:>10} {best:>10} {worst:>10}\n", measure.name);
    }
    text
}
