//! Lines as vm-bhyve reads them (`config::load` in its lib/vm-config): those that begin with a lower-case
//! letter, cut at the first `#`, without blanks at the end and without any `"`; a name up to the first
//! `=`, of equal names the first.

use super::Problem;
use super::assignment::{Assignment, written};

/// The assignments of a file.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> Vec<Assignment> {
    let mut list: Vec<Assignment> = Vec::new();
    for (number, line) in written(text) {
        if !line.starts_with(|c: char| c.is_ascii_lowercase()) {
            let what = "the line does not begin with a lower-case letter: vm-bhyve passes over it";
            problems.push(Problem::new(number, what).warning());
            continue;
        }
        if line.split('"').nth(1).is_some_and(|value| value.contains('#')) {
            let what = "a '#' between quotation marks begins a comment all the same";
            problems.push(Problem::new(number, what).warning());
        }
        let line = line.split('#').next().unwrap_or_default().trim_end_matches(' ');
        let line = line.replace('"', "");
        let Some((name, value)) = line.split_once('=') else {
            problems.push(Problem::new(number, "expected NAME=\"VALUE\"").warning());
            continue;
        };
        if name.trim() != name {
            let name = name.trim();
            let what = format!(
                "a blank round the '=': vm-bhyve finds no {name}; write {name}={}",
                value.trim()
            );
            problems.push(Problem::new(number, what));
            continue;
        }
        if let Some(other) = list.iter().find(|other| other.name == name) {
            let what =
                format!("{name} is set in line {} already; the first one counts", other.line);
            problems.push(Problem::new(number, what).warning());
        }
        list.push(Assignment { line: number, name: name.to_owned(), value: value.to_owned() });
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_vm_bhyve_reads_them() {
        let mut problems = Vec::new();
        let list = read("a=1\n# c\nb=\"x y\" # z\nc=-s 8,hda\n", &mut problems);
        assert_eq!(problems, []);
        let values: Vec<&str> = list.iter().map(|a| a.value.as_str()).collect();
        assert_eq!(values, ["1", "x y", "-s 8,hda"]);
    }
}
