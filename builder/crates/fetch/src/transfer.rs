//! One artefact from its locations: in order, with retries, resumed where possible.
//!
//! Nothing here decides whether the bytes are right; [`super::Fetcher`] does when they are all there.

use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::Url;

use super::error::{FetchError, Outcome};
use super::http::{Answer, Client, HttpError, LazyClient};
use super::http_options::SlowServer;
use super::partial::Target;
use super::retry::RetryPolicy;
use wifibox_ground::artefact::Found;
use wifibox_ground::cancel::Cancel;
use wifibox_ground::location::Location;
use wifibox_ground::progress::{Progress, Task};
use wifibox_ground::regular;

/// So many bytes make a request a step forward, although it broke off.
const PROGRESS: u64 = 4096;

/// How many bytes may come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// Exactly this many, if known.
    pub(super) exact: Option<u64>,
    /// Never more than this many.
    pub(super) limit: u64,
}

/// Why one location did not give the artefact.
pub(super) enum Failure {
    /// The next location may.
    Next(Outcome),
    /// None will.
    Fatal(FetchError),
}

/// Why one request did not.
enum Miss {
    /// Asking the same location again may help, after the time that the server asked for.
    Again(String, Option<Duration>),
    Failure(Failure),
}

/// The state shared by all transfers of one artefact.
pub(super) struct Transfer<'a> {
    pub(super) name: &'a str,
    pub(super) bound: Bound,
    pub(super) client: &'a LazyClient,
    pub(super) progress: &'a dyn Progress,
    pub(super) cancel: &'a Cancel,
    pub(super) task: &'a dyn Task,
    /// What counts as slow.
    pub(super) slow: SlowServer,
    /// Whether a slow location is left: there are others that may be faster.
    pub(super) may_leave: bool,
    /// How few bytes a second came, where that was slow.
    pub(super) rate: Option<u64>,
    /// How many bytes the task was told about. A transfer that begins anew tells nothing twice.
    pub(super) told: u64,
}

impl From<FetchError> for Miss {
    fn from(error: FetchError) -> Self {
        Miss::Failure(Failure::Fatal(error))
    }
}

fn next(outcome: Outcome) -> Miss {
    Miss::Failure(Failure::Next(outcome))
}

