//! Checks a description before files are made of it: it may come from a `manifest.json` that somebody
//! changed, and its words end up in scripts and configuration.

use super::{Boot, Guest};

/// Memory that a guest may have, in MiB.
pub const MEMORY: std::ops::RangeInclusive<u32> = 16..=1024 * 1024;
/// Virtual processors that a guest may have.
pub(crate) const VCPUS: std::ops::RangeInclusive<u16> = 1..=64;
/// The most functions of cards that a guest may get: those of one slot.
pub(crate) const PASSTHRU_LIMIT: usize = 8;

/// A value of the description that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the guest's {what} is {value:?}: {why}")]
pub struct BadValue {
    /// The name of the value.
    pub what: &'static str,
    /// The value itself.
    pub value: String,
    /// The values that are allowed.
    pub why: String,
}

impl Guest {
    /// Whether every value is one that files can hold.
    ///
    /// # Errors
    /// [`BadValue`] names the first that is not.
    pub fn check(&self) -> Result<(), BadValue> {
        word("name", &self.name, 31, "-_")?;
        word("base", &self.base, 64, "-_")?;
        word("release", &self.release, 64, "-_.")?;
        word("flavor", &self.flavor, 256, "-_+")?;
        word("role", &self.role, 64, "-_")?;
        word("hypervisor", &self.hypervisor, 64, "-_")?;
        word("architecture", &self.architecture, 64, "-_")?;
        word("console", &self.console, 32, "")?;
        if let Some(name) = &self.firewall_backend {
            word("firewall's other driver domain", name, 31, "-_")?;
            range(
                "firewall's other driver domain",
                name,
                *name != self.name,
                "it is the guest itself",
            )?;
        }
        range("memory", &self.memory, MEMORY.contains(&self.memory), "16 to 1048576 MiB")?;
        range("number of processors", &self.vcpus, VCPUS.contains(&self.vcpus), "1 to 64")?;
        let Boot { uefi, direct } = &self.boot;
        if let Some(file) = uefi {
            path("EFI image", file)?;
        }
        if let Some(direct) = direct {
            path("kernel", &direct.kernel)?;
            if let Some(file) = &direct.initramfs {
                path("initramfs", file)?;
            }
            let printable = direct.cmdline.chars().all(|c| c == ' ' || c.is_ascii_graphic());
            let fits = printable && direct.cmdline.len() <= 2047;
            range("command line", &direct.cmdline, fits, "at most 2047 printable characters")?;
        }
        for disk in &self.disks {
            path("disk image", &disk.file)?;
            word("disk", &disk.device, 16, "")?;
        }
        for card in &self.nics {
            if let Some(uplink) = &card.uplink {
                word("uplink", uplink, 15, "-_.")?;
            }
        }
        for share in &self.shares {
            word("share", &share.tag, 31, "-_")?;
            path("mount point", &share.mount)?;
            if let Some(samples) = &share.samples {
                path("folder of samples", samples)?;
            }
        }
        let count = self.passthru.len();
        range("number of cards", &count, count <= PASSTHRU_LIMIT, "at most 8")?;
        for (index, card) in self.passthru.iter().enumerate() {
            let once = !self.passthru.iter().take(index).any(|other| other == card);
            range("card", card, once, "each card can be handed over once")?;
        }
        Ok(())
    }
}

fn range(what: &'static str, value: &impl ToString, good: bool, why: &str) -> Result<(), BadValue> {
    let bad = || BadValue { what, value: value.to_string(), why: why.to_owned() };
    if good { Ok(()) } else { Err(bad()) }
}

fn word(what: &'static str, text: &str, longest: usize, also: &str) -> Result<(), BadValue> {
    let plain = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
    let good = text.len() <= longest
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(plain);
    let also = also.chars().map(|c| format!(" {c}")).collect::<String>();
    range(what, &text, good, &format!("expected at most {longest} letters, digits{also}"))
}

/// A path below a folder, of plain characters.
fn path(what: &'static str, text: &str) -> Result<(), BadValue> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/+@-".contains(c);
    let good = text.len() <= 255
        && text.chars().all(plain)
        && text.split('/').all(|part| !["", ".", ".."].contains(&part) && !part.starts_with('-'));
    range(what, &text, good, "expected a relative path of letters, digits and ._/+@-")
}
