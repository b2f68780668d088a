//! Runs a guest in QEMU: its console with a time on each line, its machine protocol, its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wifibox_host::qemu::Board;

use crate::processor_time::{Whose, processor_time};

/// The guest's output on its console, a time before each line.
#[derive(Default)]
struct Console {
    lines: Vec<String>,
    /// The line that has no end yet, such as a login prompt.
    begun: Option<String>,
}

/// A moment of a run.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Seconds since QEMU's start.
    pub seconds: f64,
    /// Seconds of processor time that QEMU has used, where the system says: on a busy machine they tell more.
    pub processor: Option<f64>,
}

/// A guest that runs.
pub struct Qemu {
    process: Child,
    started: Instant,
    console: Arc<Mutex<Console>>,
    monitor: PathBuf,
    messages: PathBuf,
}

impl Qemu {
    /// Starts the board's QEMU with these arguments. The guest's console goes to `log`, QEMU's own messages to
    /// `messages`; `monitor` is the socket that the arguments make.
    pub fn start(
        board: Board,
        arguments: &[String],
        monitor: &Path,
        log: &Path,
        messages: &Path,
    ) -> Result<Self, String> {
        let unwritable = |error| format!("cannot write {}: {error}", messages.display());
        let own = std::fs::File::create(messages).map_err(unwritable)?;
        let started = Instant::now();
        let mut process = Command::new(board.program())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(own)
            .spawn()
            .map_err(|error| {
                format!(
                    "cannot run {} (Debian: apt install {}): {error}",
                    board.program(),
                    board.package()
                )
            })?;
        let console = Arc::new(Mutex::new(Console::default()));
        let mut file = std::fs::File::create(log)
            .map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        if let Some(output) = process.stdout.take() {
            let lines = Arc::clone(&console);
            std::thread::spawn(move || {
                let mut output = BufReader::new(output);
                let mut line = Vec::new();
                while let Ok(new) = output.fill_buf()
                    && !new.is_empty()
                {
                    let end = new.iter().position(|byte| *byte == b'\n');
                    let taken = end.map_or(new.len(), |end| end + 1);
                    line.extend_from_slice(&new[..taken]);
                    output.consume(taken);
                    let text = String::from_utf8_lossy(&line);
                    let seconds = started.elapsed().as_secs_f64();
                    let text = format!("{seconds:8.2} {}", text.trim_end());
                    // Without its log the run goes on; what matters is kept in memory.
                    let _ = if end.is_some() { writeln!(file, "{text}") } else { Ok(()) };
                    let Ok(mut console) = lines.lock() else { continue };
                    console.begun = None;
                    match end {
                        Some(_) => console.lines.push(text),
                        None => console.begun = Some(text),
                    }
                    drop(console);
                    if end.is_some() {
                        line.clear();
                    }
                }
            });
        }
        let (monitor, messages) = (monitor.to_owned(), messages.to_owned());
        Ok(Self { process, started, console, monitor, messages })
    }

    /// How long it has been running.
    pub fn now(&self) -> Moment {
        let seconds = self.started.elapsed().as_secs_f64();
        Moment {
            seconds,
            processor: processor_time(&self.process.id().to_string(), Whose::Own).ok(),
        }
    }

    /// The first console line that contains `text`.
    pub fn console_line(&self, text: &str) -> Option<String> {
        let console = self.console.lock().ok()?;
        console.lines.iter().chain(&console.begun).find(|line| line.contains(text)).cloned()
    }

    /// The last `count` console lines.
    pub fn console_end(&self, count: usize) -> Vec<String> {
        let Ok(console) = self.console.lock() else { return Vec::new() };
        let skipped = console.lines.len().saturating_sub(count);
        console.lines.iter().skip(skipped).chain(&console.begun).cloned().collect()
    }

    /// How QEMU ended, if it has.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.process.try_wait().ok()??;
        let mut messages = String::new();
        if let Ok(file) = std::fs::File::open(&self.messages) {
            let _ = file.take(4096).read_to_string(&mut messages);
        }
        let messages = messages.trim();
        Some(if status.success() && messages.is_empty() {
            "QEMU ended".to_owned()
        } else {
            format!("QEMU ended with {status}: {messages}")
        })
    }

    /// Presses the power button.
    pub fn press_power(&self) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("QEMU's monitor: {error}");
        let mut stream = UnixStream::connect(&self.monitor).map_err(failed)?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(failed)?;
        let mut answers = BufReader::new(stream.try_clone().map_err(failed)?);
        let mut line = String::new();
        answers.read_line(&mut line).map_err(failed)?;
        for command in ["qmp_capabilities", "system_powerdown"] {
            writeln!(stream, "{{\"execute\":\"{command}\"}}").map_err(failed)?;
            line.clear();
            while !line.contains("\"return\"") {
                line.clear();
                if answers.read_line(&mut line).map_err(failed)? == 0 || line.contains("\"error\"")
                {
                    return Err(format!("QEMU's monitor refused {command}: {}", line.trim()));
                }
            }
        }
        Ok(())
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // A guest that has ended already makes both fail, as they may.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
