//! Resolution over whole indexes: from parsed records to a solution, the universe included.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use wifibox_formats::{Package, apkindex};
use wifibox_ground::version::Scheme;
use wifibox_solver::{Repository, Request, Universe, resolve};

use super::apk::{Apk, Repositories};
use super::measure::Measure;

/// The sizes of Alpine's main repository, and of main and community together.
const SIZES: [usize; 2] = [5_600, 17_600];

/// Most packages need what few packages have: the C library, compressors, interpreters.
const CORE: usize = 150;

/// The largest index that is read, in bytes of its text.
const INDEX_LIMIT: u64 = 1 << 30;

/// Measures over generated indexes.
pub fn generated(apk: Option<&Apk>, runs: usize) -> Result<Vec<Measure>, Box<dyn Error>> {
    let mut measures = Vec::new();
    for size in SIZES {
        let text = index(size);
        let world: Vec<String> = (0..10).map(|n| format!("package-{}", size - 1 - n * 7)).collect();
        measures.extend(over(&format!("{size} generated packages"), &[text], &world, apk, runs)?);
    }
    Ok(measures)
}

/// Measures over real indexes.
pub fn real(
    indexes: &[PathBuf],
    world: &[String],
    apk: Option<&Apk>,
    runs: usize,
) -> Result<Vec<Measure>, Box<dyn Error>> {
    let texts: Vec<String> = indexes.iter().map(read).collect::<Result<_, _>>()?;
    let count: usize = texts.iter().map(|text| text.matches("\nP:").count()).sum();
    over(&format!("{count} real packages"), &texts, world, apk, runs)
}

fn over(
    what: &str,
    texts: &[String],
    world: &[String],
    apk: Option<&Apk>,
    runs: usize,
) -> Result<Vec<Measure>, Box<dyn Error>> {
    let parse = || -> Result<Vec<Vec<Package>>, Box<dyn Error>> {
        texts.iter().map(|text| Ok(apkindex::parse(text.as_bytes())?)).collect()
    };
    let indexes: Vec<Arc<[Package]>> = parse()?.into_iter().map(Arc::from).collect();
    let requests: Vec<Request> = world
        .iter()
        .map(|text| Request::parse(Scheme::Apk, text))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let solve_over = |indexes: &[Arc<[Package]>]| -> Result<usize, Box<dyn Error>> {
        let repositories =
            indexes.iter().map(|packages| Repository::new(Arc::clone(packages))).collect();
        let universe = Universe::new(Scheme::Apk, Some("x86_64"), repositories, Vec::new())?;
        Ok(resolve(&universe, &requests).map_err(|error| error.to_string())?.packages.len())
    };
    let chosen = solve_over(&indexes)?;
    let wanted = requests.len();
    let mut measures = vec![
        Measure::take(format!("parse: {what}"), runs, parse)?,
        Measure::take(format!("resolve {wanted} ({chosen} chosen): {what}"), runs, || {
            solve_over(&indexes)
        })?,
    ];
    if let Some(apk) = apk {
        let repositories = Repositories::write(texts)?;
        measures.push(Measure::take(format!("unpack, parse, resolve: {what}"), runs, || {
            let parse = |file| -> Result<Arc<[Package]>, Box<dyn Error>> {
                Ok(Arc::from(apkindex::parse(read(file)?.as_bytes())?))
            };
            let indexes: Vec<_> = repositories.files.iter().map(parse).collect::<Result<_, _>>()?;
            solve_over(&indexes)
        })?);
        measures.push(apk.measure(what, &repositories, world, runs)?);
    }
    Ok(measures)
}

/// An index of this many packages with the shape of Alpine's: each depends on a handful of earlier
/// ones, by name and by `so:`, many have subpackages that come by `install_if`.
fn index(size: usize) -> String {
    let mut text = String::new();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    // xorshift: the same index on every machine.
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap_or_default()
    };
    for number in 0..size {
        let mut depends = String::new();
        for _ in 0..random(6).min(number) {
            let other = random(number.min(CORE));
            match random(3) {
                0 => drop(write!(depends, " package-{other}")),
                1 => drop(write!(depends, " so:lib{other}.so.1")),
                _ => drop(write!(depends, " package-{other}>=1.{}", other % 10)),
            }
        }
        let _ = write!(
            text,
            "C:Q1{number:05}AAAAAAAAAAAAAAAAAAAAAA=\nP:package-{number}\nV:1.{}.{}-r{}\nA:x86_64\nS:{}\nI:{}\n\
             T:A generated package\nL:MIT\no:package-{number}\nt:{}\nD:{}\n\
             p:so:lib{number}.so.1=1.0 cmd:tool-{number}=1.{}\n",
            number % 10,
            random(20),
            random(5),
            1000 + random(1_000_000),
            4096 + random(4_000_000),
            1_700_000_000 + number,
            depends.trim_start(),
            number % 10,
        );
        if number > 0 && random(4) == 0 {
            let _ = writeln!(text, "i:package-{} package-{}", random(number), random(number));
        }
        text.push('\n');
    }
    text
}

fn read(path: &PathBuf) -> Result<String, Box<dyn Error>> {
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = BufReader::new(File::open(path).map_err(named)?);
    let mut text = String::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        let plain = flate2::bufread::MultiGzDecoder::new(file);
        let mut archive = tar::Archive::new(plain);
        archive.set_ignore_zeros(true);
        for entry in archive.entries().map_err(named)? {
            let entry = entry.map_err(named)?;
            if entry.path_bytes().as_ref() == b"APKINDEX" {
                entry.take(INDEX_LIMIT).read_to_string(&mut text).map_err(named)?;
            }
        }
    } else {
        file.take(INDEX_LIMIT).read_to_string(&mut text).map_err(named)?;
    }
    Ok(text)
}
