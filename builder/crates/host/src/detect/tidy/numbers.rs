//! Numbers that editors, `cat -n`, `grep -n` and web pages put before each line, and names of files that grep does.

use super::super::lspci;

/// Takes them off.
pub(super) fn take_off(lines: &mut [String]) {
    let mut last: Option<usize> = None;
    let mut file: Option<String> = None;
    for at in 0..lines.len() {
        let Some(line) = lines.get(at) else { break };
        let next = lines.get(at + 1).and_then(|line| numbered(line));
        let rest = match numbered(line) {
            Some((number, rest)) => {
                // One number is none: the line before or behind has its neighbour.
                let runs = last.is_some_and(|last| last + 1 == number)
                    || next.is_some_and(|(next, _)| number + 1 == next)
                    || is_head(rest);
                last = runs.then_some(number);
                runs.then_some(rest)
            }
            None => {
                last = None;
                None
            }
        };
        let rest = rest.or_else(|| {
            let rest = line.strip_prefix(file.as_deref()?)?;
            rest.strip_prefix(['-', ':'])
        });
        if let Some((name, _)) =
            line.split_once(':').filter(|(name, rest)| is_file(name) && is_head(rest))
        {
            file = Some(name.to_owned());
        }
        if let Some(rest) = rest.map(str::to_owned)
            && let Some(line) = lines.get_mut(at)
        {
            *line = rest;
        }
    }
}

/// `12 rest`, `12. rest`, `12) rest`, `12: rest`, `12| rest`, `12:rest` and `12-rest` of grep.
fn numbered(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_start();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = line.split_at(digits);
    // Addresses have leading zeros, and domains four digits.
    if digits == 0 || digits > 4 || number.starts_with('0') {
        return None;
    }
    let grep = rest.strip_prefix(':').filter(|rest| is_head(rest) && digits < 4);
    let grep = grep.or_else(|| rest.strip_prefix('-').filter(|rest| rest.starts_with([' ', '\t'])));
    let plain = rest.trim_start_matches(['.', ')', ':', '|']);
    let plain = (plain.is_empty()
        || plain.starts_with([' ', '\t']) && rest.len() - plain.len() < 2)
        .then_some(plain);
    let rest = grep.or(plain)?;
    // A row of /proc/bus/pci/devices begins with a number of four digits, too.
    let first = rest.split_whitespace().next().unwrap_or_default();
    let row = first.len() == 8 && first.bytes().all(|byte| byte.is_ascii_hexdigit());
    // One blank belongs to the number, what follows is the line's.
    let rest = rest.strip_prefix([' ', '\t']).filter(|_| grep.is_none()).unwrap_or(rest);
    (!row).then(|| Some((number.parse().ok()?, rest)))?
}

fn is_head(text: &str) -> bool {
    let text = text.trim_start();
    let selector = text.split_whitespace().next().unwrap_or_default();
    selector.contains("@pci") || lspci::is_head(text)
}

fn is_file(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(char::is_whitespace)
        && name.contains(|c: char| !c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        take_off(&mut lines);
        lines
    }

    #[test]
    fn numbers_go_where_lines_are_counted() {
        let head = "03:00.0 0280: 8086:2723";
        for text in [
            format!("     9\t{head}\n    10\t\tSubsystem: 8086:0084"),
            format!("9 {head}\n10 \tSubsystem: 8086:0084"),
            format!("9. {head}\n10. \tSubsystem: 8086:0084"),
            format!("9:{head}\n10-\tSubsystem: 8086:0084"),
            format!("a.txt:{head}\na.txt-\tSubsystem: 8086:0084"),
        ] {
            let lines = told(&text);
            assert_eq!(lines.len(), 2);
            assert!(
                lines[0].ends_with(head) && !lines[1].starts_with(['9', '1', 'a', '-']),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn numbers_that_say_something_stay() {
        for text in [
            "00:02.0 VGA: x\n01:00.0 Network: y",
            "1000\t80862723\t8b\t0\n1001\t80862725\t8b\t0",
            "34: PCI 500.0: 0282 WLAN controller\n  SysFS BusID: 0000:05:00.0",
            "10000:e1:00.0 0280: 8086:2723",
            " 3:0:0: Intel\n 4:0:0: Intel",
        ] {
            assert_eq!(told(text), text.lines().collect::<Vec<_>>());
        }
    }
}
