//! Files of assignments, `name="value"`: FreeBSD's loader.conf(5) and rc.conf(5).
//!
//! The loader reads its file itself, rc.conf is shell; what both take is a name, `=` and a value that
//! is quoted or has no blank, nothing round the `=`. Only that is taken here.

use super::assignment::Assignment;
use std::collections::BTreeMap;

use super::Problem;

/// The longest `pptdevs` that the loader takes.
const LONGEST_PPTDEVS: usize = 127;

/// Reads a file of assignments; names may hold the characters of `also`, too.
pub(super) fn read(text: &str, also: &str, problems: &mut Vec<Problem>) -> Vec<Assignment> {
    let mut list: Vec<Assignment> = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let number = index + 1;
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
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
            return Err(format!("the card {card} is there twice"));
        }
        list.push(card.to_owned());
    }
    Ok(list)
}

/// `loader.conf`.
pub(super) fn loader_conf(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut list = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        // FreeBSD's loader in Lua takes blanks round the '=' and at the start, and replaces $NAME in values
        // (stand/lua/config.lua); the older one in Forth, and rc's shell, do not.
        let mut odd = |what: String| {
            problems.push(Problem::new(index + 1, what).hint().from("stand/lua/config.lua"));
        };
        let tight = match line.split_once('=') {
            Some((name, value)) if name.trim() != name || value.trim_start() != value => {
                let (name, value) = (name.trim(), value.trim_start());
                if !name.starts_with('#') {
                    odd(format!("a blank round the '=': {name}={value} is read by every loader"));
                }
                format!("{name}={value}")
            }
            _ => line.to_owned(),
        };
        let tight = if tight.contains('$') && !tight.trim_start().starts_with('#') {
            odd("the value holds a character of the shell: the loader replaces $NAME".to_owned());
            tight.replace('$', "")
        } else {
            tight
        };
        let from = list.len();
        list.extend(read(&tight, ".-", &mut problems).into_iter().map(|mut assignment| {
            assignment.line = index + 1;
            assignment
        }));
        for problem in problems
            .iter_mut()
            .filter(|problem| problem.line == 1 && index > 0 && problem.source.is_empty())
        {
            problem.line = index + 1;
            problem.source = "loader.conf(5)";
        }
        let new = list.get(from..).unwrap_or_default().first().cloned();
        let known = list.get(..from).unwrap_or_default();
        if let Some(new) = new
            && let Some(other) = known.iter().find(|other| other.name == new.name)
        {
            let what =
                format!("{} is set in line {} already; the last one counts", new.name, other.line);
            problems.push(Problem::new(index + 1, what).hint());
        }
    }
    let mut seen = BTreeMap::new();
    for Assignment { line, name, value } in &list {
        if name.ends_with("_load") && !["YES", "NO"].contains(&value.to_ascii_uppercase().as_str())
        {
            let what = format!("{name} is {value:?}: expected YES or NO");
            problems.push(Problem::new(*line, what).warning());
        }
        let mut problem = |what: String| problems.push(Problem::new(*line, what));
        // pptdevs, pptdevs2, pptdevs3: the kernel reads each.
        let is_list = name
            .strip_prefix("pptdevs")
            .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()));
        if is_list {
            match cards(value) {
                Ok(cards) => {
                    for card in cards {
                        if let Some(other) = seen.insert(card.clone(), name) {
                            problem(format!("the card {card} is in {other} and in {name}"));
                        }
                    }
                }
                Err(what) => problem(format!("{name}: {what}")),
            }
            if value.len() > LONGEST_PPTDEVS {
                problem(format!(
                    "{name} has more than {LONGEST_PPTDEVS} characters: go on in pptdevs2"
                ));
            }
        }
    }
    problems
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
        let loader = "vmm_load=\"YES\"\nhw.vmm.amdvi.enable=\"1\"\npptdevs=\"3/0/0 0/20/3\"\n";
        assert_eq!(loader_conf(loader), []);
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
            ("vmm_load=\"ja\"", "expected YES or NO"),
            ("pptdevs=\"3:0:0\"", "is no card"),
            ("pptdevs=\"3/0/8\"", "is no card"),
            ("pptdevs=\"3/0/0 3/0/0\"", "is there twice"),
            ("pptdevs=\"3/0/0\"\npptdevs2=\"3/0/0\"", "is in pptdevs and in pptdevs2"),
        ] {
            let problems = loader_conf(bad);
            assert!(problems.iter().any(|p| p.what.contains(words)), "{bad}: {problems:?}");
        }
        let long: Vec<String> = (0..30).map(|bus| format!("{bus}/0/0")).collect();
        let problems = loader_conf(&format!("pptdevs=\"{}\"", long.join(" ")));
        assert!(problems[0].what.contains("pptdevs2"), "{problems:?}");
        assert!(rc_conf("wifibox_enable=maybe")[0].what.contains("YES or NO"));
        assert!(rc_conf("hw.vmm=\"1\"")[0].what.contains("is no name"));
    }
}
