//! root.img against mksquashfs and tar2sqfs: the same tree, codec and block size, in the same run.
//!
//! The programs run in turn, round after round, so that whatever else the machine does meets all of them.
//! Ours runs as a separate program, too: its memory is measured alone. What it costs to take the
//! folder into a tree is left out of its times, because in a build the tree is there already.

use std::error::Error;
use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;
use wifibox_ground::progress::Silent;
use wifibox_image::squashfs::{self, BlockSize, BlockStore, Codec};
use wifibox_squashfs::BlockCache;

use super::process::{self, Cost};
use super::tree::{self, Input};

/// Arguments of the image benchmark.
#[derive(clap::Args)]
pub struct Arguments {
    /// The tree: a folder, a Debian package with kernel modules (linux-image-*.deb), or a SquashFS
    /// image such as a guest's root.img; may be given more than once
    #[arg(long, value_name = "DIR|DEB|IMAGE", required = true)]
    tree: Vec<PathBuf>,
    /// Only these codecs
    #[arg(long, value_name = "CODEC", value_enum)]
    codec: Vec<Kind>,
    /// Block sizes, in KiB
    #[arg(long, value_name = "KIB", default_value = "128")]
    block_size: Vec<u32>,
    /// Threads of each program
    #[arg(long, short, default_value_t = 2)]
    jobs: usize,
    /// Do not run the other programs
    #[arg(long)]
    alone: bool,
    /// Where to work [default: the folder for temporary files]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
}

/// A codec, in the settings that are compared.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// gzip, level 9 of zlib; ours has its own.
    Gzip,
    /// Zstandard, level 19.
    Zstd,
    /// XZ with the x86 filter.
    Xz,
    /// LZ4.
    Lz4,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Gzip, Kind::Zstd, Kind::Xz];

    fn name(self) -> &'static str {
        match self {
            Kind::Gzip => "gzip",
            Kind::Zstd => "zstd",
            Kind::Xz => "xz",
            Kind::Lz4 => "lz4",
        }
    }

    fn codec(self) -> Codec {
        match self {
            Kind::Gzip => Codec::GZIP,
            Kind::Zstd => Codec::ZSTD,
            Kind::Xz => Codec::XZ,
            Kind::Lz4 => Codec::Lz4,
        }
    }

    fn mksquashfs(self) -> &'static [&'static str] {
        match self {
            Kind::Gzip => &["-comp", "gzip"],
            Kind::Zstd => &["-comp", "zstd", "-Xcompression-level", "19"],
            Kind::Xz => &["-comp", "xz", "-Xbcj", "x86"],
            Kind::Lz4 => &["-comp", "lz4"],
        }
    }

    fn tar2sqfs(self) -> &'static [&'static str] {
        match self {
            Kind::Gzip => &["-c", "gzip"],
            Kind::Zstd => &["-c", "zstd", "-X", "level=19"],
            Kind::Xz => &["-c", "xz", "-X", "x86"],
            Kind::Lz4 => &["-c", "lz4"],
        }
    }
}

/// Medians of one program over one tree.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The tree.
    pub tree: String,
    /// The codec.
    pub codec: String,
    /// Block size in KiB.
    pub block_size: u32,
    /// The program.
    pub writer: String,
    /// Medians.
    pub cost: Cost,
    /// The image's length in bytes.
    pub size: u64,
    /// Of mksquashfs's: time on the clock, processor time, size.
    pub ratios: Option<[f64; 3]>,
}

/// Takes the measures.
pub fn run(arguments: &Arguments, runs: usize) -> Result<Vec<Row>, Box<dyn Error>> {
    let work = match &arguments.work {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let codecs = if arguments.codec.is_empty() { &Kind::ALL[..] } else { &arguments.codec };
    let mut rows = Vec::new();
    for (number, from) in arguments.tree.iter().enumerate() {
        let folder = work.path().join(number.to_string());
        fs::create_dir(&folder)?;
        let input = Input::new(from, &folder)?;
        let tar = folder.join("tree.tar");
        if !arguments.alone {
            write_tar(&input.folder, &tar)?;
        }
        for block_size in &arguments.block_size {
            for codec in codecs {
                let bench = Bench {
                    input: &input,
                    tar: &tar,
                    work: &folder,
                    codec: *codec,
                    block_size: *block_size,
                    jobs: arguments.jobs,
                };
                rows.extend(bench.compare(runs, arguments.alone)?);
            }
        }
        fs::remove_dir_all(&folder)?;
    }
    Ok(rows)
}

/// The tree as an archive, in order of names.
fn write_tar(folder: &Path, tar: &Path) -> Result<(), Box<dyn Error>> {
    let mut archive = tar::Builder::new(std::io::BufWriter::new(File::create(tar)?));
    archive.follow_symlinks(false);
    for path in tree::walk(folder)? {
        archive.append_path_with_name(&path, path.strip_prefix(folder)?)?;
    }
    archive.into_inner()?.into_inner().map_err(|error| error.into_error())?;
    Ok(())
}

struct Bench<'a> {
    input: &'a Input,
    tar: &'a Path,
    work: &'a Path,
    codec: Kind,
    block_size: u32,
    jobs: usize,
}

