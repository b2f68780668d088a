//! The configuration: fragments of `kernels/slim`, and whether the kernel granted what they ask for.
//!
//! Kconfig says nothing of an option whose dependencies are not met: it leaves it out. So every line of the fragments is
//! looked for in what came of them.

use std::path::Path;

use wifibox_ground::digest::Sha256;
use wifibox_linux::kernel::config::KernelConfig;

use super::{Failure, Variant, text_of};

/// The fragments of one variant, in order.
pub struct Fragments {
    files: Vec<(String, String)>,
}

impl Fragments {
    /// Reads them.
    pub fn read(folder: &Path, variant: Variant) -> Result<Self, Failure> {
        let machine = variant.machine.name();
        let devices = if variant.xen { "xen" } else { "virtio" };
        let radios = variant.radios.then_some("radios");
        let names = ["base", machine, devices, "netfilter", "wireless"].into_iter();
        let names = names.chain(radios).chain(["hardening"]);
        let read = |name| {
            let name = format!("{name}.config");
            let text = text_of(&folder.join(&name))?;
            Ok((name, text))
        };
        Ok(Fragments { files: names.map(read).collect::<Result<_, Failure>>()? })
    }

    /// All of them as one, as `KCONFIG_ALLCONFIG` takes it.
    pub fn text(&self) -> String {
        self.files.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The hash of all of them.
    pub fn sha256(&self) -> Sha256 {
        Sha256::of(self.text().as_bytes())
    }

    /// Whether `config`, which the kernel made of them, has all that they ask for.
    ///
    /// # Errors
    /// Every line that it does not have, with what it has instead.
    pub fn check(&self, config: &str) -> Result<(), Failure> {
        let granted = KernelConfig::parse(config.as_bytes())?;
        let mut refused = Vec::new();
        for (file, text) in &self.files {
            for (number, line) in text.lines().enumerate() {
                let Some((symbol, value)) = line.split_once('=').filter(|_| !line.starts_with('#'))
                else {
                    continue;
                };
                let asked = KernelConfig::parse(line.as_bytes())?;
                if asked.get(symbol) != granted.get(symbol) {
                    let number = number + 1;
                    let found = granted.get(symbol);
                    refused.push(format!("{file}:{number}: {symbol}={value} is {found:?}"));
                }
            }
        }
        if refused.is_empty() {
            return Ok(());
        }
        let list = refused.join("\n  ");
        Err(format!(
            "this kernel does not grant what is asked of it (what an option depends on is in its Kconfig file):\n  {list}"
        )
        .into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Machine;
    use super::*;

    fn fragments(text: &str) -> Fragments {
        Fragments { files: vec![("made.config".to_owned(), text.to_owned())] }
    }

    #[test]
    fn what_is_not_granted_is_named_with_its_line() {
        let asked = fragments("# why\nCONFIG_A=y\nCONFIG_B=m\nCONFIG_C=n\nCONFIG_D=\"text\"\n");
        let granted = "CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D=\"text\"\n";
        asked.check(granted).expect("granted");
        let lacking = asked.check("CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n").expect_err("refused");
        let text = lacking.to_string();
        for line in
            ["made.config:3: CONFIG_B=m", "made.config:4: CONFIG_C=n", "made.config:5: CONFIG_D"]
        {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("CONFIG_A"), "{text}");
    }

    #[test]
    fn the_fragments_ask_for_nothing_twice_and_say_why_they_are_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kernels/slim");
        for machine in [Machine::X86_64, Machine::Aarch64] {
            for xen in [false, true] {
                let read = Fragments::read(&folder, Variant { machine, xen, radios: true });
                let mut known = std::collections::BTreeMap::new();
                for (file, text) in read.expect("read").files {
                    assert!(text.starts_with("# "), "{file} begins without a word");
                    for line in text.lines().filter(|line| !line.starts_with('#')) {
                        let Some((symbol, _)) = line.split_once('=') else {
                            assert!(line.is_empty(), "{file}: {line}");
                            continue;
                        };
                        let before = known.insert(symbol.to_owned(), file.clone());
                        assert_eq!(before, None, "{file}: {symbol}");
                    }
                }
            }
        }
    }
}
