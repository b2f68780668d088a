//! Builds and runs the libFuzzer program in `xtask/fuzz`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::mutate::Words;

/// The targets that have a program in `xtask/fuzz`.
pub const PROGRAMS: [&str; 2] = ["adb", "script"];

/// Edge counters and traced comparisons: what libFuzzer finds its way by. All are stable options.
const COVERAGE: [&str; 8] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Cdebug-assertions",
    "-Coverflow-checks",
];

/// Runs it until the time is over, or until an input crashes it, takes more than ten seconds or more
/// than so many MiB of memory. Such an input is kept beside the corpus.
pub fn run(
    name: &str,
    words: Words,
    corpus: &Path,
    time: Duration,
    memory: u64,
) -> Result<(), Box<dyn std::error::Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (folder, built) = (here.join("fuzz"), Path::new("target/fuzz/build"));
    // The same versions of everything as the program has; cargo adds libFuzzer to it.
    std::fs::copy(here.join("../Cargo.lock"), folder.join("Cargo.lock"))?;
    let host = host()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = Command::new(cargo)
        .args(["build", "--release", "--bin", name, "--target", &host, "--target-dir"])
        .arg(std::path::absolute(built)?)
        .arg("--manifest-path")
        .arg(folder.join("Cargo.toml"))
        .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\x1f"))
        .status()?;
    if !build.success() {
        return Err("the fuzzer cannot be built; it needs a C++ compiler".into());
    }
    let dictionary = built.join(format!("{name}.words"));
    std::fs::write(&dictionary, as_dictionary(words))?;
    let run = Command::new(built.join(host).join("release").join(name))
        .arg(corpus)
        .arg(format!("-max_total_time={}", time.as_secs()))
        .arg(format!("-rss_limit_mb={memory}"))
        .arg(format!("-artifact_prefix={}-", corpus.display()))
        .arg(format!("-dict={}", dictionary.display()))
        .args(["-max_len=65536", "-timeout=10", "-print_final_stats=1"])
        .status()?;
    if run.success() { Ok(()) } else { Err("the fuzzer found something: see above".into()) }
}

/// libFuzzer's file of words: each in quotes, with every byte written as a number.
fn as_dictionary(words: Words) -> String {
    let line = |bytes: &[u8]| {
        let bytes: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("\"{bytes}\"\n")
    };
    match words {
        Words::Numbers(numbers) => numbers.iter().map(|word| line(&word.to_le_bytes())).collect(),
        Words::Texts(texts) => texts.iter().map(|text| line(text.as_bytes())).collect(),
    }
}

/// The target triple of this machine, as the compiler names it.
fn host() -> Result<String, Box<dyn std::error::Error>> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("-vV").output()?.stdout;
    let said = String::from_utf8(said)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc -vV does not name the host")?.to_owned())
}
