//! `echo`, `printf`, `read` and `getopts`.

use super::handles::Handle;
use super::machine::{Machine, Run};
use crate::world::Ecosystem;

impl Machine<'_> {
    /// `echo` as the script's shell has it: dash knows `-n` and always reads escapes, the others read
    /// them after `-e` only.
    pub(crate) fn echo(&mut self, arguments: &[String]) -> Run {
        let dash = self.world.ecosystem == Ecosystem::Debian && !self.is_bash;
        let (mut newline, mut escapes) = (true, dash);
        let mut words = arguments;
        while let Some((first, rest)) = words.split_first() {
            let known = if dash {
                first == "-n"
            } else {
                first.len() > 1
                    && first.strip_prefix('-').is_some_and(|f| f.chars().all(|c| "neE".contains(c)))
            };
            if !known {
                break;
            }
            newline &= !first.contains('n');
            if first.contains('e') {
                escapes = true;
            }
            words = rest;
        }
        let mut text = words.join(" ");
        if escapes && text.contains('\\') {
            let (unescaped, stopped) = unescape(&text, true);
            text = unescaped;
            newline &= !stopped;
        }
        if newline {
            text.push('\n');
        }
        self.out(&text)?;
        Ok(0)
    }

    /// `printf`: `%s`, `%b`, `%d`, `%i`, `%u`, `%x`, `%o`, `%c`, `%%`, with widths.
    pub(crate) fn printf(&mut self, arguments: &[String]) -> Run {
        let words = match arguments.split_first() {
            Some((first, rest)) if first == "--" => rest,
            _ => arguments,
        };
        let Some((format, mut words)) = words.split_first() else {
            return self.fail(2, "printf: usage: printf format [arg ...]");
        };
        let mut out = String::new();
        loop {
            let before = words.len();
            self.spend(format.len() + 8)?;
            let Some(stopped) = self.format(format, &mut words, &mut out)? else {
                return self.unsupported(format!("the format {format:?} of printf"));
            };
            if stopped || words.is_empty() || words.len() == before {
                break;
            }
        }
        self.out(&out)?;
        Ok(0)
    }

    /// The format once over; `None` where it is not known, true where `\c` ends all.
    fn format(
        &mut self,
        format: &str,
        words: &mut &[String],
        out: &mut String,
    ) -> Run<Option<bool>> {
        let mut chars = format.chars().peekable();
        while let Some(c) = chars.next() {
            if c == '\\' {
                let mut escape = String::from(c);
                while let Some(c) =
                    chars.next_if(|c| escape.len() == 1 || c.is_ascii_digit() && escape.len() < 4)
                {
                    escape.push(c);
                }
                let (text, stopped) = unescape(&escape, false);
                out.push_str(&text);
                if stopped {
                    return Ok(Some(true));
                }
                continue;
            }
            if c != '%' {
                out.push(c);
                continue;
            }
            if chars.next_if_eq(&'%').is_some() {
                out.push('%');
                continue;
            }
            let mut flags = String::new();
            while let Some(c) = chars.next_if(|c| "-+ 0#123456789.".contains(*c)) {
                flags.push(c);
            }
            let Some(conversion) = chars.next() else { return Ok(None) };
            let argument = match words.split_first() {
                Some((first, rest)) => {
                    *words = rest;
                    first.clone()
                }
                None => String::new(),
            };
            let text = match conversion {
                's' => argument,
                'b' => unescape(&argument, true).0,
                'c' => argument.chars().take(1).collect(),
                'd' | 'i' | 'u' => self.calculate(&argument)?.to_string(),
                'x' => format!("{:x}", self.calculate(&argument)?),
                'X' => format!("{:X}", self.calculate(&argument)?),
                'o' => format!("{:o}", self.calculate(&argument)?),
                _ => return Ok(None),
            };
            match padded(&text, &flags, conversion) {
                Some(text) => {
                    self.spend(text.len())?;
                    out.push_str(&text);
                }
                None => return Ok(None),
            }
        }
        Ok(Some(false))
    }

    /// `read [-r] name...`.
    pub(crate) fn read_line(&mut self, arguments: &[String]) -> Run {
        let mut raw = false;
        let mut names = Vec::new();
        let mut words = arguments.iter();
        while let Some(argument) = words.next() {
            match argument.as_str() {
                "-r" => raw = true,
                "-p" => {
                    words.next();
                }
                option if option.starts_with('-') => {
                    return self.unsupported(format!("read {option}"));
                }
                name => names.push(name.to_owned()),
            }
        }
        let Some(mut line) = self.next_line()? else {
            for name in &names {
                self.shell.set(name, "");
            }
            return Ok(1);
        };
        let complete = line.ends_with('\n');
        if complete {
            line.pop();
        }
        if !raw {
            while line.ends_with('\\') && !line.ends_with("\\\\") {
                line.pop();
                match self.next_line()? {
                    Some(next) => line.push_str(next.trim_end_matches('\n')),
                    None => break,
                }
            }
            if line.contains('\\') {
                let mut chars = line.chars();
                let mut plain = String::new();
                while let Some(c) = chars.next() {
                    plain.extend(if c == '\\' { chars.next() } else { Some(c) });
                }
                line = plain;
            }
        }
        self.spend(line.len())?;
        let separators = self.separators()?;
        let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n') && separators.contains(c);
        let mut rest = line.trim_matches(is_blank);
        let last = names.len().saturating_sub(1);
        for (number, name) in names.iter().enumerate() {
            if number == last {
                self.shell.set(name, rest);
                break;
            }
            let end = rest.find(|c| separators.contains(c)).unwrap_or(rest.len());
            self.shell.set(name, &rest[..end]);
            rest = rest[end..].trim_start_matches(is_blank);
            if let Some(c) = rest.chars().next()
                && separators.contains(c)
            {
                rest = rest[c.len_utf8()..].trim_start_matches(is_blank);
            }
        }
        Ok(i32::from(!complete))
    }

    fn next_line(&mut self) -> Run<Option<String>> {
        let line = match self.shell.handles.get(&0) {
            Some(Handle::Input(input)) => input.borrow_mut().line().map(str::to_owned),
            _ => None,
        };
        self.spend(line.as_ref().map_or(0, String::len))?;
        Ok(line)
    }

    /// `getopts optstring name [argument...]`.
    pub(crate) fn getopts(&mut self, arguments: &[String]) -> Run {
        let [known, name, rest @ ..] = arguments else {
            return self.fail(2, "getopts: usage: getopts optstring var [arg]");
        };
        let words = if rest.is_empty() { self.shell.arguments.clone() } else { rest.to_vec() };
        self.spend(words.iter().map(|word| word.len() + 24).sum())?;
        let index = self.shell.get("OPTIND").and_then(|text| text.parse().ok()).unwrap_or(1_usize);
        let word = words.get(index.saturating_sub(1)).cloned().unwrap_or_default();
        let offset = self.shell.option_offset;
        if offset == 0 && (!word.starts_with('-') || word == "-" || word == "--") {
            let next = if word == "--" { index + 1 } else { index };
            self.shell.set("OPTIND", next.to_string());
            self.shell.set(name, "?");
            return Ok(1);
        }
        let at = offset.max(1);
        let option = word.chars().nth(at).unwrap_or('?');
        let is_last = word.chars().count() <= at + 1;
        let (mut next, mut next_offset) = if is_last { (index + 1, 0) } else { (index, at + 1) };
        let place = known.find(option).filter(|_| option != ':');
        self.shell.variables.remove("OPTARG");
        match place {
            None => self.shell.set(name, "?"),
            Some(place) => {
                self.shell.set(name, option.to_string());
                if known[place + option.len_utf8()..].starts_with(':') {
                    let argument = if is_last {
                        next = index + 2;
                        words.get(index).cloned().unwrap_or_default()
                    } else {
                        next = index + 1;
                        word.chars().skip(at + 1).collect()
                    };
                    next_offset = 0;
                    self.shell.set("OPTARG", argument);
                }
            }
        }
        self.shell.set("OPTIND", next.to_string());
        self.shell.option_offset = next_offset;
        Ok(0)
    }
}

