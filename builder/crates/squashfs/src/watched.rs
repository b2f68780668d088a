//! A reader that remembers why it could not be read: the library's own error for that has no words.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use backhand::BackhandError;

/// The last error of a [`Watched`] reader, in words.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastError(Arc<Mutex<Option<String>>>);

impl LastError {
    fn keep<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        }
        result
    }

    /// The reason of a failure of the library: that of the reader, if it had one.
    pub(crate) fn or(&self, error: &BackhandError) -> String {
        let met = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        met.unwrap_or_else(|| error.to_string())
    }
}

/// A reader whose errors are noted.
pub(crate) struct Watched<'r, R> {
    reader: &'r mut R,
    last: LastError,
}

impl<'r, R> Watched<'r, R> {
    pub(crate) fn new(reader: &'r mut R, last: &LastError) -> Self {
        Watched { reader, last: last.clone() }
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.last.keep(self.reader.read(buffer))
    }
}

impl<R: BufRead> BufRead for Watched<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.last.keep(self.reader.fill_buf())
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
    }
}

impl<R: Seek> Seek for Watched<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.last.keep(self.reader.seek(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is broken"))
        }
    }

    #[test]
    fn the_readers_own_words_come_before_the_librarys() {
        let library = || BackhandError::InternalState("odd".to_owned());
        let last = LastError::default();
        assert!(last.or(&library()).contains("odd"));
        let mut broken = Broken;
        assert!(Watched::new(&mut broken, &last).read(&mut [0]).is_err());
        assert_eq!(last.or(&library()), "the disk is broken");
        assert!(last.or(&library()).contains("odd"));
    }
}
