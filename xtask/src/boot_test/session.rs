//! One run: a guest, the host's network stack, the shared folders and the report, moved on together.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::network::{Host, Request};
use super::qemu::{Moment, Qemu};
use super::report::Report;
use super::wanted::Wanted;

/// Console texts that mean that nothing good will come any more.
const FATAL: [&str; 4] =
    ["Kernel panic", "Out of memory", "invoked oom-killer", "wifibox: cannot boot"];

/// A run under way.
pub struct Session {
    /// The guest.
    pub qemu: Qemu,
    /// The other end of its `eth0`.
    pub host: Host,
    /// The steps so far.
    pub report: Report,
    /// The folder of the share `e2e`, by which guest and test exchange files.
    pub exchange: PathBuf,
    /// The lines that the guest must report about its machine; empty if it is not asked.
    pub machine: Vec<String>,
    /// The base of the guest, from its manifest.
    pub base: String,
    /// What the user asks for in OpenWrt\'s own form.
    pub wanted: Option<Wanted>,
    /// How long a step may take, as [`Patience`] counts it.
    pub limit: Duration,
    /// How many orders each side of the test has got.
    pub orders: BTreeMap<String, u32>,
}

/// How long a step is waited for. A guest on a busy machine has as many seconds of computing as one that has a processor for
/// itself, in at most twice the time: one that sleeps comes to an end, too.
struct Patience {
    begin: Moment,
}

impl Patience {
    fn begin(session: &Session) -> Self {
        Self { begin: session.qemu.now() }
    }

    fn is_over(&self, session: &Session) -> bool {
        self.spent(session.qemu.now()) > session.limit.as_secs_f64()
    }

    /// The seconds until `now` that count.
    fn spent(&self, now: Moment) -> f64 {
        let passed = now.seconds - self.begin.seconds;
        match (self.begin.processor, now.processor) {
            (Some(before), Some(after)) => (after - before).clamp(passed / 2.0, passed),
            _ => passed,
        }
    }
}

impl Session {
    /// Waits until `check` gives something, which becomes a step of the report; the text of the
    /// result is its detail.
    pub fn wait<T>(
        &mut self,
        name: &str,
        mut check: impl FnMut(&mut Self) -> Option<Result<(T, String), String>>,
    ) -> Result<T, String> {
        let patience = Patience::begin(self);
        loop {
            self.advance();
            match check(self) {
                Some(Ok((value, detail))) => {
                    self.report.step(name, self.qemu.now(), &detail);
                    return Ok(value);
                }
                Some(Err(error)) => return Err(format!("{name}: {error}")),
                None => {}
            }
            if let Some(ending) = self.qemu.ended() {
                return Err(format!("{name}: {ending} before that"));
            }
            if let Some(line) = FATAL.iter().find_map(|text| self.qemu.console_line(text)) {
                return Err(format!("{name}: the guest says: {line}"));
            }
            if patience.is_over(self) {
                return Err(format!("{name}: not within {} seconds", self.limit.as_secs()));
            }
        }
    }

    /// Lets a moment pass.
    pub fn advance(&mut self) {
        self.host.poll();
        std::thread::sleep(Duration::from_millis(1));
    }

    /// Waits until the kernel has handed over: the initramfs says so, or whatever is started first.
    pub fn wait_kernel(&mut self) -> Result<(), String> {
        self.wait_console(
            "kernel up",
            &["wifibox: kernel up", "wifibox: init ", "OpenRC ", "init: Console is alive"],
        )
    }

    /// Waits until the guest's services are started: our own init says so, OpenRC asks for a login.
    pub fn wait_ready(&mut self) -> Result<(), String> {
        self.wait_console("services started", &["wifibox: ready", " login:"])?;
        self.wait_machine()
    }

    /// Waits for what the guest says about its machine, where it is asked.
    fn wait_machine(&mut self) -> Result<(), String> {
        let expected = std::mem::take(&mut self.machine);
        if expected.is_empty() {
            return Ok(());
        }
        let path = self.exchange.join("out/machine");
        let devices = expected.iter().filter(|line| line.starts_with("0000:")).count();
        self.wait("the machine is bhyve's, slot by slot", |_| {
            let text = fs::read_to_string(&path).ok().filter(|text| !text.is_empty())?;
            let found: Vec<&str> = text.lines().collect();
            let missing = expected.iter().find(|line| !found.contains(&line.as_str()));
            Some(match missing {
                Some(line) => Err(format!("{line:?} is not among what the guest finds: {text}")),
                None => Ok(((), format!("{devices} devices of the file"))),
            })
        })
    }

    /// Waits for a console line that contains one of `texts`.
    pub fn wait_console(&mut self, name: &str, texts: &[&str]) -> Result<(), String> {
        self.wait(name, |session| {
            let line = texts.iter().find_map(|text| session.qemu.console_line(text))?;
            let detail = line.get(9..).unwrap_or_default().trim().to_owned();
            Some(Ok(((), detail)))
        })
    }

    /// Waits for a file of the exchange folder that is not empty, and gives its text.
    pub fn wait_file(&mut self, name: &str, file: &str) -> Result<String, String> {
        let path = self.exchange.join("out").join(file);
        self.wait(name, |_| {
            let text = fs::read_to_string(&path).ok()?;
            // The guest ends each message with a line end.
            text.ends_with('\n').then(|| Ok((text.clone(), text.trim().replace('\n', ", "))))
        })
    }

