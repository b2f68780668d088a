//! Checks a description before files are made of it: it may come from a `manifest.json` that somebody
//! changed, and its words end up in scripts and configuration.

use super::HostError;
use super::guest::{Boot, Guest};

/// Memory that a guest may have, in MiB.
pub const MEMORY: std::ops::RangeInclusive<u32> = 16..=1024 * 1024;
/// Virtual processors that a guest may have.
pub const VCPUS: std::ops::RangeInclusive<u16> = 1..=64;
/// The most functions of cards that a guest may get: those of one slot.
pub const PASSTHRU_LIMIT: usize = 8;

impl Guest {
    /// Whether every value is one that files can hold.
    ///
    /// # Errors
    /// [`HostError::Value`] names the first that is not.
    pub fn check(&self) -> Result<(), HostError> {
        word("name", &self.name, 31, "-_")?;
        word("base", &self.base, 64, "-_")?;
        word("release", &self.release, 64, "-_.")?;
        word("flavor", &self.flavor, 64, "-_")?;
        word("role", &self.role, 64, "-_")?;
        word("hypervisor", &self.hypervisor, 64, "-_")?;
        word("architecture", &self.architecture, 64, "-_")?;
        word("console", &self.console, 32, "")?;
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

fn range(
    what: &'static str,
    value: &impl ToString,
    good: bool,
    why: &str,
) -> Result<(), HostError> {
    let bad = || HostError::Value { what, value: value.to_string(), why: why.to_owned() };
    if good { Ok(()) } else { Err(bad()) }
}

fn word(what: &'static str, text: &str, longest: usize, also: &str) -> Result<(), HostError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
    let good = text.len() <= longest
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(plain);
    let also = also.chars().map(|c| format!(" {c}")).collect::<String>();
    range(what, &text, good, &format!("expected at most {longest} letters, digits{also}"))
}

/// A path below a folder, of plain characters.
fn path(what: &'static str, text: &str) -> Result<(), HostError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/+@-".contains(c);
    let good = text.len() <= 255
        && text.chars().all(plain)
        && text.split('/').all(|part| !["", ".", ".."].contains(&part) && !part.starts_with('-'));
    range(what, &text, good, "expected a relative path of letters, digits and ._/+@-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::address::Address;
    use crate::host::sample::guest;

    #[test]
    fn what_files_cannot_hold_is_refused() {
        guest().check().unwrap();
        let refused = |change: &dyn Fn(&mut Guest), words: &str| {
            let mut guest = guest();
            change(&mut guest);
            let message = guest.check().unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        };
        refused(&|guest| guest.name = "a b".to_owned(), "guest's name");
        refused(&|guest| guest.name = "-a".to_owned(), "guest's name");
        refused(&|guest| guest.name = String::new(), "guest's name");
        refused(&|guest| guest.flavor = "$(x)".to_owned(), "guest's flavor");
        refused(&|guest| guest.console = "tty S0".to_owned(), "guest's console");
        refused(&|guest| guest.memory = 15, "16 to 1048576 MiB");
        refused(&|guest| guest.vcpus = 65, "1 to 64");
        refused(&|guest| guest.disks[0].file = "../x".to_owned(), "disk image");
        refused(&|guest| guest.disks[0].file = "/x".to_owned(), "disk image");
        refused(&|guest| guest.disks[0].file = "a,b".to_owned(), "disk image");
        refused(&|guest| guest.shares[0].tag = "a=b".to_owned(), "guest's share");
        refused(&|guest| guest.shares[0].mount = "a\nb".to_owned(), "mount point");
        refused(&|guest| guest.nics[0].uplink = Some("a;b".to_owned()), "uplink");
        let line = |text: &str| {
            let text = text.to_owned();
            move |guest: &mut Guest| guest.boot.direct.as_mut().unwrap().cmdline = text.clone()
        };
        refused(&line("a\nb"), "command line");
        refused(&line(&"a".repeat(2048)), "command line");
        let card = Address::new(0, 3, 0, 0).unwrap();
        refused(&|guest| guest.passthru = vec![card, card], "once");
        refused(
            &|guest| guest.passthru = (0..9).filter_map(|n| Address::new(0, n, 0, 0)).collect(),
            "at most 8",
        );
    }
}