impl Bench<'_> {
    fn compare(&self, runs: usize, alone: bool) -> Result<Vec<Row>, Box<dyn Error>> {
        type Program<'b> = (&'static str, Box<dyn Fn(&Path) -> Result<Cost, Box<dyn Error>> + 'b>);
        let cache = self.work.join("cache");
        let filled = self.work.join("filled");
        let mut programs: Vec<Program<'_>> = Vec::new();
        if !alone {
            programs.push(("mksquashfs", Box::new(|out| self.mksquashfs(out))));
            programs.push(("tar2sqfs", Box::new(|out| self.tar2sqfs(out))));
        }
        programs.push(("wifibox-build", Box::new(|out| self.ours(out, None))));
        programs.push((
            "wifibox-build, filling an empty cache",
            Box::new(|out| {
                if cache.exists() {
                    fs::remove_dir_all(&cache)?;
                }
                self.ours(out, Some(&cache))
            }),
        ));
        programs.push((
            "wifibox-build, all in the cache",
            Box::new(|out| {
                if !filled.exists() {
                    fs::rename(&cache, &filled)?;
                }
                self.ours(out, Some(&filled))
            }),
        ));
        let out = self.work.join("image");
        let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); programs.len()];
        let mut sizes = vec![0; programs.len()];
        for _ in 0..runs {
            for ((program, costs), size) in programs.iter().zip(&mut costs).zip(&mut sizes) {
                if out.exists() {
                    fs::remove_file(&out)?;
                }
                let cost = (program.1)(&out)?;
                super::tell(&format!("{}, {}", self.codec.name(), program.0), &cost);
                costs.push(cost);
                *size = fs::metadata(&out)?.len();
            }
        }
        for folder in [&cache, &filled].into_iter().filter(|folder| folder.exists()) {
            fs::remove_dir_all(folder)?;
        }
        let medians: Vec<Cost> = costs.iter().map(|costs| median(costs)).collect();
        let row = |((program, cost), size): ((&Program<'_>, &Cost), &u64)| {
            let other = medians.first().zip(sizes.first()).filter(|_| !alone);
            #[allow(clippy::cast_precision_loss)] // a ratio with three digits
            let ratios = other.map(|(other, other_size)| {
                [cost.wall / other.wall, cost.cpu / other.cpu, *size as f64 / *other_size as f64]
            });
            Row {
                tree: self.input.describe(),
                codec: self.codec.name().to_owned(),
                block_size: self.block_size,
                writer: program.0.to_owned(),
                cost: *cost,
                size: *size,
                ratios,
            }
        };
        Ok(programs.iter().zip(&medians).zip(&sizes).map(row).collect())
    }

    fn mksquashfs(&self, out: &Path) -> Result<Cost, Box<dyn Error>> {
        let mut command = Command::new("mksquashfs");
        command.arg(&self.input.folder).arg(out).args(self.codec.mksquashfs());
        command.arg("-b").arg(format!("{}K", self.block_size));
        command.arg("-processors").arg(self.jobs.to_string());
        process::run(command.args(["-no-progress", "-noappend", "-no-xattrs", "-all-root"]))
    }

    fn tar2sqfs(&self, out: &Path) -> Result<Cost, Box<dyn Error>> {
        // It reads standard input only.
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec tar2sqfs "$@" <"$0""#]).arg(self.tar);
        command.args(self.codec.tar2sqfs()).arg("-b").arg(format!("{}K", self.block_size));
        command.arg("-j").arg(self.jobs.to_string());
        process::run(command.args(["-q", "-f", "-x"]).arg(out))
    }

    fn ours(&self, out: &Path, cache: Option<&Path>) -> Result<Cost, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "write-image", "--codec", self.codec.name()]);
        command.arg("--block-size").arg(self.block_size.to_string());
        command.arg("--jobs").arg(self.jobs.to_string());
        command.arg("--tree").arg(&self.input.folder).arg("--out").arg(out);
        if let Some(cache) = cache {
            command.arg("--cache").arg(cache);
        }
        let output = command.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// The middle one of each column.
