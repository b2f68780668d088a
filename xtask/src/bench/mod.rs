//! `cargo xtask bench`: how long things take, as medians of several runs, as a table and as JSON.
//!
//! Nothing here passes or fails by the clock: the numbers are for people, and for
//! docs/performance.md. Build with `--release`.

mod apk;
mod build;
mod image;
mod measure;
mod process;
mod resolve;
mod tree;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;

use measure::Measure;
use serde::Serialize;

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
    /// Write root.img, against mksquashfs and tar2sqfs (Debian: squashfs-tools, squashfs-tools-ng)
    Image(image::Arguments),
    /// Build whole guests: cold, after a change, with nothing changed, all flavors
    Build(build::Arguments),
    /// One image, and what it cost: what `image` runs
    #[command(hide = true)]
    WriteImage(image::WriteArguments),
    /// Resolve ten packages over whole indexes in Alpine's format, against apk-tools where it is
    /// installed
    Resolve {
        /// Real indexes (APKINDEX, plain or .tar.gz), all of them as one universe; generated ones of
        /// 5,600 and 17,600 packages if none is named
        #[arg(long, value_name = "FILE")]
        index: Vec<PathBuf>,
        /// The packages to resolve over real indexes
        #[arg(long, value_name = "PACKAGE")]
        world: Vec<String>,
        /// apk-tools [default: `apk` of the search path, if there is one]
        #[arg(long, value_name = "FILE")]
        apk: Option<PathBuf>,
    },
}

/// Takes the measures and prints them.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let runs = arguments.runs.max(1);
    let json = arguments.json;
    let text = match &arguments.what {
        What::Image(arguments) => {
            let rows = image::run(arguments, runs)?;
            text(json, &rows, || machine() + &image::table(&rows))?
        }
        What::Build(arguments) => {
            let rows = build::run(arguments, runs)?;
            text(json, &rows, || machine() + &build::table(&rows))?
        }
        What::WriteImage(arguments) => serde_json::to_string(&image::write(arguments)?)?,
        What::Resolve { index, world, apk } => {
            let apk = apk::Apk::find(apk.as_deref())?;
            let measures = match index.is_empty() {
                false => resolve::real(index, world, apk.as_ref(), runs)?,
                true => resolve::generated(apk.as_ref(), runs)?,
            };
            text(json, &measures, || table(&measures))?
        }
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// The measures as JSON, with the machine, or as a table.
fn text(
    json: bool,
    measures: &impl Serialize,
    table: impl FnOnce() -> String,
) -> Result<String, Box<dyn Error>> {
    if !json {
        return Ok(table());
    }
    let machine = machine();
    let value = serde_json::json!({
        "format": 1, "machine": machine.trim(), "measures": measures,
    });
    Ok(format!("{value}\n"))
}

/// The machine in a line: processor, how many, kernel.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.unwrap_or("unknown processor").trim_matches([' ', '\t', ':']);
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{count} x {model}, Linux {}\n\n", kernel.trim())
}

/// Says on stderr what one measure was: all of them together may take an hour.
#[allow(clippy::print_stderr, reason = "a chore prints")]
fn tell(what: &str, cost: &process::Cost) {
    eprintln!("{what}: {:.3} s, {:.3} s of processor time", cost.wall, cost.cpu);
}

fn table(measures: &[Measure]) -> String {
    let width = measures.iter().map(|measure| measure.name.len()).max().unwrap_or_default();
    let mut text =
        format!("{:<width$} {:>10} {:>10} {:>10}\n", "measure", "median", "best", "worst");
    let ms = |seconds: f64| format!("{:.1} ms", seconds * 1e3);
    for measure in measures {
        let (median, best, worst) = (ms(measure.median), ms(measure.best), ms(measure.worst));
        text += &format!("{:<width$} {median:>10} {best:>10} {worst:>10}\n", measure.name);
    }
    text
}
