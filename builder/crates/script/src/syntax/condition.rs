//! `[[ ... ]]` of bash.

use super::cursor::{Cursor, Parsed};
use super::word::Place;
use super::{Condition, Kind, Word, plain_text};

impl Cursor {
    pub(super) fn double_brackets(&mut self) -> Parsed<Kind> {
        self.take("[[");
        let condition = self.nested(Cursor::condition_or)?;
        self.lines()?;
        if !self.take("]]") {
            return self.error("\"]]\" is expected here");
        }
        Ok(Kind::Condition(Box::new(condition)))
    }

    fn condition_or(&mut self) -> Parsed<Condition> {
        let mut all = vec![self.condition_and()?];
        loop {
            self.lines()?;
            if !self.take("||") {
                return Ok(Condition::Or(all));
            }
            all.push(self.condition_and()?);
        }
    }

    fn condition_and(&mut self) -> Parsed<Condition> {
        let mut all = vec![self.condition_not()?];
        loop {
            self.lines()?;
            if !self.take("&&") {
                return Ok(Condition::And(all));
            }
            all.push(self.condition_not()?);
        }
    }

    fn condition_not(&mut self) -> Parsed<Condition> {
        self.nested(|cursor| {
            cursor.lines()?;
            if cursor.starts_with("!") && cursor.peek_at(1).is_some_and(Cursor::ends_word) {
                cursor.take("!");
                return Ok(Condition::Not(Box::new(cursor.condition_not()?)));
            }
            if cursor.take("(") {
                let inner = cursor.condition_or()?;
                cursor.lines()?;
                if !cursor.take(")") {
                    return cursor.error("a parenthesis in [[ ]] is not closed");
                }
                return Ok(inner);
            }
            cursor.condition_primary()
        })
    }

    fn condition_primary(&mut self) -> Parsed<Condition> {
        let left = self.operand_word()?;
        if let Some(operator) = plain_text(&left)
            && operator.len() == 2
            && operator.starts_with('-')
        {
            let operator = operator.to_owned();
            let operand = self.operand_word()?;
            return Ok(Condition::Unary(operator, operand));
        }
        self.blanks();
        if self.starts_with("]]") || self.starts_with("&&") || self.starts_with("||") {
            return Ok(Condition::Word(left));
        }
        let operator = match self.peek() {
            Some(c @ ('<' | '>')) => {
                self.next();
                c.to_string()
            }
            Some(')') | None => return Ok(Condition::Word(left)),
            _ => {
                let word = self.operand_word()?;
                match plain_text(&word) {
                    Some(operator) => operator.to_owned(),
                    None => return self.error("an operator is expected in [[ ]]"),
                }
            }
        };
        if operator == "=~" {
            return self.error("=~ is not known here");
        }
        Ok(Condition::Binary(left, operator, self.operand_word()?))
    }

    fn operand_word(&mut self) -> Parsed<Word> {
        self.blanks();
        let word = self.word(Place::Command)?;
        if word.is_empty() {
            return self.error("a word is expected in [[ ]]");
        }
        Ok(word)
    }
}
