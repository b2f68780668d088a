//! `awk`, as far as scripts use it as a finer `cut`: one rule of a test and `{ print fields }`.

use super::inputs::inputs;
use super::options::parse;
use super::regex::{Expression, Syntax, compile};
use crate::eval::{Machine, Run};

enum Test {
    Always,
    Match { field: Option<usize>, regex: Expression, negated: bool },
    Compare { field: usize, operator: String, value: String },
}

enum Item {
    Field(usize),
    Last,
    Text(String),
}

struct Rule {
    test: Test,
    /// Groups of items that stand next to each other; a comma puts a space between groups.
    print: Vec<Vec<Item>>,
}

pub(super) fn run(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let mut parsed = parse(machine, words, "F:v:", &[])?;
    if parsed.has(&["v"]) || parsed.operands.is_empty() {
        return machine.unsupported("awk of this form");
    }
    let program = parsed.operands.remove(0);
    let Some(rules) = rules(&program) else {
        return machine.unsupported(format!("the program {program:?} of awk"));
    };
    let separator = parsed.value(&["F"]).map(str::to_owned);
    if separator.as_ref().is_some_and(|text| text.chars().count() != 1 || text.contains(['|', '*']))
    {
        return machine.unsupported("awk -F with an expression");
    }
    let (texts, complete) = inputs(machine, "awk", &parsed.operands, false)?;
    let text: String = texts.into_iter().map(|(_, text)| text).collect();
    machine.spend(text.len().saturating_mul(1 + program.len() / 8))?;
    let mut out = String::new();
    for line in text.lines() {
        let fields: Vec<&str> = match &separator {
            Some(separator) if separator != " " => line.split(separator.as_str()).collect(),
            _ => line.split_whitespace().collect(),
        };
        machine.spend(fields.len().saturating_mul(16))?;
        for rule in &rules {
            if holds(machine, &rule.test, line, &fields)? {
                let before = out.len();
                let groups = rule.print.iter().map(|group| {
                    group.iter().map(|item| text_of(item, line, &fields)).collect::<String>()
                });
                out.push_str(&groups.collect::<Vec<_>>().join(" "));
                out.push('\n');
                machine.spend(out.len() - before)?;
            }
        }
    }
    machine.out(&out)?;
    Ok(if complete { 0 } else { 2 })
}

fn field<'a>(number: usize, line: &'a str, fields: &[&'a str]) -> &'a str {
    match number {
        0 => line,
        number => fields.get(number - 1).copied().unwrap_or_default(),
    }
}

fn text_of(item: &Item, line: &str, fields: &[&str]) -> String {
    match item {
        Item::Field(number) => field(*number, line, fields).to_owned(),
        Item::Last => fields.last().copied().unwrap_or(line).to_owned(),
        Item::Text(text) => text.clone(),
    }
}

fn holds(machine: &mut Machine<'_>, test: &Test, line: &str, fields: &[&str]) -> Run<bool> {
    Ok(match test {
        Test::Always => true,
        Test::Match { field: number, regex, negated } => {
            regex.is_in(machine, field(number.unwrap_or(0), line, fields))? != *negated
        }
        Test::Compare { field: number, operator, value } => {
            let text = field(*number, line, fields);
            let numbers = (text.parse::<f64>(), value.parse::<f64>());
            let order = match numbers {
                (Ok(left), Ok(right)) => left.partial_cmp(&right),
                _ => Some(text.cmp(value.as_str())),
            };
            order.is_some_and(|order| match operator.as_str() {
                "==" => order.is_eq(),
                "!=" => order.is_ne(),
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            })
        }
    })
}

/// Reads a program: rules, one behind the other.
fn rules(program: &str) -> Option<Vec<Rule>> {
    let mut rest = program.trim();
    let mut rules = Vec::new();
    while !rest.is_empty() {
        let open = outside_of_quotes(rest, '{')?;
        let close = open + outside_of_quotes(&rest[open..], '}')?;
        let action = rest[open + 1..close].trim().trim_end_matches(';').trim();
        rules.push(Rule { test: test(rest[..open].trim())?, print: print(action)? });
        rest = rest[close + 1..].trim_start_matches([' ', '\t', '\n', ';']);
    }
    Some(rules)
}

/// Where a character is that stands in no string and no expression.
fn outside_of_quotes(text: &str, wanted: char) -> Option<usize> {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            _ if std::mem::take(&mut escaped) => {}
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == wanted => return Some(at),
            None if matches!(c, '"' | '/') => quote = Some(c),
            None => {}
        }
    }
    None
}

fn test(text: &str) -> Option<Test> {
    if text.is_empty() {
        return Some(Test::Always);
    }
    let (text, negated) = match text.strip_prefix('!') {
        Some(rest) => (rest.trim(), true),
        None => (text, false),
    };
    let regex = |text: &str| {
        let body = text.trim().strip_prefix('/')?.strip_suffix('/')?;
        compile(&body.replace("\\/", "/"), Syntax::Extended, false, ("", ""))
    };
    if text.starts_with('/') {
        return Some(Test::Match { field: None, regex: regex(text)?, negated });
    }
    if negated {
        return None;
    }
    if let Some((left, right)) = text.split_once('~') {
        let negated = left.ends_with('!');
        let field = number(left.trim_end_matches('!').trim())?;
        return Some(Test::Match { field: Some(field), regex: regex(right)?, negated });
    }
    let operator = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|op| text.contains(op))?;
    let (left, right) = text.split_once(operator)?;
    let value = match items(right.trim())?.as_slice() {
        [Item::Text(text)] => text.clone(),
        _ => return None,
    };
    Some(Test::Compare { field: number(left.trim())?, operator: operator.to_owned(), value })
}

fn number(text: &str) -> Option<usize> {
    text.strip_prefix('$')?.parse().ok()
}

fn print(action: &str) -> Option<Vec<Vec<Item>>> {
    let rest = action.strip_prefix("print")?;
    if rest.trim().is_empty() {
        return Some(vec![vec![Item::Field(0)]]);
    }
    if !rest.starts_with([' ', '\t', '$', '"', '(']) {
        return None;
    }
    let mut groups = Vec::new();
    let mut rest = rest.trim();
    while let Some(comma) = outside_of_quotes(rest, ',') {
        groups.push(items(rest[..comma].trim())?);
        rest = &rest[comma + 1..];
    }
    groups.push(items(rest.trim())?);
    Some(groups)
}

/// Fields, strings and numbers next to each other.
fn items(text: &str) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("$NF") {
            items.push(Item::Last);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('$') {
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            items.push(Item::Field(after[..end].parse().ok()?));
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix('"') {
            let end = after.find('"')?;
            let body = &after[..end];
            if body.ends_with('\\') {
                return None;
            }
            items.push(Item::Text(body.replace("\\n", "\n").replace("\\t", "\t")));
            rest = &after[end + 1..];
        } else {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest[..end].parse::<u64>().ok()?;
            items.push(Item::Text(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Some(items)
}
