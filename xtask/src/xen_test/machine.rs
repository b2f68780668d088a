//! The emulated PC: Xen and dom0 in QEMU, its console line by line.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::read_image;

/// Memory of the machine and of dom0, in MiB.
const MEMORY: u32 = 1408;
const DOM0_MEMORY: u32 = 512;
/// The slot of the card that the guest gets.
pub const CARD: &str = "0000:00:10.0";
const SLOT: &str = "10.0";
/// How much of the console is shown on failure, in lines.
const SHOWN: usize = 120;
/// How many lines of the console are kept.
const KEPT: usize = 4000;

/// A machine that runs.
pub struct Machine {
    process: Child,
    started: Instant,
    lines: Receiver<String>,
    /// Lines that no step has asked for yet, then those that were passed.
    waiting: VecDeque<String>,
    seen: VecDeque<String>,
    aloud: bool,
}

impl Machine {
    /// Starts Xen and the dom0 of an output folder, with `disk` as dom0's second disk, and `more` for QEMU.
    pub fn start(
        dom0: &Path,
        disk: &Path,
        folder: &Path,
        more: &[&str],
        aloud: bool,
    ) -> Result<Self, String> {
        let text = |path: &Path| -> Result<String, String> {
            let text = path.to_str().filter(|text| !text.contains([',', ' ']));
            text.map(str::to_owned)
                .ok_or_else(|| format!("QEMU cannot take the path {}", path.display()))
        };
        let (xen, kernel) = unpack(dom0, folder)?;
        let read = |name: &str| {
            let path = dom0.join(name);
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let cmdline = read("cmdline")?;
        let modules = format!(
            "{} {},{}",
            text(&kernel)?,
            cmdline.trim().replace(',', ",,"),
            text(&dom0.join("initramfs.img"))?
        );
        let drive = |id: &str, path: &Path| -> Result<String, String> {
            Ok(format!("if=none,id={id},format=raw,readonly=on,file={}", text(path)?))
        };
        let hypervisor = format!(
            "com1=115200,8n1 console=com1 loglvl=warning guest_loglvl=warning \
             dom0_mem={DOM0_MEMORY}M,max:{DOM0_MEMORY}M dom0_max_vcpus=1"
        );
        // One processor: the domains take turns anyway, and on a busy host two would wait for each
        // other. Xen's dom0 does not come up with `-cpu max`; cards are passed through only where
        // there is an IOMMU.
        let arguments: Vec<String> = [
            "-accel",
            "tcg,tb-size=256",
            "-machine",
            "q35",
            "-cpu",
            "qemu64,+svm,+npt",
            "-smp",
            "1",
            "-device",
            "intel-iommu",
            "-nodefaults",
            "-display",
            "none",
            "-no-reboot",
            "-serial",
            "stdio",
            "-netdev",
            "user,id=card,ipv6=off",
        ]
        .map(str::to_owned)
        .into_iter()
        .chain(["-m".to_owned(), MEMORY.to_string()])
        .chain(["-kernel".to_owned(), text(&xen)?, "-append".to_owned(), hypervisor])
        .chain(["-initrd".to_owned(), modules])
        .chain(["-drive".to_owned(), drive("root", &dom0.join("root.img"))?])
        .chain(["-device".to_owned(), "virtio-blk-pci,drive=root".to_owned()])
        .chain(["-drive".to_owned(), drive("domains", disk)?])
        .chain(["-device".to_owned(), "virtio-blk-pci,drive=domains".to_owned()])
        .chain(["-device".to_owned(), format!("e1000,netdev=card,addr={SLOT}")])
        .collect();
        let started = Instant::now();
        let mut process = Command::new("qemu-system-x86_64")
            .args(&arguments)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| {
                format!("cannot run qemu-system-x86_64 (Debian: qemu-system-x86): {error}")
            })?;
        let (sender, lines) = channel();
        if let Some(output) = process.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(output).split(b'\n') {
                    let Ok(line) = line else { break };
                    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                    let seconds = started.elapsed().as_secs_f64();
                    if sender.send(format!("{seconds:8.2} {line}")).is_err() {
                        break;
                    }
                }
            });
        }
        let (waiting, seen) = (VecDeque::new(), VecDeque::new());
        Ok(Self { process, started, lines, waiting, seen, aloud })
    }

    /// Waits for a console line that contains `text`, wherever it comes among those that no step has
    /// asked for yet.
    pub fn wait(&mut self, text: &str, limit: Duration) -> Result<String, String> {
        let end = Instant::now() + limit;
        if let Some(at) = self.waiting.iter().position(|line| line.contains(text)) {
            return Ok(self.take(at));
        }
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    if self.aloud {
                        println!("{line}");
                    }
                    self.seen.push_back(line.clone());
                    if self.seen.len() > KEPT {
                        self.seen.pop_front();
                    }
                    if line.contains(text) {
                        return Ok(line);
                    }
                    if line.contains("dom0: end:") {
                        return Err(format!("everything ended while waiting for {text:?}: {line}"));
                    }
                    self.waiting.push_back(line);
                    if self.waiting.len() > KEPT {
                        self.waiting.pop_front();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("{text:?} did not come within {} s", limit.as_secs()));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("QEMU ended while waiting for {text:?}"));
                }
            }
        }
    }

    /// Takes one line out of those that wait.
    fn take(&mut self, at: usize) -> String {
        self.waiting.remove(at).unwrap_or_default()
    }

    /// Waits for `text`, and prints that this step was passed, with what the line says.
    pub fn step(&mut self, name: &str, text: &str, limit: Duration) -> Result<(), String> {
        let line = self.wait(text, limit).map_err(|error| format!("{name}: {error}"))?;
        let (time, said) = line.split_at_checked(9).unwrap_or(("", &line));
        println!("{time} {name}: {}", said.trim());
        Ok(())
    }

    /// Prints a step that the caller has judged.
    pub fn say(&self, name: &str, detail: &str) {
        println!("{:8.2}  {name}: {detail}", self.started.elapsed().as_secs_f64());
    }

    /// A failure, with the end of the console below.
    pub fn explained(&mut self, result: Result<(), String>) -> Result<(), String> {
        result.map_err(|message| {
            let end = self.console_end(SHOWN).join("\n");
            format!("{message}\n--- the end of the console\n{end}\n---")
        })
    }

    /// The last lines of the console.
    fn console_end(&mut self, count: usize) -> Vec<String> {
        while let Ok(line) = self.lines.try_recv() {
            self.seen.push_back(line);
        }
        let skipped = self.seen.len().saturating_sub(count);
        self.seen.iter().skip(skipped).cloned().collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Xen and dom0's kernel as QEMU and Xen load them: not packed.
fn unpack(dom0: &Path, folder: &Path) -> Result<(std::path::PathBuf, std::path::PathBuf), String> {
    let is_xen = |path: &str| path.starts_with("boot/xen-") && path.ends_with(".gz");
    let found = read_image(&dom0.join("root.img"), is_xen)?;
    let (_, packed) = found
        .first()
        .ok_or_else(|| format!("{} holds no boot/xen-*.gz", dom0.join("root.img").display()))?;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .take(64 << 20)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("Xen is damaged: {error}"))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok::<_, String>(path)
    };
    let xen = write("xen", &bytes)?;
    // Xen could unpack the kernel itself, but emulated that takes longer than all of its start.
    let path = dom0.join("vmlinuz");
    let kernel = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let kernel =
        super::payload::vmlinux(&kernel).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok((xen, write("vmlinux", &kernel)?))
}