/// Text with its escapes read, and whether `\c` ended it. `octal_zero` is whether octal numbers begin
/// with a 0 (`echo`, `%b`).
fn unescape(text: &str, octal_zero: bool) -> (String, bool) {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\x07'),
            Some('b') => out.push('\x08'),
            Some('f') => out.push('\x0c'),
            Some('v') => out.push('\x0b'),
            Some('e') => out.push('\x1b'),
            Some('\\') => out.push('\\'),
            Some('"') if !octal_zero => out.push('"'),
            Some('c') => return (out, true),
            Some(digit @ '0'..='7') if digit == '0' || !octal_zero => {
                let mut value = digit.to_digit(8).unwrap_or(0);
                let more = if octal_zero { 3 } else { 2 };
                for _ in 0..more {
                    let Some(digit) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                    value = value * 8 + digit;
                    chars.next();
                }
                out.extend(char::from_u32(value & 0xff));
            }
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    (out, false)
}

/// Text in the width and precision that the flags of a conversion say.
fn padded(text: &str, flags: &str, conversion: char) -> Option<String> {
    let (width, precision) = match flags.split_once('.') {
        Some((width, precision)) => (width, Some(precision.parse::<usize>().ok()?)),
        None => (flags, None),
    };
    let left = width.contains('-');
    let digits = width.trim_start_matches(['-', '+', ' ', '#', '0']);
    let zero = width.trim_start_matches(['-', '+', ' ', '#']).starts_with('0') && !left;
    let width = if digits.is_empty() { 0 } else { digits.parse::<usize>().ok()? };
    if width > 4096 || precision.is_some_and(|precision| precision > 4096) {
        return None;
    }
    let text: String = match precision {
        Some(precision) if conversion == 's' => text.chars().take(precision).collect(),
        Some(precision) => format!("{text:0>precision$}"),
        None => text.to_owned(),
    };
    Some(match (left, zero) {
        (true, _) => format!("{text:<width$}"),
        (false, true) => format!("{text:0>width$}"),
        (false, false) => format!("{text:>width$}"),
    })
}
