//! Whole builds by the program itself, against mksquashfs alone on the same tree.
//!
//! Everything must be in the store already (`wifibox-build fetch`): a network says nothing about a
//! builder. Each measure is a command line and what to do before it, so that another one is a line in
//! [`Guest::measures`].

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;

use super::process::{self, Cost};
use super::tree::Input;

/// Arguments of the build benchmark.
#[derive(clap::Args)]
pub struct Arguments {
    /// The program to measure
    #[arg(long, value_name = "FILE", default_value = "target/release/wifibox-build")]
    tool: PathBuf,
    /// The folder with recipes/, overlays/, kernels/ and firmware-blobs/
    #[arg(long, value_name = "DIR", default_value = ".")]
    recipes: PathBuf,
    /// The base
    #[arg(long, default_value = "debian")]
    base: String,
    /// The flavor
    #[arg(long, default_value = "default")]
    flavor: String,
    /// Compressor of root.img: xz, zstd or gzip
    #[arg(long, default_value = "xz")]
    compression: String,
    /// Block size in KiB
    #[arg(long, default_value_t = 256)]
    block_size: u32,
    /// The lock file [default: the program's own]
    #[arg(long, value_name = "FILE")]
    lock_file: Option<PathBuf>,
    /// The folder of downloads, which is only read [default: the program's own]
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// More arguments of each build, such as --accept-licence
    #[arg(last = true)]
    more: Vec<String>,
    /// Threads
    #[arg(long, short, default_value_t = 2)]
    jobs: usize,
    /// Where to work [default: the folder for temporary files]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
}

/// Medians of one measure.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The kind of build.
    pub what: String,
    /// Medians.
    pub cost: Cost,
    /// Its time on the clock as a part of mksquashfs's, and of the cold build's.
    pub ratios: [f64; 2],
}

/// Prepares a run, by the run's number.
type Before<'a> = dyn Fn(usize) -> Result<(), Box<dyn Error>> + 'a;

/// A measure: what is done before, unmeasured, and what is measured.
struct Step<'a> {
    what: &'static str,
    before: Box<Before<'a>>,
    command: Box<dyn Fn() -> Command + 'a>,
}

struct Guest<'a> {
    arguments: &'a Arguments,
    recipes: PathBuf,
    cache: PathBuf,
    out: PathBuf,
}

/// Takes the measures.
pub fn run(arguments: &Arguments, runs: usize) -> Result<Vec<Row>, Box<dyn Error>> {
    let work = match &arguments.work {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let guest = Guest {
        arguments,
        recipes: work.path().join("recipes"),
        cache: work.path().join("cache"),
        out: work.path().join("out"),
    };
    for folder in ["recipes", "overlays", "kernels", "firmware-blobs"] {
        copy(&arguments.recipes.join(folder), &guest.recipes.join(folder))?;
    }
    fs::create_dir_all(&guest.cache)?;
    std::os::unix::fs::symlink(
        fs::canonicalize(arguments.store.join("store"))?,
        guest.cache.join("store"),
    )?;
    // The tree that mksquashfs gets is that of the guest.
    process::run(&mut guest.build(&[]))?;
    let input = Input::new(&guest.out.join("root.img"), work.path())?;
    let image = work.path().join("image");
    let steps = guest.measures(&input, &image);
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); steps.len()];
    for round in 0..runs {
        for (step, costs) in steps.iter().zip(&mut costs) {
            (step.before)(round)?;
            let cost = process::run(&mut (step.command)())?;
            super::tell(step.what, &cost);
            costs.push(cost);
        }
    }
    let medians: Vec<Cost> = costs.iter().map(|costs| super::image::median(costs)).collect();
    let wall = |number: usize| medians.get(number).map_or(f64::NAN, |cost| cost.wall);
    let row = |(step, cost): (&Step<'_>, &Cost)| Row {
        what: step.what.to_owned(),
        cost: *cost,
        ratios: [cost.wall / wall(0), cost.wall / wall(1)],
    };
    Ok(steps.iter().zip(&medians).map(row).collect())
}

