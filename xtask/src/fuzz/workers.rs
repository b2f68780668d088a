//! Runs targets side by side, each in a process of its own, and prints what became of them.

use std::io::{BufRead as _, BufReader};
use std::num::NonZeroUsize;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::targets::Target;
use super::worker::{Outcome, Plan, SLOW};

/// Says how many KiB of addresses the program may have, and becomes it. Not every system knows that limit.
const LIMITED: &str = "ulimit -v \"$0\" 2>/dev/null; exec \"$@\"";

/// Runs the targets, so many at a time.
///
/// # Errors
/// One of them failed.
#[expect(clippy::print_stdout, reason = "the result of a chore")]
pub fn run(
    targets: &[&'static Target],
    plan: &Plan,
    jobs: NonZeroUsize,
) -> Result<(), Box<dyn std::error::Error>> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    println!("{}", line("target", &["inputs", "read", "s", "MiB", "slowest ms", "failures"]));
    std::thread::scope(|scope| {
        for _ in 0..jobs.get().min(targets.len()) {
            scope.spawn(|| {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (outcome, fault) = match one(target, plan) {
                        Ok(outcome) => outcome,
                        Err(error) => (None, Some(error.to_string())),
                    };
                    println!("{}", row(target, outcome.as_ref()));
                    let fault = fault.or_else(|| {
                        (outcome?.failures > 0).then(|| "inputs failed: see above".to_owned())
                    });
                    if let Some(fault) = fault {
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        failed.push(format!("{}: {fault}", target.name));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}

fn line(name: &str, cells: &[&str; 6]) -> String {
    let [inputs, read, seconds, peak, slowest, failures] = cells;
    format!("{name:<14}{inputs:>11}{read:>7}{seconds:>7}{peak:>7}{slowest:>12}{failures:>10}")
}

fn row(target: &Target, outcome: Option<&Outcome>) -> String {
    let Some(Outcome { inputs, read, millis, peak, slowest, failures }) = outcome else {
        return line(target.name, &["", "", "", "", "", "ended"]);
    };
    let read = format!("{} %", read * 100 / inputs.max(&1));
    let cell = |number: &u64| number.to_string();
    let (seconds, peak) = (cell(&(millis / 1000)), cell(&(peak >> 10)));
    let cells = [&cell(inputs), &read, &seconds, &peak, &cell(slowest), &cell(failures)];
    line(target.name, &cells.map(String::as_str))
}

/// Runs one target to its end: what it counted, and how it ended where that was not of itself.
fn one(target: &Target, plan: &Plan) -> std::io::Result<(Option<Outcome>, Option<String>)> {
    let kept = plan.kept(target);
    let mut command = Command::new("sh");
    command.arg("-c").arg(LIMITED).arg((plan.memory * 4 * 1024).to_string());
    command.arg(std::env::current_exe()?).args(["fuzz", target.name, "--here", "--seconds"]);
    command.arg(plan.time.as_secs_f64().to_string());
    for (option, value) in
        [("--seed", plan.seed), ("--memory", plan.memory), ("--slowest", plan.slowest.as_secs())]
    {
        command.arg(option).arg(value.to_string());
    }
    command.arg("--keep").arg(&kept);
    if let Some(folder) = &plan.with {
        command.arg("--with").arg(folder);
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut outcome = None;
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(|out| out.lines()) {
        outcome = Outcome::parse(&line?).or(outcome);
    }
    let status = child.wait()?;
    if outcome.is_some() {
        std::fs::remove_file(&kept).ok();
        return Ok((outcome, None));
    }
    let crash = kept.with_extension("crash");
    std::fs::rename(&kept, &crash)?;
    Ok((None, Some(format!("{}: {}", ended(status), crash.display()))))
}

/// How a worker ended that said no result.
fn ended(status: ExitStatus) -> String {
    match status.code() {
        Some(SLOW) => "an input takes too long".to_owned(),
        _ => format!("the worker ended with {status}"),
    }
}