impl Transfer<'_> {
    /// Reads `location` into `target` to its end.
    pub(super) fn read(
        &mut self,
        location: &Location,
        retry: &RetryPolicy,
        target: &mut dyn Target,
    ) -> Result<(), Failure> {
        match location {
            Location::File(path) => match self.copy(path, target) {
                Err(Miss::Failure(failure)) => Err(failure),
                Err(Miss::Again(why, _)) => Err(Failure::Next(Outcome::Failed(why))),
                Ok(()) => Ok(()),
            },
            Location::Http(url) => {
                let client =
                    self.client.get().map_err(|why| Failure::Next(Outcome::Refused(why)))?;
                self.download(client, url, location, retry, target)
            }
        }
    }

    fn download(
        &mut self,
        client: &Client,
        url: &Url,
        location: &Location,
        retry: &RetryPolicy,
        target: &mut dyn Target,
    ) -> Result<(), Failure> {
        let mut failures = 0;
        loop {
            let before = target.length();
            let (why, asked) = match self.request(client, url, target) {
                Ok(()) => return Ok(()),
                Err(Miss::Failure(failure)) => return Err(failure),
                Err(Miss::Again(why, asked)) => (why, asked),
            };
            // What brings the file on is no failure, however often it is cut off.
            let brought = target.length().saturating_sub(before);
            failures = if brought >= PROGRESS { 1 } else { failures + 1 };
            let Some(delay) = retry.delay(failures, asked) else {
                return Err(Failure::Next(Outcome::Failed(match failures {
                    1 => why,
                    _ => format!("{why} (asked {failures} times)"),
                })));
            };
            self.progress.note(&format!("{location}: {why}; again in {} s", delay.as_secs_f32()));
            if !self.cancel.sleep(delay) {
                return Err(Failure::Fatal(self.interrupted()));
            }
        }
    }

    fn request(&mut self, client: &Client, url: &Url, target: &mut dyn Target) -> Result<(), Miss> {
        let mut offset = target.length();
        let mut answer = client.get(url, offset, self.cancel).map_err(|e| self.http_error(e))?;
        match answer.head.status {
            200 => {
                if offset > 0 {
                    target.restart()?;
                    offset = 0;
                }
            }
            206 if offset > 0 && answer.head.range_start == Some(offset) => {}
            206 | 416 if offset > 0 => {
                target.restart()?;
                return Err(Miss::Again(
                    "cannot resume there; from the beginning".to_owned(),
                    None,
                ));
            }
            status @ (404 | 410) => {
                return Err(next(Outcome::NotFound(format!("not found (HTTP {status})"))));
            }
            status @ (408 | 429 | 500..=599) => {
                return Err(Miss::Again(format!("HTTP {status}"), answer.head.retry_after));
            }
            status => return Err(next(Outcome::Refused(format!("HTTP {status}")))),
        }
        // A login page, or another version of the file, is recognised before it is read.
        if let (Some(exact), Some(length)) = (self.bound.exact, answer.head.length) {
            let size = offset.saturating_add(length);
            if size != exact {
                return Err(next(Outcome::Mismatch(Found { size, sha256: None })));
            }
        }
        self.tell(target.length());
        self.receive(&mut answer, target)
    }

    fn receive(&mut self, answer: &mut Answer, target: &mut dyn Target) -> Result<(), Miss> {
        let (mut since, mut from) = (Instant::now(), target.length());
        while let Some(bytes) = answer.next(self.cancel).map_err(|e| self.http_error(e))? {
            self.append(target, &bytes)?;
            let time = since.elapsed();
            if time >= self.slow.time {
                let came = u128::from(target.length().saturating_sub(from));
                let rate = came.saturating_mul(1000) / time.as_millis().max(1);
                let rate = u64::try_from(rate).unwrap_or(u64::MAX);
                self.rate = (rate < self.slow.rate).then_some(rate);
                if let Some(rate) = self.rate.filter(|_| self.may_leave) {
                    return Err(next(Outcome::Slow(rate)));
                }
                (since, from) = (Instant::now(), target.length());
            }
        }
        match self.bound.exact {
            Some(exact) if target.length() < exact => {
                let got = target.length();
                Err(Miss::Again(format!("the answer ended after {got} of {exact} bytes"), None))
            }
            _ => Ok(()),
        }
    }

    fn copy(&mut self, path: &Path, target: &mut dyn Target) -> Result<(), Miss> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                next(Outcome::NotFound("no such file".to_owned()))
            }
            _ => next(Outcome::Refused(error.to_string())),
        };
        let mut file = regular::open(path).map_err(failed)?;
        target.restart()?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            if self.cancel.is_cancelled() {
                return Err(self.interrupted().into());
            }
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(got) => self.append(target, buffer.get(..got).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        match self.bound.exact {
            Some(exact) if target.length() != exact => {
                Err(next(Outcome::Mismatch(Found { size: target.length(), sha256: None })))
            }
            _ => Ok(()),
        }
    }

    /// Adds bytes to the target, but never more than may come.
    fn append(&mut self, target: &mut dyn Target, bytes: &[u8]) -> Result<(), Miss> {
        let size = target.length().saturating_add(bytes.len() as u64);
        let most = self.bound.exact.unwrap_or(self.bound.limit);
        if size > most {
            target.restart()?;
            return Err(next(match self.bound.exact {
                Some(_) => Outcome::Mismatch(Found { size, sha256: None }),
                None => Outcome::TooLarge(most),
            }));
        }
        target.write(bytes)?;
        self.tell(size);
        Ok(())
    }

    fn tell(&mut self, length: u64) {
        self.task.advance(length.saturating_sub(self.told));
        self.told = self.told.max(length);
    }

    fn interrupted(&self) -> FetchError {
        FetchError::Interrupted { name: self.name.to_owned() }
    }

    fn http_error(&self, error: HttpError) -> Miss {
        match error {
            HttpError::Failed(why) => Miss::Again(why, None),
            HttpError::Refused(why) => next(Outcome::Refused(why)),
            HttpError::Cancelled => self.interrupted().into(),
        }
    }
}