pub fn median(costs: &[Cost]) -> Cost {
    let middle = |of: fn(&Cost) -> f64| {
        let mut values: Vec<f64> = costs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Cost { wall: middle(|c| c.wall), cpu: middle(|c| c.cpu), peak: middle(|c| c.peak) }
}

/// One image, written by this process: what [`Bench::ours`] runs.
#[derive(clap::Args)]
pub struct WriteArguments {
    /// The folder
    #[arg(long)]
    tree: PathBuf,
    /// The image
    #[arg(long)]
    out: PathBuf,
    /// The codec
    #[arg(long, value_enum)]
    codec: Kind,
    /// In KiB
    #[arg(long, default_value_t = 128)]
    block_size: u32,
    /// Threads
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// A cache of blocks
    #[arg(long)]
    cache: Option<PathBuf>,
}

/// Writes it, checks it as a build does, and gives back what that cost.
pub fn write(arguments: &WriteArguments) -> Result<Cost, Box<dyn Error>> {
    let work = arguments.out.parent().ok_or("--out has no folder")?;
    let tree = tree::load(&arguments.tree, work)?;
    let options = squashfs::Options {
        codec: arguments.codec.codec(),
        block_size: BlockSize::try_from(arguments.block_size.saturating_mul(1024))?,
        source_date_epoch: u32::MAX,
        jobs: NonZeroUsize::new(arguments.jobs).ok_or("--jobs must not be 0")?,
    };
    let ((), cost) = process::of(|| {
        let cache = arguments.cache.as_deref();
        let cache = cache.map(|folder| BlockCache::open(folder, 2 << 30)).transpose()?;
        let blocks = cache.as_ref().map(|cache| cache as &dyn BlockStore);
        let mut file = File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(&arguments.out)?;
        let written = squashfs::write(&tree, &options, blocks, &mut file, &Silent)?;
        let mut image = std::io::BufReader::new(file);
        written.verify(&mut image)?;
        if let Some(cache) = cache {
            cache.finish()?;
        }
        Ok(())
    })?;
    Ok(cost)
}

/// The rows as a table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut text = "| tree | codec | block | writer | wall s | cpu s | peak MiB | bytes | wall, cpu, size \
                    of mksquashfs's |\n| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | --- |\n"
        .to_owned();
    for row in rows {
        let Row { tree, codec, block_size, writer, cost, size, ratios } = row;
        let Cost { wall, cpu, peak } = cost;
        let ratios = ratios.map_or_else(String::new, |[wall, cpu, size]| {
            format!("{wall:.3}, {cpu:.3}, {size:.4}")
        });
        text += &format!(
            "| {tree} | {codec} | {block_size} KiB | {writer} | {wall:.2} | {cpu:.2} | {peak:.0} | {size} | \
             {ratios} |\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_an_image_that_is_measured() {
        let work = tempfile::tempdir().expect("a folder");
        let folder = work.path().join("tree");
        fs::create_dir_all(folder.join("a/b")).expect("made");
        fs::write(folder.join("a/b/c.txt"), b"text ".repeat(100_000)).expect("written");
        std::os::unix::fs::symlink("b/c.txt", folder.join("a/link")).expect("made");
        let input = Input::new(&folder, work.path()).expect("an input");
        assert_eq!((input.files, input.bytes), (1, 500_000));
        let arguments = WriteArguments {
            tree: folder,
            out: work.path().join("image"),
            codec: Kind::Zstd,
            block_size: 128,
            jobs: 2,
            cache: Some(work.path().join("cache")),
        };
        for _ in 0..2 {
            let cost = write(&arguments).expect("written");
            assert!(cost.wall > 0.0 && cost.peak > 1.0, "{cost:?}");
        }
        // The image is an input as well.
        let again = Input::new(&arguments.out, work.path()).expect("an input");
        assert_ne!(again.folder, arguments.tree);
        assert_eq!((again.files, again.bytes), (1, 500_000));
    }

    #[test]
    fn medians_are_taken_of_each_column() {
        let cost = |wall, cpu, peak| Cost { wall, cpu, peak };
        let costs = [cost(1.0, 9.0, 5.0), cost(3.0, 7.0, 4.0), cost(2.0, 8.0, 6.0)];
        assert_eq!(median(&costs), cost(2.0, 8.0, 5.0));
    }
}
