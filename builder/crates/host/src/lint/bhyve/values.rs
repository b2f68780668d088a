//! The forms of values, as bhyve reads them.

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// true, on, yes, 1, false, off, no, 0; any case.
    Boolean,
    /// An integer of strtol(3), at least and at most.
    Integer(i64, i64),
    /// An integer of strtol(3), or `host`.
    Host,
    /// A size of expand_number(3) of at least 1 MiB; below that bhyve takes a number for MiB.
    Memory,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// An absolute path.
    Path,
    /// The far end of a serial port: `stdio`, a device, `tcp=ADDRESS:PORT`.
    Serial,
    /// A unicast MAC address.
    Mac,
    /// A UUID.
    Uuid,
    /// Sizes of sectors: LOGICAL or LOGICAL/PHYSICAL.
    Sector,
    /// Processors of the host: `0,2-3`.
    CpuSet,
    /// Any text, of at most so many bytes.
    Text(usize),
}

impl Form {
    /// The expected form, in words, if `value` does not have it.
    pub fn mismatch(self, value: &str) -> Option<String> {
        let expected = match self {
            Form::Boolean => {
                let known = ["true", "on", "yes", "1", "false", "off", "no", "0"];
                if known.iter().any(|word| value.eq_ignore_ascii_case(word)) {
                    return None;
                }
                "expected true, on, yes or 1, or false, off, no or 0".to_owned()
            }
            Form::Integer(least, most) => match integer(value) {
                Ok(number) if (least..=most).contains(&number) => return None,
                Ok(_) => format!("expected {least} to {most}"),
                Err(why) => why,
            },
            Form::Host if value == "host" => return None,
            Form::Host => return Form::Integer(0, 65535).mismatch(value),
            Form::Memory => match memory(value) {
                Ok(bytes) if bytes >= 1 << 20 => return None,
                Ok(_) => "expected at least 1M".to_owned(),
                Err(why) => why,
            },
            Form::OneOf(words) if words.contains(&value) => return None,
            Form::OneOf(words) => format!("expected one of {}", words.join(", ")),
            Form::Path if value.starts_with('/') => return None,
            Form::Path => "expected an absolute path".to_owned(),
            Form::Serial => {
                if value == "stdio" || value.starts_with("/dev/") || value.starts_with("tcp=") {
                    return None;
                }
                "expected stdio, a device below /dev, or tcp=ADDRESS:PORT".to_owned()
            }
            Form::Mac => match mac(value) {
                Some(first) if first & 1 == 0 => return None,
                Some(_) => "expected a unicast address: the first byte is even".to_owned(),
                None => "expected six bytes, like 58:9c:fc:00:00:01".to_owned(),
            },
            Form::Uuid => {
                let groups: Vec<usize> = value.split('-').map(str::len).collect();
                let digits = value.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
                if digits && groups == [8, 4, 4, 4, 12] {
                    return None;
                }
                "expected a UUID, like 01234567-89ab-cdef-0123-456789abcdef".to_owned()
            }
            Form::Sector => {
                let size = |text: &str| {
                    text.parse::<u32>()
                        .is_ok_and(|n| n.is_power_of_two() && (512..=65536).contains(&n))
                };
                let (logical, physical) = value.split_once('/').unwrap_or((value, value));
                if size(logical) && size(physical) {
                    return None;
                }
                "expected LOGICAL or LOGICAL/PHYSICAL, powers of two from 512".to_owned()
            }
            Form::CpuSet => {
                let number = |text: &str| text.parse::<u16>().is_ok();
                let part = |text: &str| match text.split_once('-') {
                    Some((from, to)) => number(from) && number(to),
                    None => number(text),
                };
                if value.split(',').all(part) {
                    return None;
                }
                "expected numbers and ranges of processors, like 0,2-3".to_owned()
            }
            Form::Text(longest) if value.len() <= longest => return None,
            Form::Text(longest) => format!("expected at most {longest} bytes"),
        };
        Some(expected)
    }

    /// Whether the value of this form is true.
    pub(crate) fn is_true(value: &str) -> bool {
        ["true", "on", "yes", "1"].iter().any(|word| value.eq_ignore_ascii_case(word))
    }
}

/// An integer of strtol(3) with base 0; numbers that look decimal and are octal are refused.
fn integer(value: &str) -> Result<i64, String> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let parsed = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) if hex.starts_with(['+', '-']) => None,
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None if digits.len() > 1 && digits.starts_with('0') => {
            return Err(format!("{value} would be read as octal: write it without leading zeros"));
        }
        None if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        None => None,
    };
    let number = parsed.ok_or("expected an integer")?;
    Ok(if value.starts_with('-') { -number } else { number })
}

/// A size in bytes: a number, or one with K, M, G or T.
pub(super) fn memory(value: &str) -> Result<u64, String> {
    let expected = || "expected a whole number with K, M, G or T behind it, like 160M".to_owned();
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 =
        if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
            .ok_or_else(expected)?;
    let unit = value.get(digits.len()..).unwrap_or_default();
    let shift = match unit {
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        "T" | "t" => 40,
        // Below a mebibyte bhyve takes it for mebibytes.
        "" if number < 1 << 20 => 20,
        "" => 0,
        _ => return Err(expected()),
    };
    number.checked_mul(1 << shift).ok_or_else(|| "it is too large".to_owned())
}

/// The first byte of a MAC address.
fn mac(value: &str) -> Option<u8> {
    let bytes: Vec<u8> = value
        .split(':')
        .map(|part| {
            let good = part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
            good.then(|| u8::from_str_radix(part, 16).ok()).flatten()
        })
        .collect::<Option<_>>()?;
    (bytes.len() == 6).then(|| bytes.first().copied()).flatten()
}
