//! A kernel's configuration: the `.config` that packages ship as `boot/config-VERSION`.
//!
//! Lines are `CONFIG_X=y`, `=m`, `=n`, `="text"`, `=123`, `=0x1f` or `# CONFIG_X is not set`
//! (Documentation/kbuild/kconfig.rst of the kernel). A symbol that the file does not mention is off.

use std::collections::BTreeMap;

use wifibox_ground::codec;

/// The largest configuration that is read, in bytes, unpacked.
const LIMIT: u64 = 4 << 20;

/// A symbol's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Off.
    No,
    /// Built as a module.
    Module,
    /// Built in, or on.
    Yes,
    /// A text, without its quotes.
    Text(String),
    /// A number, as written.
    Number(String),
}

/// Why a configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A line is not of the format.
    #[error("kernel configuration, line {line}: {text:?} is not CONFIG_NAME=value or a comment")]
    Line {
        /// Counted from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// Not a text, packed badly, or too large.
    #[error("kernel configuration: {0}")]
    Unreadable(#[from] std::io::Error),
    /// A file without a single symbol.
    #[error("kernel configuration: not one CONFIG_ line in it")]
    Empty,
}

/// A kernel's configuration, by symbol without `CONFIG_`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KernelConfig(BTreeMap<String, Value>);

impl KernelConfig {
    /// Reads a configuration; gzip, xz and zstd are unpacked first (`config.gz`).
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        let bytes = codec::read_unpacked(bytes, LIMIT)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut symbols = BTreeMap::new();
        for (index, raw) in text.lines().enumerate() {
            let bad = || ConfigError::Line { line: index + 1, text: raw.to_owned() };
            let line = raw.trim();
            if let Some(comment) = line.strip_prefix('#') {
                let off = comment.trim().strip_suffix(" is not set");
                if let Some(symbol) = off.and_then(|text| text.strip_prefix("CONFIG_")) {
                    symbols.insert(symbol.to_owned(), Value::No);
                }
            } else if !line.is_empty() {
                let (symbol, value) = line.split_once('=').ok_or_else(bad)?;
                let symbol = symbol.strip_prefix("CONFIG_").ok_or_else(bad)?;
                symbols.insert(symbol.to_owned(), value_of(value).ok_or_else(bad)?);
            }
        }
        if symbols.is_empty() {
            return Err(ConfigError::Empty);
        }
        Ok(KernelConfig(symbols))
    }

    /// A symbol's value, named with or without `CONFIG_`; off when the file does not mention it.
    pub fn get(&self, symbol: &str) -> &Value {
        let symbol = symbol.strip_prefix("CONFIG_").unwrap_or(symbol);
        self.0.get(symbol).unwrap_or(&Value::No)
    }

    /// Whether a symbol is `y`.
    pub fn is_yes(&self, symbol: &str) -> bool {
        *self.get(symbol) == Value::Yes
    }

    /// Whether the file mentions a symbol, even as off.
    pub fn mentions(&self, symbol: &str) -> bool {
        self.0.contains_key(symbol.strip_prefix("CONFIG_").unwrap_or(symbol))
    }

    /// A symbol's text; `None` when it is off or of another kind.
    pub fn text(&self, symbol: &str) -> Option<&str> {
        match self.get(symbol) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

fn value_of(written: &str) -> Option<Value> {
    Some(match written {
        "y" => Value::Yes,
        "m" => Value::Module,
        "n" => Value::No,
        _ => match written.strip_prefix('"') {
            Some(rest) => Value::Text(unescape(rest.strip_suffix('"')?)),
            None if written.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                Value::Number(written.to_owned())
            }
            None => return None,
        },
    })
}

/// Kconfig writes `\` before `"` and `\`.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        out.push(if letter == '\\' { letters.next().unwrap_or('\\') } else { letter });
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use wifibox_ground::codec::Compression;
    use wifibox_testkit::tarball::pack;

    const TEXT: &str = "#\n# Automatically generated file\n#\nCONFIG_A=y\nCONFIG_B=m\n\
        # CONFIG_C is not set\nCONFIG_D=\"a \\\"b\\\" c\"\nCONFIG_E=0x1f\nCONFIG_F=-3\n\nCONFIG_G=n\n";

    #[test]
    fn every_kind_of_value_is_read() {
        for kind in [Compression::None, Compression::Gzip] {
            let config = KernelConfig::parse(&pack(kind, TEXT.as_bytes())).expect("parsed");
            assert_eq!(config.get("A"), &Value::Yes);
            assert_eq!(config.get("CONFIG_B"), &Value::Module);
            assert_eq!(config.get("C"), &Value::No);
            assert!(config.mentions("C") && !config.mentions("Z"));
            assert_eq!(config.text("D"), Some("a \"b\" c"));
            assert_eq!(config.get("E"), &Value::Number("0x1f".into()));
            assert_eq!(config.get("F"), &Value::Number("-3".into()));
            assert_eq!(config.get("G"), &Value::No);
            assert_eq!(config.get("Z"), &Value::No);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in ["", "# nothing\n", "hello\n", "CONFIG_A=maybe\n", "CONFIG_A=\"open\n", "A=y\n"]
        {
            assert!(KernelConfig::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn noise_never_panics(text in "(CONFIG_)?[A-Z=ymn\"\\\\#\n ]{0,60}") {
            let _ = KernelConfig::parse(text.as_bytes());
        }
    }
}