    /// Repeats a TCP request until its answer is `enough` and `accept` makes something of it.
    pub fn wait_answer<T>(
        &mut self,
        name: &str,
        target: (std::net::Ipv4Addr, u16),
        request: &[u8],
        enough: impl Fn(&[u8]) -> bool,
        mut accept: impl FnMut(&[u8]) -> Option<(T, String)>,
    ) -> Result<T, String> {
        let mut current: Option<Request> = None;
        let mut pause = Instant::now();
        let limit = self.limit;
        self.wait(name, |session| {
            let Some(under_way) = &mut current else {
                if Instant::now() >= pause {
                    current = Some(session.host.request(target, request, limit));
                }
                return None;
            };
            let answer = session.host.answer(under_way, &enough)?;
            current = None;
            pause = Instant::now() + Duration::from_millis(100);
            answer.ok().and_then(|bytes| accept(&bytes)).map(Ok)
        })
    }

    /// Asks the guest's control socket, as the host's programs would, until `state` is in its
    /// status.
    pub fn wait_status(
        &mut self,
        name: &str,
        guest: std::net::Ipv4Addr,
        state: &str,
    ) -> Result<(), String> {
        let whole = |bytes: &[u8]| bytes.ends_with(b"\n") && bytes.len() > 40;
        self.wait_answer(name, (guest, 1200), b"STATUS", whole, |bytes| {
            let text = String::from_utf8_lossy(bytes);
            text.lines().any(|line| line == state).then(|| ((), state.to_owned()))
        })
    }

    /// Has one side of the test run a script in the guest's machine, and gives what it printed. A script
    /// that fails is an error.
    pub fn order(&mut self, side: &str, script: &str) -> Result<String, String> {
        let number = self.orders.entry(side.to_owned()).or_default();
        *number += 1;
        let name = format!("{side}-{number}");
        Self::put(&self.exchange, &format!("orders/.{name}"), script.as_bytes())?;
        let folder = self.exchange.join("orders");
        fs::rename(folder.join(format!(".{name}")), folder.join(&name))
            .map_err(|error| format!("cannot write {}: {error}", folder.join(&name).display()))?;
        let out = self.exchange.join("out");
        let patience = Patience::begin(self);
        loop {
            self.advance();
            if let Ok(code) = fs::read_to_string(out.join(&name)) {
                let log = fs::read(out.join(format!("{name}.log"))).unwrap_or_default();
                let log = String::from_utf8_lossy(&log).into_owned();
                return if code.trim() == "0" {
                    Ok(log)
                } else {
                    Err(format!("{name} ended with {}: {log}", code.trim()))
                };
            }
            if let Some(ending) = self.qemu.ended() {
                return Err(format!("{name}: {ending} before that"));
            }
            if patience.is_over(self) {
                return Err(format!("{name} did not end within {} seconds", self.limit.as_secs()));
            }
        }
    }

    /// Presses the power button and waits for QEMU's end.
    pub fn power_off(&mut self) -> Result<(), String> {
        self.qemu.press_power()?;
        let pressed = self.qemu.now().seconds;
        let patience = Patience::begin(self);
        loop {
            self.advance();
            if let Some(ending) = self.qemu.ended() {
                if ending != "QEMU ended" {
                    return Err(format!("power-off: {ending}"));
                }
                let now = self.qemu.now();
                let detail = format!("{:.1} s after the power button", now.seconds - pressed);
                self.report.step("powered off", now, &detail);
                return Ok(());
            }
            if patience.is_over(self) {
                return Err("the guest did not power off".to_owned());
            }
        }
    }

    /// Writes a file of the exchange folder; scripts and programs are executable.
    pub fn put(exchange: &Path, name: &str, content: &[u8]) -> Result<(), String> {
        use std::os::unix::fs::PermissionsExt;
        let path = exchange.join(name);
        let failed = |error| format!("cannot write {}: {error}", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(&path, content).map_err(failed)?;
        let is_program = content.starts_with(b"#!") || content.starts_with(b"\x7fELF");
        let mode = if is_program { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(failed)
    }
}

/// Bytes that look random and are always the same.
pub fn test_bytes(length: usize) -> Vec<u8> {
    let blocks = (0_u64..).flat_map(|number| Sha256::digest(number.to_le_bytes()));
    blocks.take(length).collect()
}

/// SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_starved_guest_has_up_to_twice_the_time() {
        let at = |seconds, processor| Moment { seconds, processor };
        let patience = |processor| Patience { begin: at(10.0, processor) };
        assert_eq!(patience(Some(5.0)).spent(at(20.0, Some(15.0))), 10.0);
        assert_eq!(patience(Some(5.0)).spent(at(20.0, Some(12.0))), 7.0);
        assert_eq!(patience(Some(5.0)).spent(at(20.0, Some(5.0))), 5.0, "it sleeps");
        assert_eq!(
            patience(Some(5.0)).spent(at(20.0, Some(30.0))),
            10.0,
            "QEMU has several threads"
        );
        assert_eq!(patience(None).spent(at(20.0, None)), 10.0, "the system does not say");
    }
}
