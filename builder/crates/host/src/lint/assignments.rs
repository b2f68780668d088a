//! Files of assignments, `name="value"`: wifibox-core's, and FreeBSD's rc.conf(5).
//!
//! wifibox-core's are sourced by a shell; taken is a name, `=` and a value that is quoted or has no blank,
//! nothing round the `=`. What else a shell takes in rc.conf, `shell` reads.

use super::assignment::{Assignment, written};

use super::Problem;

/// Reads a file of assignments; names may hold the characters of `also`, too.
pub(super) fn read(text: &str, also: &str, problems: &mut Vec<Problem>) -> Vec<Assignment> {
    let mut list: Vec<Assignment> = Vec::new();
    for (number, line) in written(text) {
        match assignment(line, also) {
            Ok((name, value)) => {
                if let Some(other) = list.iter().find(|other| other.name == name) {
                    let what = format!("{name} is set in line {} already", other.line);
                    problems.push(Problem::new(number, what + "; the last one counts").hint());
                }
                list.push(Assignment { line: number, name, value });
            }
            Err(what) => problems.push(Problem::new(number, what)),
        }
    }
    list
}

fn assignment(line: &str, also: &str) -> Result<(String, String), String> {
    let (name, rest) = line.split_once('=').ok_or("expected NAME=\"VALUE\"")?;
    if name.trim() != name || rest.trim_start() != rest {
        return Err(format!("a blank round the '=': write {}={}", name.trim(), rest.trim()));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || also.contains(c);
    if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(format!("{name:?} is no name of a variable"));
    }
    for quote in ['"', '\''] {
        if let Some(inside) = rest.strip_prefix(quote) {
            let (value, after) = inside
                .split_once(quote)
                .ok_or_else(|| format!("the value of {name} has no closing {quote}"))?;
            let after = after.trim_start();
            if !after.is_empty() && !after.starts_with('#') {
                return Err(format!("{after:?} stands behind the value of {name}"));
            }
            if quote == '"' && value.contains(['$', '`', '\\']) {
                return Err(format!("the value of {name} holds a character of the shell"));
            }
            return Ok((name.to_owned(), value.to_owned()));
        }
    }
    let value = rest.split(" #").next().unwrap_or_default().trim_end();
    if let Some(bad) = value.chars().find(|c| c.is_whitespace() || "\"'$`\\;&|<>()#".contains(*c)) {
        return Err(format!("the value of {name} holds {bad:?}: put it between quotation marks"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// A list of cards as bus/slot/function, decimal, with blanks between them.
pub(super) fn cards(text: &str) -> Result<Vec<String>, String> {
    let mut list: Vec<String> = Vec::new();
    for card in text.split_whitespace() {
        let limits = [255_u16, 31, 7];
        let parts: Vec<&str> = card.split('/').collect();
        let good = parts.len() == limits.len()
            && parts.iter().zip(limits).all(|(part, limit)| {
                let number = part.parse::<u16>().ok().filter(|number| *number <= limit);
                number.is_some_and(|number| number.to_string() == *part)
            });
        if !good {
            return Err(format!(
                "{card:?} is no card: expected bus/slot/function in decimal, like 3/0/0"
            ));
        }
        if list.iter().any(|known| known == card) {
            return Err(format!("the card {card} is listed twice"));
        }
        list.push(card.to_owned());
    }
    Ok(list)
}

/// `rc.conf`.
pub(super) fn rc_conf(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut list = Vec::new();
    for (Assignment { line, name, value }, plain) in super::shell::read(text, &mut problems) {
        let again = |other: &&(usize, String)| other.1 == name;
        if let Some((first, _)) = list.iter().find(again).filter(|_| plain) {
            let what = format!("{name} is set in line {first} already; the last one counts");
            problems.push(Problem::new(line, what).hint());
        }
        list.push((line, name.clone()));
        let sendmail = name == "sendmail_enable" && value.eq_ignore_ascii_case("none");
        if !plain || sendmail {
            continue;
        }
        let yes_or_no = ["YES", "NO", "TRUE", "FALSE", "ON", "OFF", "1", "0"];
        if name.ends_with("_enable") && !yes_or_no.contains(&value.to_ascii_uppercase().as_str()) {
            let what = format!("{name} is {value:?}: expected YES or NO");
            problems.push(Problem::new(line, what).warning().from("rc.subr(8), checkyesno"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_so_is_read() {
        let text = "# x\n\na=\"b c\" # d\ne=f\n";
        let mut problems = Vec::new();
        let list = read(text, "", &mut problems);
        assert_eq!(problems, []);
        assert_eq!(list[0].value, "b c");
        assert_eq!((list[1].line, list[1].value.as_str()), (4, "f"));
        assert_eq!(rc_conf("wifibox_enable=\"YES\"\nifconfig_wifibox0=\"SYNCDHCP\"\n"), []);
    }

    #[test]
    fn each_mistake_is_found() {
        for (bad, words) in [
            ("a = \"b\"", "a blank round"),
            ("a= b", "a blank round"),
            ("a", "expected NAME"),
            ("a=\"b", "no closing"),
            ("a=\"b\" c", "stands behind"),
            ("a=\"$b\"", "character of the shell"),
            ("a=b c", "quotation marks"),
            ("1a=b", "is no name"),
            ("a=1\na=2", "set in line 1 already"),
        ] {
            let mut problems = Vec::new();
            read(bad, "", &mut problems);
            assert!(problems.iter().any(|p| p.what.contains(words)), "{bad}: {problems:?}");
        }
        assert!(rc_conf("wifibox_enable=maybe")[0].what.contains("YES or NO"));
        assert!(rc_conf("hw.vmm=\"1\"")[0].what.contains("is no name"));
    }
}