impl Guest<'_> {
    /// The measures in their order: mksquashfs first, then the cold build.
    fn measures<'s>(&'s self, input: &'s Input, image: &'s Path) -> Vec<Step<'s>> {
        let nothing = || Box::new(|_| Ok(()));
        vec![
            Step {
                what: "mksquashfs alone, on the guest's tree",
                before: Box::new(|_| remove(image)),
                command: Box::new(|| self.mksquashfs(&input.folder, image)),
            },
            Step {
                what: "cold build, full store",
                before: Box::new(|_| self.empty()),
                command: Box::new(|| self.build(&[])),
            },
            Step {
                what: "nothing changed",
                before: nothing(),
                command: Box::new(|| self.build(&[])),
            },
            Step {
                what: "one overlay file changed",
                before: Box::new(|round| {
                    let file = self.recipes.join("overlays/common/root/etc/motd");
                    Ok(fs::write(file, format!("changed for the {round}. time\n"))?)
                }),
                command: Box::new(|| self.build(&[])),
            },
            Step {
                what: "built again, all in the caches",
                before: Box::new(|_| remove(&self.out)),
                command: Box::new(|| self.build(&[])),
            },
            Step {
                what: "all flavors of the base, full store",
                before: Box::new(|_| self.empty()),
                command: Box::new(|| self.guests(&["--all-flavors"])),
            },
        ]
    }

    /// Removes output and caches; the store stays.
    fn empty(&self) -> Result<(), Box<dyn Error>> {
        for cache in ["blocks", "unpacked", "built"] {
            remove(&self.cache.join(cache))?;
        }
        remove(&self.out)
    }

    fn build(&self, more: &[&str]) -> Command {
        self.guests(&[&["--flavor", &self.arguments.flavor], more].concat())
    }

    fn guests(&self, more: &[&str]) -> Command {
        let arguments = self.arguments;
        let mut command = Command::new(&arguments.tool);
        command.args(["build", "--base", &arguments.base]);
        command.args(["--frozen", "--compression", &arguments.compression]);
        command.arg("--block-size").arg(arguments.block_size.to_string());
        command.arg("--jobs").arg(arguments.jobs.to_string());
        command.arg("--recipes").arg(&self.recipes).arg("--cache-dir").arg(&self.cache);
        command.arg("--out").arg(&self.out);
        if let Some(lock) = &arguments.lock_file {
            command.arg("--lock-file").arg(lock);
        }
        command.args(&arguments.more).args(more);
        command
    }

    fn mksquashfs(&self, folder: &Path, out: &Path) -> Command {
        let mut command = Command::new("mksquashfs");
        command.arg(folder).arg(out).arg("-comp").arg(&self.arguments.compression);
        match self.arguments.compression.as_str() {
            "xz" => drop(command.args(["-Xbcj", "x86"])),
            "zstd" => drop(command.args(["-Xcompression-level", "19"])),
            _ => {}
        }
        command.arg("-b").arg(format!("{}K", self.arguments.block_size));
        command.arg("-processors").arg(self.arguments.jobs.to_string());
        command.args(["-no-progress", "-noappend", "-no-xattrs", "-all-root"]);
        command
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for path in super::tree::walk(from)? {
        let at = to.join(path.strip_prefix(from)?);
        if path.is_dir() {
            fs::create_dir_all(at)?;
        } else {
            fs::copy(path, at)?;
        }
    }
    Ok(())
}

/// Removes a file or a folder, if it is there.
fn remove(path: &Path) -> Result<(), Box<dyn Error>> {
    if path.is_dir() {
        fs::remove_dir_all(path)?;
    } else if path.exists() {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// The rows as a table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut text = "| what | wall s | cpu s | peak MiB | of mksquashfs | of the cold build |\n\
                    | --- | ---: | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    for Row { what, cost: Cost { wall, cpu, peak }, ratios: [squashfs, cold] } in rows {
        text +=
            &format!("| {what} | {wall:.3} | {cpu:.2} | {peak:.0} | {squashfs:.3} | {cold:.3} |\n");
    }
    text
}
