//! Arithmetic expressions: whole numbers of 64 bits (POSIX.1-2024, 2.6.4).

use super::machine::{Machine, Run};
use crate::error::Reason;
use crate::syntax::Word;

/// Operators of two operands, loosest first.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

/// Parentheses and signs inside of each other.
const DEPTH_LIMIT: usize = 30;

struct Expression<'m, 'a> {
    machine: &'m mut Machine<'a>,
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Machine<'_> {
    /// The value of an expression.
    pub(crate) fn arithmetic(&mut self, word: &Word) -> Run<i64> {
        let text = self.text(word)?;
        self.calculate(&text)
    }

    /// The value of an expression that is expanded already.
    pub(crate) fn calculate(&mut self, text: &str) -> Run<i64> {
        if text.trim().is_empty() {
            return Ok(0);
        }
        self.spend(text.len().saturating_mul(8))?;
        let chars = text.chars().collect();
        let mut expression = Expression { machine: self, chars, at: 0, depth: 0 };
        let value = expression.assignment()?;
        expression.blanks();
        if expression.at < expression.chars.len() {
            return expression.bad();
        }
        Ok(value)
    }
}

impl Expression<'_, '_> {
    fn bad<T>(&self) -> Run<T> {
        let text: String = self.chars.iter().collect();
        self.machine.refuse(Reason::Unsupported(format!("the arithmetic expression {text:?}")))
    }

    fn blanks(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(n, c)| self.chars.get(self.at + n) == Some(&c))
    }

    fn take(&mut self, text: &str) -> bool {
        self.blanks();
        let found = self.starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.chars.get(self.at).filter(|c| c.is_alphanumeric() || **c == '_') {
            name.push(*c);
            self.at += 1;
        }
        name
    }

    fn assignment(&mut self) -> Run<i64> {
        if self.depth >= DEPTH_LIMIT {
            return self.bad();
        }
        self.depth += 1;
        let value = self.assigned();
        self.depth -= 1;
        value
    }

    fn assigned(&mut self) -> Run<i64> {
        self.blanks();
        let start = self.at;
        if self.chars.get(self.at).is_some_and(|c| c.is_ascii_alphabetic() || *c == '_') {
            let name = self.name();
            self.blanks();
            for operator in ["+=", "-=", "*=", "/=", "%=", "="] {
                if self.starts_with(operator) && !self.starts_with("==") {
                    self.at += operator.len();
                    let right = self.assignment()?;
                    let left = self.variable(&name)?;
                    let value = match operator {
                        "=" => right,
                        operator => self.apply(&operator[..1], left, right)?,
                    };
                    self.machine.shell.set(&name, value.to_string());
                    return Ok(value);
                }
            }
        }
        self.at = start;
        let condition = self.level(0)?;
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.assignment()?;
        if !self.take(":") {
            return self.bad();
        }
        let no = self.assignment()?;
        Ok(if condition != 0 { yes } else { no })
    }

    fn level(&mut self, level: usize) -> Run<i64> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        loop {
            self.blanks();
            let found = operators
                .iter()
                .find(|operator| self.starts_with(operator) && !self.is_longer(operator));
            let Some(operator) = found else { return Ok(left) };
            self.at += operator.len();
            let right = self.level(level + 1)?;
            left = self.apply(operator, left, right)?;
        }
    }

    /// Whether what begins here is a longer operator than `operator`.
    fn is_longer(&self, operator: &str) -> bool {
        let next = self.chars.get(self.at + operator.len());
        match operator {
            "|" => next == Some(&'|'),
            "&" => next == Some(&'&'),
            "<" | ">" => next.is_some_and(|c| matches!(c, '<' | '>')),
            _ => false,
        }
    }

    fn apply(&mut self, operator: &str, left: i64, right: i64) -> Run<i64> {
        let result = match operator {
            "||" => Some(i64::from(left != 0 || right != 0)),
            "&&" => Some(i64::from(left != 0 && right != 0)),
            "|" => Some(left | right),
            "^" => Some(left ^ right),
            "&" => Some(left & right),
            "==" => Some(i64::from(left == right)),
            "!=" => Some(i64::from(left != right)),
            "<=" => Some(i64::from(left <= right)),
            ">=" => Some(i64::from(left >= right)),
            "<" => Some(i64::from(left < right)),
            ">" => Some(i64::from(left > right)),
            "<<" => u32::try_from(right).ok().and_then(|n| left.checked_shl(n)),
            ">>" => u32::try_from(right).ok().and_then(|n| left.checked_shr(n)),
            "+" => left.checked_add(right),
            "-" => left.checked_sub(right),
            "*" => left.checked_mul(right),
            "/" => left.checked_div(right),
            "%" => left.checked_rem(right),
            _ => None,
        };
        match result {
            Some(result) => Ok(result),
            None => self.bad(),
        }
    }

    fn unary(&mut self) -> Run<i64> {
        self.blanks();
        if self.depth >= DEPTH_LIMIT {
            return self.bad();
        }
        self.depth += 1;
        let value = self.signed();
        self.depth -= 1;
        value
    }

    fn signed(&mut self) -> Run<i64> {
        if self.starts_with("++") || self.starts_with("--") {
            return self.bad();
        }
        if self.take("!") {
            return Ok(i64::from(self.unary()? == 0));
        }
        if self.take("-") {
            return Ok(self.unary()?.wrapping_neg());
        }
        if self.take("+") {
            return self.unary();
        }
        if self.take("~") {
            return Ok(!self.unary()?);
        }
        if self.take("(") {
            let value = self.assignment()?;
            return if self.take(")") { Ok(value) } else { self.bad() };
        }
        let name = self.name();
        match name.chars().next() {
            Some(c) if c.is_ascii_digit() => match number(&name) {
                Some(value) => Ok(value),
                None => self.bad(),
            },
            Some(_) => {
                let value = self.variable(&name)?;
                if self.starts_with("++") || self.starts_with("--") {
                    let step = if self.starts_with("++") { 1 } else { -1 };
                    self.at += 2;
                    self.machine.shell.set(&name, value.wrapping_add(step).to_string());
                }
                Ok(value)
            }
            None => self.bad(),
        }
    }

    fn variable(&mut self, name: &str) -> Run<i64> {
        let text = self.machine.value(name)?.unwrap_or_default();
        match text.trim() {
            "" => Ok(0),
            text => match number(text) {
                Some(value) => Ok(value),
                None => self.bad(),
            },
        }
    }
}

/// A constant: decimal, octal after `0`, hexadecimal after `0x`.
fn number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let value = match hexadecimal {
        Some(digits) => i64::from_str_radix(digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    Some(sign * value.ok()?)
}
