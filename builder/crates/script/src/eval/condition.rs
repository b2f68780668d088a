//! `test`, `[` and `[[`.

use super::machine::{Machine, Run};
use crate::files::Kind;
use crate::syntax::Condition;

impl Machine<'_> {
    /// `[ ... ]` and `test ...`: the status. POSIX says what the number of arguments means; beyond
    /// four, `!`, `-a`, `-o` and parentheses are an expression.
    pub(crate) fn test(&mut self, arguments: &[String]) -> Run {
        let truth = match arguments {
            [] => false,
            [text] => !text.is_empty(),
            [not, text] if not == "!" => text.is_empty(),
            [operator, operand] => match self.unary(operator, operand)? {
                Some(truth) => truth,
                None => return self.fail(2, "test: an unknown operator"),
            },
            [left, operator, right] if is_binary(operator) => {
                match self.binary(left, operator, right)? {
                    Some(truth) => truth,
                    None => return self.fail(2, "test: Illegal number"),
                }
            }
            more => {
                let mut at = 0;
                let Some(truth) = self.test_or(more, &mut at, 0)? else {
                    return self.fail(2, "test: syntax error");
                };
                if at < more.len() {
                    return self.fail(2, "test: too many arguments");
                }
                truth
            }
        };
        Ok(i32::from(!truth))
    }

    fn test_or(&mut self, words: &[String], at: &mut usize, depth: u32) -> Run<Option<bool>> {
        let Some(mut truth) = self.test_and(words, at, depth)? else { return Ok(None) };
        while words.get(*at).is_some_and(|word| word == "-o") {
            *at += 1;
            let Some(right) = self.test_and(words, at, depth)? else { return Ok(None) };
            truth = truth || right;
        }
        Ok(Some(truth))
    }

    fn test_and(&mut self, words: &[String], at: &mut usize, depth: u32) -> Run<Option<bool>> {
        let Some(mut truth) = self.test_primary(words, at, depth)? else { return Ok(None) };
        while words.get(*at).is_some_and(|word| word == "-a") {
            *at += 1;
            let Some(right) = self.test_primary(words, at, depth)? else { return Ok(None) };
            truth = truth && right;
        }
        Ok(Some(truth))
    }

    fn test_primary(&mut self, words: &[String], at: &mut usize, depth: u32) -> Run<Option<bool>> {
        if depth > 20 {
            return Ok(None);
        }
        let Some(word) = words.get(*at).cloned() else { return Ok(None) };
        if let (Some(operator), Some(right)) = (words.get(*at + 1), words.get(*at + 2))
            && is_binary(operator)
        {
            *at += 3;
            return self.binary(&word, operator, right);
        }
        if word == "!" && words.len() > *at + 1 {
            *at += 1;
            let inner = self.test_primary(words, at, depth + 1)?;
            return Ok(inner.map(|truth| !truth));
        }
        if word == "(" {
            *at += 1;
            let inner = self.test_or(words, at, depth + 1)?;
            if words.get(*at).is_none_or(|word| word != ")") {
                return Ok(None);
            }
            *at += 1;
            return Ok(inner);
        }
        if let Some(operand) = words.get(*at + 1)
            && let Some(truth) = self.unary(&word, operand)?
        {
            *at += 2;
            return Ok(Some(truth));
        }
        *at += 1;
        Ok(Some(!word.is_empty()))
    }

    /// An operator of one operand; `None` where it is none.
    fn unary(&mut self, operator: &str, operand: &str) -> Run<Option<bool>> {
        Ok(Some(match operator {
            "-n" => !operand.is_empty(),
            "-z" => operand.is_empty(),
            // Nothing is a terminal.
            "-t" => false,
            "-h" | "-L" => {
                let entry = self.entry(operand, false)?;
                entry.is_some_and(|entry| matches!(entry.kind, Kind::Link(_)))
            }
            "-e" | "-a" => self.entry(operand, true)?.is_some(),
            "-f" => {
                let entry = self.entry(operand, true)?;
                entry.is_some_and(|entry| matches!(entry.kind, Kind::File(_)))
            }
            "-d" => self.is_directory(operand)?,
            "-s" => match self.entry(operand, true)?.map(|entry| entry.kind) {
                Some(Kind::File(size)) => size > 0,
                other => other.is_some(),
            },
            // Scripts run as root: all can be read and written.
            "-r" | "-w" | "-O" => self.entry(operand, true)?.is_some(),
            "-x" => {
                let entry = self.entry(operand, true)?;
                entry.is_some_and(|entry| {
                    entry.meta.mode & 0o111 != 0 || entry.kind == Kind::Directory
                })
            }
            "-u" | "-g" | "-k" => {
                let bit = match operator {
                    "-u" => 0o4000,
                    "-g" => 0o2000,
                    _ => 0o1000,
                };
                self.entry(operand, true)?.is_some_and(|entry| entry.meta.mode & bit != 0)
            }
            "-p" | "-S" | "-b" | "-c" => match self.entry(operand, true)?.map(|entry| entry.kind) {
                Some(Kind::Special) => {
                    return self.unsupported(format!("{operator} of a device or pipe"));
                }
                _ => false,
            },
            "-v" => self.value(operand)?.is_some(),
            _ => return Ok(None),
        }))
    }

    /// An operator of two operands; `None` where an operand is no number.
    fn binary(&mut self, left: &str, operator: &str, right: &str) -> Run<Option<bool>> {
        Ok(Some(match operator {
            "=" | "==" => left == right,
            "!=" => left != right,
            "<" => left < right,
            ">" => left > right,
            "-nt" | "-ot" => return self.unsupported("a comparison of times of files"),
            "-ef" => {
                let left = self.resolve(left, true)?;
                let right = self.resolve(right, true)?;
                left.is_some() && left == right
            }
            _ => {
                let numbers = (left.trim().parse::<i64>(), right.trim().parse::<i64>());
                let (Ok(left), Ok(right)) = numbers else { return Ok(None) };
                match operator {
                    "-eq" => left == right,
                    "-ne" => left != right,
                    "-lt" => left < right,
                    "-le" => left <= right,
                    "-gt" => left > right,
                    _ => left >= right,
                }
            }
        }))
    }

    /// `[[ ... ]]`.
    pub(crate) fn condition(&mut self, condition: &Condition) -> Run<bool> {
        self.spend(8)?;
        match condition {
            Condition::Or(all) => {
                for condition in all {
                    if self.condition(condition)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::And(all) => {
                for condition in all {
                    if !self.condition(condition)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Not(inner) => Ok(!self.condition(inner)?),
            Condition::Word(word) => Ok(!self.text(word)?.is_empty()),
            Condition::Unary(operator, word) => {
                let operand = self.text(word)?;
                match self.unary(operator, &operand)? {
                    Some(truth) => Ok(truth),
                    None => self.unsupported(format!("{operator} in [[ ]]")),
                }
            }
            Condition::Binary(left, operator, right) => {
                let left = self.text(left)?;
                if matches!(operator.as_str(), "=" | "==" | "!=") {
                    let parts = self.parts(right)?;
                    let pattern = self.pattern_of(&parts)?;
                    let matches = self.fits(&pattern, &left)?;
                    return Ok(matches == (operator != "!="));
                }
                let right = self.text(right)?;
                match self.binary(&left, operator, &right)? {
                    Some(truth) => Ok(truth),
                    None => self.unsupported(format!("{operator} in [[ ]]")),
                }
            }
        }
    }
}

fn is_binary(operator: &str) -> bool {
    const OPERATORS: [&str; 14] =
        ["=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"];
    OPERATORS.contains(&operator)
}
