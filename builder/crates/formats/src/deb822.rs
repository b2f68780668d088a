//! Streams the records of a Debian control file (deb822; Debian Policy 5.1, opkg's `Packages` too).
//!
//! Reads from any [`BufRead`]; holds one record at a time, of at most `RECORD_LIMIT` bytes.

use std::io::BufRead;
use std::ops::Range;

use super::package::IndexError;
use wifibox_ground::path::shown;

/// The largest record that is accepted, in bytes. The largest in Debian are some 100 kB.
pub(crate) const RECORD_LIMIT: usize = 4 << 20;

/// Reads records one by one.
pub struct Reader<R> {
    input: R,
    line: u64,
    record_line: u64,
    text: String,
    fields: Vec<(Range<usize>, Range<usize>)>,
    blanks_continue: bool,
}

/// One record: its fields in the order in which they stand.
pub struct Record<'a> {
    /// The line of the first field, from 1.
    pub line: u64,
    text: &'a str,
    fields: &'a [(Range<usize>, Range<usize>)],
}

impl<'a> Record<'a> {
    /// Every field and its value. A folded value keeps its line breaks; white space round it is gone.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        let part = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        self.fields.iter().map(move |(name, value)| (part(name), part(value).trim()))
    }

    /// The value of a field, whose name is matched without regard to case.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.fields().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// An error about this record.
    pub fn error(&self, what: impl Into<String>) -> IndexError {
        let package = self.get("Package").map(str::to_owned);
        IndexError::Record { line: self.line, package, what: what.into() }
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads records from `input`.
    pub fn new(input: R) -> Self {
        Reader {
            input,
            line: 0,
            record_line: 0,
            text: String::new(),
            fields: Vec::new(),
            blanks_continue: false,
        }
    }

    /// Lines of nothing but white space go on with the field before them, and only empty lines end a
    /// record: OpenWrt writes paragraphs of descriptions so.
    pub(crate) fn blanks_continue(mut self) -> Self {
        self.blanks_continue = true;
        self
    }

    /// The next record, `None` after the last.
    ///
    /// # Errors
    /// [`IndexError`] when reading fails, and for text that is not UTF-8, a line that is no field, and
    /// a record that is too large.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, IndexError> {
        self.fields.clear();
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        bytes.clear();
        loop {
            let start = bytes.len();
            let room = (RECORD_LIMIT - start) as u64;
            let read = std::io::Read::take(&mut self.input, room).read_until(b'\n', &mut bytes);
            let count = read.map_err(|source| IndexError::Read { line: self.line, source })?;
            self.line += 1;
            let line = bytes.get(start..).unwrap_or_default();
            let continues =
                self.blanks_continue && !self.fields.is_empty() && line.starts_with(b" ");
            let blank = !continues && line.iter().all(u8::is_ascii_whitespace);
            if count > 0 && !line.ends_with(b"\n") && bytes.len() >= RECORD_LIMIT {
                return Err(self.bad("the record is larger than 4 MiB"));
            }
            if blank && (count == 0 || !self.fields.is_empty()) {
                bytes.truncate(start);
                break;
            }
            if blank || line.starts_with(b"#") {
                bytes.truncate(start);
                continue;
            }
            self.take_line(line, start)?;
        }
        let first_bad = |error: std::string::FromUtf8Error| {
            let what = format!("the record is not UTF-8 ({})", error.utf8_error());
            IndexError::Record { line: self.record_line, package: None, what }
        };
        self.text = String::from_utf8(bytes).map_err(first_bad)?;
        let record = Record { line: self.record_line, text: &self.text, fields: &self.fields };
        Ok((!self.fields.is_empty()).then_some(record))
    }

    /// Notes what the line at `start` of the record's text is.
    fn take_line(&mut self, line: &[u8], start: usize) -> Result<(), IndexError> {
        let end = start + line.len();
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            let Some((_, value)) = self.fields.last_mut() else {
                return Err(self.bad("the record starts with a continuation line"));
            };
            value.end = end;
            return Ok(());
        }
        let colon = line.iter().position(|b| *b == b':').filter(|at| *at > 0);
        let Some(colon) = colon else {
            let shown = shown(line);
            return Err(self
                .bad(&format!("{:?} is no field; \"Name: value\" is expected", shown.trim_end())));
        };
        if self.fields.is_empty() {
            self.record_line = self.line;
        }
        self.fields.push((start..start + colon, start + colon + 1..end));
        Ok(())
    }

    fn bad(&self, what: &str) -> IndexError {
        IndexError::Record { line: self.line, package: None, what: what.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records(text: &[u8]) -> Result<Vec<Vec<(String, String)>>, IndexError> {
        let mut reader = Reader::new(text);
        let mut all = Vec::new();
        while let Some(record) = reader.next_record()? {
            all.push(record.fields().map(|(n, v)| (n.to_owned(), v.to_owned())).collect());
        }
        Ok(all)
    }

    #[test]
    fn records_are_split_and_values_unfolded() {
        let text = b"\n# note\nPackage: a\nTag: x,\n y\n\n\n \nPackage:b\r\nEmpty:\nDescription: no newline";
        let all = records(text).expect("records");
        assert_eq!(all.len(), 2);
        assert_eq!(all[0], [("Package".into(), "a".into()), ("Tag".into(), "x,\n y".into())]);
        assert_eq!(all[1][1], ("Empty".into(), String::new()));
        assert_eq!(all[1][2].1, "no newline");
    }

    #[test]
    fn what_is_no_record_is_an_error_with_its_line() {
        for (text, line) in
            [(&b"Package: a\nnonsense\n"[..], 2), (b" x\n", 1), (b"\n\nA: \xff\n", 3), (b":x\n", 1)]
        {
            let error = records(text).expect_err("an error");
            assert!(error.to_string().contains(&format!("line {line}")), "{error}");
        }
        let huge = [b"A: ".as_slice(), &vec![b'x'; RECORD_LIMIT]].concat();
        assert!(records(&huge).is_err());
    }

    #[test]
    fn blank_lines_may_continue_a_field() {
        let text = b" \nPackage: a\nDescription: one\n \n two\n\nPackage: b\n";
        let mut reader = Reader::new(&text[..]).blanks_continue();
        let first = reader.next_record().expect("a record").expect("one");
        assert_eq!(first.get("Description"), Some("one\n \n two"));
        let second = reader.next_record().expect("a record").expect("another");
        assert_eq!(second.get("Package"), Some("b"));
        assert!(reader.next_record().expect("the end").is_none());
        assert!(records(text).is_err(), "elsewhere, they end the record");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(prop_oneof![
            Just(b'\n'), Just(b':'), Just(b' '), Just(b'a'), any::<u8>()], 0..60)) {
            let _ = records(&bytes);
        }
    }
}
